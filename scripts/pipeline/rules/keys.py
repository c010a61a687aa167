"""Rules that hold for any table: types, constraints, keys and references, all from the schema."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import filterfalse, repeat

from pipeline.issue import Fault, show
from pipeline.package.table import Column, Table
from pipeline.rules import rule, tables_of

# The ends of the edges that leave each node, with the row of each edge.
Graph = dict[str, list[tuple[str, int]]]

# No more digits than fit into 64 bits, and no exponent that leads to infinity.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})").fullmatch
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})([.][0-9]{1,30})?([eE][+-]?[0-9]{1,2})?").fullmatch
_YEAR = re.compile(r"[0-9]{4}").fullmatch
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


def _date(value: str) -> bool:
    if not _DATE(value):
        return False
    from datetime import date

    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


# For each supported type: what its texts look like, and how to compare two of them.
TYPES: dict[str, tuple[Callable[[str], object], Callable[[str], object], str]] = {
    "string": (lambda _: True, str, "a text"),
    "integer": (_INTEGER, int, "a whole number such as 12"),
    "number": (_NUMBER, float, "a number such as 75.8"),
    "boolean": (lambda value: value in ("true", "false"), str, "true or false"),
    "year": (_YEAR, int, "a year such as 2024"),
    "date": (_date, str, "a day such as 2024-06-07"),
}


# A cycle of more rows than this is cut short in the message.
_LONG = 12

# Types whose values have no minimum and no maximum.
UNORDERED = ("string", "boolean")


@rule("type", "write the value in the form of the field's type", stage="column")
def type_(column: Column) -> Iterator[tuple[str, str]]:
    """Every value has the type of its field, written in one plain way."""
    kind = column.field["type"]
    if kind != "string" and kind in TYPES:
        fits, _, words = TYPES[kind]
        for text in filterfalse(fits, column.texts):
            yield text, f"{show(text)} is not {words}"


@rule("required", "fill the cell", stage="column")
def required(column: Column) -> Iterator[tuple[str, str]]:
    """A required cell is not empty."""
    if column.field.get("constraints", {}).get("required") and column.empty:
        yield "", "the cell is empty"


@rule(
    "enum", "use one of the listed values, or add this one to enum and categories", stage="column"
)
def enum(column: Column) -> Iterator[tuple[str, str]]:
    """A value of a field with an enum is one of its values."""
    allowed = column.field.get("constraints", {}).get("enum")
    if allowed is not None:
        for text in column.texts.difference(allowed):
            yield text, f"{show(text)} is none of {', '.join(allowed)}{_near(text, allowed)}"


def _near(value: str, allowed: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(value, allowed, 1)
    return f"; did you mean {near[0]}?" if near else ""


def compiled(pattern: str) -> re.Pattern | None:
    """A regular expression, or None where it is none or too much for Python."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


@rule("pattern", "write the value in the form that the schema describes", stage="column")
def pattern(column: Column) -> Iterator[tuple[str, str]]:
    """A value of a field with a pattern matches all of it."""
    wanted = column.field.get("constraints", {}).get("pattern")
    # What is no regular expression the rule pattern-unanchored reports.
    if wanted is not None and (expression := compiled(wanted)):
        for text in filterfalse(expression.fullmatch, column.texts):
            yield text, f"{show(text)} does not match {wanted}"


@rule("range", "check the figure; the schema gives its bounds", stage="column")
def range_(column: Column) -> Iterator[tuple[str, str]]:
    """A value lies within the minimum and maximum of its field."""
    constraints = column.field.get("constraints", {})
    if column.field["type"] not in TYPES or not constraints.keys() & {"minimum", "maximum"}:
        return
    fits, order, _ = TYPES[column.field["type"]]
    low, high = (str(constraints.get(key, "")) for key in ("minimum", "maximum"))
    if not all(bound == "" or fits(bound) for bound in (low, high)):
        return  # the rule bound-invalid says so
    for text in filter(fits, column.texts):
        if low and order(text) < order(low):
            yield text, f"{show(text)} is less than {low}"
        elif high and order(text) > order(high):
            yield text, f"{show(text)} is more than {high}"


@rule("length", "shorten or lengthen the text to the bounds in the schema", stage="column")
def length(column: Column) -> Iterator[tuple[str, str]]:
    """A text is as long as the field allows."""
    constraints = column.field.get("constraints", {})
    low, high = constraints.get("minLength", 0), constraints.get("maxLength", math.inf)
    if low or high < math.inf:
        for text in column.texts:
            if not low <= len(text) <= high:
                yield text, f"{show(text)} has {len(text)} characters"


CONSTRAINTS = (type_, required, enum, pattern, range_, length)


@rule("missing-companion", "fill the other cell too, or empty this one", stage="table")
def missing_companion(table: Table) -> Iterator[Fault]:
    """A filled cell has its companions: a comparator a value, a stance a statement."""
    for field in table.resource.fields:
        for other in field.get("requires", []):
            for row, (mine, its) in enumerate(table.values(field["name"], other)):
                if mine and not its:
                    yield table.fault(
                        row, field["name"], f"the cell is filled, but {other} is empty"
                    )


@rule("conditional-cell", "fill or empty the cell as the other one demands", stage="table")
def conditional_cell(table: Table) -> Iterator[Fault]:
    """A cell is empty exactly when another says so.

    There is no citation where the page cites none, and no value where the measure has none.
    """
    for field in table.resource.fields:
        for other, empty in field.get("emptyExactlyWhen", {}).items():
            for row, (mine, its) in enumerate(table.values(field["name"], other)):
                if (mine == "") != (its in empty):
                    state = "filled" if mine else "empty"
                    message = f"the cell is {state}, but {other} is {show(its)}"
                    yield table.fault(row, field["name"], message)


