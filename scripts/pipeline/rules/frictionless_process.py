"""What frictionless, an independent validator, finds in the same package.

Runs as a process of its own beside our rules, so that two validators cost little more than one
and a crash of theirs is not ours: `python -P frictionless_process.py DESCRIPTOR` imports
frictionless, waits for a line on standard input, and prints a JSON list of faults, each
[path, line, field, message]; line 0 is the file as a whole. It imports nothing of ours.
"""

import gc
import json
import os
import socket
import sys
from typing import Any

# frictionless stops counting here without saying so; this module says it.
LIMIT = 1000


def faults(descriptor: str) -> list[list]:
    """The faults in the package of a descriptor, with the physical line of each."""
    from frictionless import Package, system

    if not sys.stdin.readline():  # whoever started this is gone
        os._exit(1)
    folder, name = os.path.split(descriptor)
    os.chdir(folder)
    with system.use_context(trusted=False):
        report = Package(name).validate(limit_errors=LIMIT)
    found: list[list] = [[name, 0, "", _say(error)] for error in report.errors]
    for task in report.tasks:
        for error in task.errors:
            line = getattr(error, "row_number", None) or 0
            field = getattr(error, "field_name", None) or ""
            found.append([task.place, line, field, _say(error)])
        if len(task.errors) >= LIMIT:
            message = f"frictionless stopped after {LIMIT} faults in this table"
            found.append([task.place, 0, "", message])
    return found


def _say(error: Any) -> str:
    return f"{error.message} ({error.type})"


def _close_network() -> None:
    """Let every attempt to reach another machine fail."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("a validation asks nothing of the network")

    for name in ("getaddrinfo", "create_connection"):
        setattr(socket, name, refuse)
    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, refuse)


def main() -> None:
    """Print the faults in the package of the descriptor named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("frictionless_process.py takes the path of a datapackage.json")
    descriptor = sys.argv[1]
    gc.set_threshold(100_000)  # the many objects of its imports are no garbage
    _close_network()
    try:
        found = faults(descriptor)
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is not installed")
    except Exception as error:
        what = f"frictionless could not run: {type(error).__name__}: {error}"
        found = [[os.path.basename(descriptor), 0, "", what[:300]]]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
