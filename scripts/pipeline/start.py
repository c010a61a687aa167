"""Comes before everything else: what keeps a command from starting ends it with 2, never with 1.

Each command calls `guard` before it imports anything that could fail, be interrupted or be missing,
so that none of it looks like a fault of the package. Old Pythons can read this file, too.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself takes a while to import
    from types import TracebackType
    from typing import NoReturn


def guard() -> None:
    """End the command with a message where it cannot run, now or at any later exception."""
    sys.excepthook = _end_with
    if sys.version_info < (3, 11):
        end("needs Python 3.11 or newer; this is " + sys.version.split()[0])
    if sys.flags.optimize > 1:
        end("the sentences of the rules are docstrings: unset PYTHONOPTIMIZE=2, do not use -OO")


def _end_with(
    kind: type[BaseException], error: BaseException, _trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        end("interrupted")
    if issubclass(kind, MemoryError):
        end("there is not enough memory")
    end(f"cannot start: {kind.__name__}: {error}")


def end(why: str) -> NoReturn:
    """Say why the command cannot run, if anybody listens, and end it."""
    try:
        said = ascii(f"{os.path.basename(sys.argv[0])}: {why}")[1:-1]
        os.write(2, f"{said}\n".encode())
    finally:
        os._exit(2)