def _duplicates(table: Table, names: Sequence[str]) -> Iterator[tuple[int, int, str | tuple]]:
    """(row, earlier row with the same value, value) for every row that is there twice."""
    if len(table.distinct(*names)) == table.rows:
        return
    first: dict[str | tuple, int] = {}
    for row, value in enumerate(table.values(*names)):
        earlier = first.setdefault(value, row)
        if earlier < row:
            yield row, earlier, value


@rule("primary-key", "give the row a key of its own, or delete the copy", stage="table")
def primary_key(table: Table) -> Iterator[Fault]:
    """No two rows have the same primary key, and no part of it is empty."""
    names = table.resource.primary_key
    if not names:
        return
    for name in names:
        if "" in table.columns[name]:
            yield from table.faults(name, {"": "a part of the primary key is empty"})
    for row, earlier, _ in _duplicates(table, names):
        message = f"the primary key is that of line {table.lines[earlier]}"
        yield table.fault(row, names[0], message)


@rule("unique", "change one of the two values, or delete the copy", stage="table")
def unique(table: Table) -> Iterator[Fault]:
    """No two rows have the same value in a unique field or the same values in a unique key."""
    resource = table.resource
    for names in resource.unique() - {tuple(resource.primary_key)}:
        for row, earlier, value in _duplicates(table, names):
            if value and all(value):  # a text, or a key with no part empty
                message = f"the value is that of line {table.lines[earlier]}"
                yield table.fault(row, names[0], message)


@rule(
    "duplicate-name", "use one spelling, or two names that differ in more than case", stage="table"
)
def duplicate_name(table: Table) -> Iterator[Fault]:
    """No two values of a unique text differ only in upper and lower case."""
    for field in table.resource.fields:
        if field["type"] == "string" and field.get("constraints", {}).get("unique"):
            values = table.values(field["name"])
            first: dict[str, int] = {}
            for row, value in enumerate(values):
                earlier = first.setdefault(value.casefold(), row)
                if value != values[earlier]:
                    message = f"differs only in case from line {table.lines[earlier]}"
                    yield table.fault(row, field["name"], message)


@rule("foreign-key", "correct the reference, or add the row that it names", stage="table")
def foreign_key(table: Table) -> Iterator[Fault]:
    """A reference names a row that there is, in this table or in another."""
    for key in table.resource.schema.get("foreignKeys", []):
        resource, fields = key["reference"]["resource"], key["reference"]["fields"]
        found = tables_of(table, (resource, fields))
        if not found:
            continue
        # Of a key with several parts, some may be empty.
        missing = set(filter(any, table.distinct(*key["fields"]) - found[0].distinct(*fields)))
        for row, value in enumerate(table.values(*key["fields"]) if missing else ()):
            if value in missing:
                parts = [value] if isinstance(value, str) else value
                message = f"{resource} has no {', '.join(fields)} {show(','.join(parts))}"
                yield table.fault(row, key["fields"][0], message)


@rule("copy-differs", "write the same value in both tables", stage="table")
def copy_differs(table: Table) -> Iterator[Fault]:
    """A value that stands in two tables for the reader's sake is the same in both."""
    for copy in table.resource.schema.get("sameAs", []):
        resource, fields = copy["reference"]["resource"], copy["reference"]["fields"]
        found = tables_of(table, (resource, fields))
        if not found:
            continue
        if table.distinct(*copy["fields"]) <= found[0].distinct(*fields):
            continue
        originals = {key: values for key, *values in found[0].values(*fields)}
        for row, (key, *values) in enumerate(table.values(*copy["fields"])):
            for name, mine, its in zip(
                copy["fields"][1:], values, originals.get(key, values), strict=True
            ):
                if mine != its:
                    yield table.fault(row, name, f"{show(mine)}, but {resource} has {show(its)}")


@rule("cycle", "remove one of the edges: a cause or a parent cannot be its own", stage="table")
def cycle(table: Table) -> Iterator[Fault]:
    """Hierarchies, the causal graph and chains of replacements have no cycle."""
    for edge in table.resource.schema.get("acyclic", []):
        graphs: dict[str, Graph] = {}
        edges = table.values(edge["from"], edge["to"])
        groups = table.values(edge["within"]) if "within" in edge else repeat("", table.rows)
        for row, (group, (start, end)) in enumerate(zip(groups, edges, strict=True)):
            if start and end:
                graphs.setdefault(group, {}).setdefault(start, []).append((end, row))
        for graph in graphs.values():
            for row, loop in _cycles(graph):
                yield table.fault(row, edge["to"], f"closes a cycle: {_short(loop)}")


def _cycles(graph: Graph) -> Iterator[tuple[int, list[str]]]:
    """The row of each edge that closes a cycle, and the nodes of the cycle."""
    done: set[str] = set()
    for root in graph:
        # Depth first without recursion: a chain may be as long as the table.
        path: dict[str, Iterator[tuple[str, int]]] = {root: iter(graph[root])}
        while path:
            node = next(reversed(path))
            for end, row in path[node]:
                if end in path:
                    names = list(path)
                    yield row, [*names[names.index(end) :], end]
                elif end not in done:
                    path[end] = iter(graph.get(end, ()))
                    break
            else:
                done.add(node)
                del path[node]
        done.add(root)


def _short(names: list[str]) -> str:
    """A cycle as text; of a long one only the beginning."""
    if len(names) > _LONG:
        return " > ".join([*names[:_LONG], f"... ({len(names) - 1:,} in all)"])
    return " > ".join(names)
