"""Comes before everything else: what keeps a command from starting ends it with 2, never with 1.

Each command calls `guard` before it imports anything that could fail, be interrupted or be missing,
so that none of it looks like a fault of the package. Old Pythons can read this file, too.

It has the last word as well: wherever the one interruption came that a command heeds, what is still
to be removed is removed before the process ends.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself takes a while to import
    from collections.abc import Callable
    from types import TracebackType
    from typing import NoReturn

_LAST: list[Callable[[], object]] = []


def guard() -> None:
    """End the command with a message where it cannot run, now or at any later exception."""
    sys.excepthook = _end_with
    # A short run that makes few cycles and many lists: collecting garbage only costs time, and so
    # does giving back every object one by one, which `finish` leaves out.
    gc.disable()
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
        finish(2)


def at_end(step: Callable[[], object]) -> None:
    """Have something done before the process ends, whether or not it was done by then."""
    _LAST.append(step)


def finish(code: int) -> NoReturn:
    """Do what is left to do, and end the process with this exit code."""
    try:
        while _LAST:
            _LAST.pop()()
    finally:
        os._exit(code)
