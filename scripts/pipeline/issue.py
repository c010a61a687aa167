"""What can go wrong, and how a value is said: faults of a package, and reasons not to run."""

import json
from collections.abc import Collection, Iterable
from typing import NamedTuple

# Where something is in a JSON document: names and numbers from the root inward.
Keys = tuple[str | int, ...]

_SHOWN = 60
# Of a list of values in a message, of a name, of a message as a whole.
_LISTED, _NAME, _MESSAGE = 90, 200, 600
# What is meant is looked for among texts of so many characters.
_GUESSED_AMONG = 5_000


class CannotRun(Exception):
    """The command cannot do what it was asked to; the message says why and what to do."""


class Fault(NamedTuple):
    """Something wrong at a place: path inside the package, physical line (the first is 1).

    `about` is what faults at other places may have in common with it: a field of a schema, an id.
    `beside` are the other fields of the row with which the cell was compared.
    """

    path: str
    line: int
    field: str
    message: str
    about: Keys = ()
    beside: tuple[str, ...] = ()


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
    return fault._replace(
        path=_short(fault.path, _MESSAGE),
        field=_short(fault.field, _NAME),
        message=_short(fault.message, _MESSAGE),
    )


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def nearest(value: str, among: Collection[str], likeness: float = 0.6) -> str:
    """The text that was probably meant, where looking for it takes no time to speak of.

    `likeness` is from 0 to 1, where it is the same.
    """
    if len(value) > _SHOWN or sum(map(len, among)) > _GUESSED_AMONG:
        return ""
    from difflib import get_close_matches

    return next(iter(get_close_matches(value, sorted(among), 1, likeness)), "")


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
