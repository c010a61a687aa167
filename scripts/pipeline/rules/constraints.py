"""Rules on single cells: types, constraints and companions, all from the schema."""

import math
from collections.abc import Callable, Iterator
from itertools import filterfalse

from pipeline.issue import Fault, listed, nearest, show
from pipeline.package import Resource
from pipeline.package.field_types import FIELD_TYPES, as_cell, identity, is_held
from pipeline.package.patterns import usable
from pipeline.package.table import Column
from pipeline.rules import column_rule, table_rule

# Guesses are made for so many values.
_GUESSES = 50


@column_rule("type", "write the value in the form of the field's type")
def type_(column: Column) -> Iterator[tuple[str, str]]:
    """Every value has the type of its field, written in one plain way."""
    if kind := FIELD_TYPES.get(column.field["type"]):
        for text in filterfalse(kind.fits, column.texts):
            yield text, f"{show(text)} is not {kind.words}"


@column_rule("precision", "give the figure with the digits that the paper has; nobody reads more")
def precision(column: Column) -> Iterator[tuple[str, str]]:
    """A number has no digits that the readers of JSON, Parquet and SQLite would lose."""
    kind = column.field["type"]
    if kind in ("integer", "number"):
        for text in filter(FIELD_TYPES[kind].fits, column.texts):
            if not is_held(text):
                yield text, f"{text} has more digits than a double-precision float holds"


@column_rule("required", "fill the cell")
def required(column: Column) -> Iterator[tuple[str, str]]:
    """A required cell is not empty."""
    if column.field.get("constraints", {}).get("required") and column.empty:
        yield "", "the cell is empty"


@column_rule("enum", "use one of the listed values, or add this one to enum and categories")
def enum(column: Column) -> Iterator[tuple[str, str]]:
    """A value of a field with an enum is one of its values."""
    allowed = column.field.get("constraints", {}).get("enum")
    if allowed is not None:
        words, kind = listed(allowed), column.field["type"]
        others = sorted(column.texts.difference(allowed))
        if kind == "number":
            values = {identity(kind, text) for text in allowed}
            others = [text for text in others if identity(kind, text) not in values]
        for number, text in enumerate(others):
            near = nearest(text, allowed) if number < _GUESSES else ""
            hint = f"; did you mean {show(near)}?" if near else ""
            yield text, f"{show(text)} is none of {words}{hint}"


@column_rule("pattern", "write the value in the form that the schema describes")
def pattern(column: Column) -> Iterator[tuple[str, str]]:
    """A value of a field with a pattern matches all of it."""
    wanted = column.field.get("constraints", {}).get("pattern")
    # What cannot be used the rule pattern-unanchored reports.
    if wanted is not None and (expression := usable(wanted)):
        for text in expression.misfits(column.texts):
            yield text, f"{show(text)} does not match {show(wanted)}"


@column_rule("range", "check the figure; the schema gives its bounds")
def range_(column: Column) -> Iterator[tuple[str, str]]:
    """A value lies within the minimum and maximum of its field."""
    constraints = column.field.get("constraints", {})
    kind = FIELD_TYPES.get(column.field["type"])
    if not kind or not constraints.keys() & {"minimum", "maximum"}:
        return
    low, high = (as_cell(constraints.get(key, "")) for key in ("minimum", "maximum"))
    if not all(bound == "" or kind.fits(bound) for bound in (low, high)):
        return  # the rule bound-invalid says so
    if low and high and kind.value(low) > kind.value(high):
        return  # the rule bounds-crossed says so
    for text in filter(kind.fits, column.texts):
        if low and kind.value(text) < kind.value(low):
            yield text, f"{show(text)} is less than {low}"
        elif high and kind.value(text) > kind.value(high):
            yield text, f"{show(text)} is more than {high}"


@column_rule("length", "shorten or lengthen the text to the bounds in the schema")
def length(column: Column) -> Iterator[tuple[str, str]]:
    """A text is as long as the field allows."""
    constraints = column.field.get("constraints", {})
    low, high = constraints.get("minLength", 0), constraints.get("maxLength", math.inf)
    if low <= high and (low or high < math.inf):  # else the rule bounds-crossed says so
        for text in column.texts:
            if not low <= len(text) <= high:
                yield text, f"{show(text)} has {len(text)} characters"


@table_rule("missing-companion", "fill the other cell too, or empty this one")
def missing_companion(resource: Resource) -> Iterator[Fault]:
    """A filled cell has its companions: a comparator a value, a stance a statement."""
    table = resource.table
    for field in resource.fields:
        for other in field.get("requires", []):
            for row, _, reason in table.where({other: [""]}, field["name"], bool):
                yield table.fault(row, field["name"], f"the cell is filled, but {reason}", other)


@table_rule("conditional-cell", "fill or empty the cell as the other one demands")
def conditional_cell(resource: Resource) -> Iterator[Fault]:
    """A cell is empty exactly when another says so.

    There is no citation where the page cites none, and no value where the measure has none.
    """
    table = resource.table
    for field in resource.fields:
        for other, empty in field.get("emptyExactlyWhen", {}).items():
            wrong = {}
            for mine, its in table.each(field["name"], other):
                if (mine == "") != (its in empty):
                    state = "filled" if mine else "empty"
                    wrong[mine, its] = f"the cell is {state}, but {other} is {show(its)}"
            yield from table.faults(field["name"], wrong, other)


@table_rule("conditional-value", "correct one of the two cells; the schema says what goes together")
def conditional_value(resource: Resource) -> Iterator[Fault]:
    """A cell has no value that another cell forbids.

    Only a row of the source page states a claim, and one on other people contradicts none.
    """
    table = resource.table
    for each in resource.schema.get("implications", []):
        for kind in ("only", "never"):
            for name, values in each.get(kind, {}).items():
                is_wrong = values.__contains__ if kind == "never" else _none_of(values)
                for row, text, reason in table.where(each["when"], name, is_wrong):
                    what = show(text) if text else "an empty cell"
                    message = f"{what}, but {reason}: {each['because']}"
                    yield table.fault(row, name, message, *each["when"])


def _none_of(values: list[str]) -> Callable[[str], bool]:
    return lambda text: text not in values
