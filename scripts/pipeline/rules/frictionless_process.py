"""What frictionless, an independent validator, finds in the same package.

Runs as a process of its own beside our rules, so that two validators cost little more than one
and a crash of theirs is not ours: `python -P frictionless_process.py DESCRIPTOR SECONDS BYTES`
imports frictionless, waits for a line on standard input, and prints a JSON list of faults, each
[path, line, field, message]. It ends when standard input does, and where the system can, after
so many seconds of the processor, or when it wants more memory. It imports nothing of ours.
"""

import gc
import json
import os
import socket
import sys
import threading
from contextlib import suppress
from typing import Any

# frictionless stops counting here without saying so; this module says it.
LIMIT = 1000


def faults(descriptor: str) -> list[list[Any]]:
    """The faults in the package of a descriptor, with the physical line of each."""
    from frictionless import FrictionlessException, Package, system

    if not sys.stdin.readline():  # whoever started this is gone
        os._exit(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    folder, name = os.path.split(descriptor)
    os.chdir(folder)
    try:
        with system.use_context(trusted=False):
            report = Package(name).validate(limit_errors=LIMIT)
    except FrictionlessException as refusal:
        return [[name, 1, "", f"frictionless cannot read the package: {str(refusal)[:300]}"]]
    found: list[list[Any]] = [[name, 1, "", _say(error)] for error in report.errors]
    for task in report.tasks:
        for error in task.errors:
            line = getattr(error, "row_number", None) or 1
            field = getattr(error, "field_name", None) or ""
            found.append([task.place, line, field, _say(error)])
        if len(task.errors) >= LIMIT:
            message = f"frictionless stopped after {LIMIT} faults in this table"
            found.append([task.place, 1, "", message])
    return found


def _say(error: Any) -> str:
    return f"{error.message} ({error.type})"


def _end_with_parent() -> None:
    """Wait until nobody can want an answer any more."""
    sys.stdin.read()
    os._exit(1)


def _bound(seconds: int, size: int) -> None:
    """Let the system end this process where it takes more time or memory."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such bounds
    for which, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, size)):
        with suppress(ValueError, OSError):  # there is a lower one, or none is possible
            resource.setrlimit(which, (most, most))


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
    if len(sys.argv) != 4:
        sys.exit("frictionless_process.py takes a datapackage.json, seconds and bytes")
    descriptor, *bounds = sys.argv[1:]
    _bound(*map(int, bounds))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL: even a busy process ends
    gc.set_threshold(100_000)  # the many objects of its imports are no garbage
    _close_network()
    try:
        found = faults(descriptor)
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is not installed")
    except MemoryError:
        sys.exit("there is not enough memory")
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {str(error)[:300]}")
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
