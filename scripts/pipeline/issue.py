"""What can go wrong: faults of a package, and reasons for which the command cannot run."""

from typing import NamedTuple

_SHOWN = 60


class CannotRun(Exception):
    """The command cannot do what it was asked to; the message says why and what to do."""


class Fault(NamedTuple):
    """Something wrong at a place: path inside the package, physical line (the first is 1)."""

    path: str
    line: int
    field: str
    message: str


def show(value: str) -> str:
    """A value as it stands in a message: quoted, in ASCII, and not too long."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
