"""The types that a field can have: how a value is written, what it is in Python, how it is said."""

import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

# One spelling for each value with so many decimals: no exponent, and zero has no sign. No more
# digits than fit into 64 bits.
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}").fullmatch
_NUMBER = re.compile(r"(?!-0([.]0+)?\Z)-?(0|[1-9][0-9]{0,17})([.][0-9]{1,30})?").fullmatch
_YEAR = re.compile(r"[0-9]{4}").fullmatch
_DATE = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])").fullmatch
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


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
    found = _DATE(text)
    if not found or text.startswith("0000"):
        return False
    year, month, day = map(int, found.groups())
    # Told here: to import the calendar of Python takes longer than to judge every day of a package.
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= _DAYS[month - 1] and (month != 2 or day < 29 or is_leap)


FIELD_TYPES: dict[str, FieldType] = {
    "string": FieldType(bool, str, "a text", ordered=False),
    "integer": FieldType(_INTEGER, int, "a whole number in plain digits such as 12"),
    "number": FieldType(_NUMBER, float, "a number in plain decimals such as 75.8"),
    "boolean": FieldType(
        {"true", "false"}.__contains__, "true".__eq__, "true or false in small letters", False
    ),
    "year": FieldType(_YEAR, int, "a year of four digits such as 2024"),
    "date": FieldType(is_date, str, "a day such as 2024-06-07"),
}
NUMERIC = ("integer", "number", "year")


def is_integer(text: str) -> bool:
    """Whether a text is a whole number in its plain form."""
    return _INTEGER(text) is not None


def is_number(text: str) -> bool:
    """Whether a text is a number in its plain form."""
    return _NUMBER(text) is not None


def is_held(text: str) -> bool:
    """Whether a number in its plain form is what comes back from a double-precision float."""
    if len(text) <= sys.float_info.dig:
        return True
    from decimal import Decimal

    return Decimal(repr(float(text))) == Decimal(text)


def as_cell(bound: object) -> str:
    """A number or a text of a schema as it would stand in a cell."""
    if not isinstance(bound, float):
        return str(bound)
    from decimal import Decimal

    # A whole number has no decimals there, and zero no sign.
    return f"{bound + 0.0:.0f}" if bound.is_integer() else f"{Decimal(repr(bound)):f}"


def identity(kind: str, text: str) -> str | float:
    """What is the same for equal values of a type: 1 and 1.00 are one number in two spellings."""
    return float(text) if kind == "number" and is_number(text) else text
