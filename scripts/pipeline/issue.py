"""What can go wrong, and how a value is said: faults of a package, and reasons not to run."""

import json
from collections.abc import Iterable
from typing import NamedTuple

_SHOWN = 60
# Of a list of values in a message, of a name, of a message as a whole.
_LISTED, _NAME, _MESSAGE = 120, 200, 600


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


def show(value: object) -> str:
    """A value as it stands in a message: quoted, in ASCII, and not too long."""
    # Of a text, more is not even looked at; of all else, documents bound what there is.
    return _short(ascii(value[:_SHOWN] if isinstance(value, str) else value), _SHOWN)


def listed(values: Iterable[str], word: str = ", ") -> str:
    """Values in a message: the first of them, and how many there are where that is not all."""
    every = list(values)
    shown: list[str] = []
    length = 0
    for value in every:
        length += len(value)
        if shown and length > _LISTED:
            return f"{word.join(shown)}{word}... ({len(every):,} in all)"
        shown.append(_short(value, _LISTED))
    return word.join(shown)


def bounded(fault: Fault) -> Fault:
    """A fault whose parts are short, whatever stood in the file."""
    path, line, field, message = fault
    return Fault(_short(path, _MESSAGE), line, _short(field, _NAME), _short(message, _MESSAGE))


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def visible(value: str) -> str:
    """A text without characters that would command a terminal or begin a line.

    Nor does it command a workflow: a line must not begin with `::`, nor have `##[` in it.
    """
    if not value.isprintable():
        value = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)
    if value.lstrip().startswith("::"):
        value = value.replace("::", r"\x3a:", 1)
    return value.replace("##[", r"#\x23[")


def visible_json(value: object) -> str:
    """A value as JSON for a stream: in ASCII, and nothing that commands a workflow."""
    return json.dumps(value, indent=2).replace("##[", r"#\u0023[")
