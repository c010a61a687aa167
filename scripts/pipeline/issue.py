"""What can go wrong, and how a value is said: faults of a package, and reasons not to run."""

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


class Issue(NamedTuple):
    """A fault with the rule that found it. Sorts by place."""

    path: str
    line: int
    field: str
    rule: str
    severity: str
    message: str
    repair: str


class Place(NamedTuple):
    """Where a rule found something."""

    path: str
    line: int
    rule: str


def show(value: object) -> str:
    """A value as it stands in a message: quoted, in ASCII, and not too long."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def visible(value: str) -> str:
    """A text without characters that would command a terminal or begin a line."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)
