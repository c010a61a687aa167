"""The types that a field can have: how a value is written, what it is in Python, how it is said."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

# No more digits than fit into 64 bits, and no exponent that leads to infinity.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})").fullmatch
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})([.][0-9]{1,30})?([eE][+-]?[0-9]{1,2})?").fullmatch
_YEAR = re.compile(r"[0-9]{4}").fullmatch
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


class FieldType(NamedTuple):
    """A type of a field.

    `fits` says of a text that is not empty whether it is a value in its one plain form, `value`
    makes the Python value of one that is, `words` say what it looks like, and `ordered` whether
    there is a smaller and a larger.
    """

    fits: Callable[[str], object]
    value: Callable[[str], Any]
    words: str
    ordered: bool = True


def is_date(text: str) -> bool:
    """Whether a text is a day of the calendar as YYYY-MM-DD."""
    if not _DATE(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


FIELD_TYPES: dict[str, FieldType] = {
    "string": FieldType(lambda _: True, str, "a text", ordered=False),
    "integer": FieldType(_INTEGER, int, "a whole number such as 12"),
    "number": FieldType(_NUMBER, float, "a number such as 75.8"),
    "boolean": FieldType({"true", "false"}.__contains__, "true".__eq__, "true or false", False),
    "year": FieldType(_YEAR, int, "a year such as 2024"),
    "date": FieldType(is_date, str, "a day such as 2024-06-07"),
}
NUMERIC = ("integer", "number", "year")


def is_integer(text: str) -> bool:
    """Whether a text is a whole number in its plain form."""
    return _INTEGER(text) is not None


def is_number(text: str) -> bool:
    """Whether a text is a number in its plain form."""
    return _NUMBER(text) is not None
