"""Rules that hold for any table: types, constraints, keys and references, all from the schema."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import filterfalse, repeat

from fault import Fault, show
from package import Resource
from reader import Check, Table, Values
from rules import rule, tables_of

Test = Callable[[str], str | bool | None]
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
# A path of more edges than this is followed edge by edge.
_MAX_STEPS = 100

# Types whose values have no minimum and no maximum.
UNORDERED = ("string", "boolean")


def constraint_tests(field: dict) -> Iterator[Test]:
    """The tests that a value of this field has to pass, type first."""
    for make in (_type_test, _required_test, _enum_test, _pattern_test, _range_test, _length_test):
        if test := make(field):
            yield test


def _type_test(field: dict) -> Test | None:
    if field["type"] == "string" or field["type"] not in TYPES:
        return None
    fits, _, words = TYPES[field["type"]]
    return lambda v: v != "" and not fits(v) and f"{show(v)} is not {words}"


def _required_test(field: dict) -> Test | None:
    required = field.get("constraints", {}).get("required")
    return _empty if required else None


def _empty(value: str) -> str | None:
    return "the cell is empty" if value == "" else None


def _enum_test(field: dict) -> Test | None:
    allowed = field.get("constraints", {}).get("enum")
    if allowed is None:
        return None
    known = {"", *allowed}
    return lambda v: (
        v not in known and f"{show(v)} is none of {', '.join(allowed)}{_near(v, allowed)}"
    )


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


def _pattern_test(field: dict) -> Test | None:
    pattern = field.get("constraints", {}).get("pattern")
    if pattern is None:
        return None
    expression = compiled(pattern)
    if expression is None:
        return None  # the rule pattern-unanchored says so
    matches = expression.fullmatch
    return lambda v: v != "" and not matches(v) and f"{show(v)} does not match {pattern}"


def _range_test(field: dict) -> Test | None:
    constraints = field.get("constraints", {})
    if field["type"] not in TYPES or not constraints.keys() & {"minimum", "maximum"}:
        return None
    fits, order, _ = TYPES[field["type"]]
    low, high = (str(constraints.get(key, "")) for key in ("minimum", "maximum"))
    if not all(bound == "" or fits(bound) for bound in (low, high)):
        return None  # the rule bound-invalid says so

    def test(value: str) -> str | None:
        if value and fits(value):
            if low and order(value) < order(low):
                return f"{show(value)} is less than {low}"
            if high and order(value) > order(high):
                return f"{show(value)} is more than {high}"
        return None

    return test


def _length_test(field: dict) -> Test | None:
    constraints = field.get("constraints", {})
    if not constraints.keys() & {"minLength", "maxLength"}:
        return None
    low, high = constraints.get("minLength", 0), constraints.get("maxLength", float("inf"))
    return lambda v: v != "" and not low <= len(v) <= high and f"{show(v)} has {len(v)} characters"


def _checks(
    resource: Resource,
    make: Callable[[dict], Test | None],
    suspects: Callable[[dict, Values], Collection[str]] = lambda _field, values: values.texts,
) -> Iterator[Check]:
    for field in resource.fields:
        if test := make(field):
            yield Check((field["name"],), test, field["name"], partial(suspects, field))


@rule("type", "write the value in the form of the field's type", stage="row")
def type_(resource: Resource) -> Iterator[Check]:
    """Every value has the type of its field, written in one plain way."""
    yield from _checks(resource, _type_test, _misfits)


def _misfits(field: dict, values: Values) -> list[str]:
    return list(filterfalse(TYPES[field["type"]][0], values.texts))


@rule("required", "fill the cell", stage="row")
def required(resource: Resource) -> Iterator[Check]:
    """A required cell is not empty."""
    yield from _checks(resource, _required_test, lambda _, values: values.texts & {""})


@rule("enum", "use one of the listed values, or add this one to enum and categories", stage="row")
def enum(resource: Resource) -> Iterator[Check]:
    """A value of a field with an enum is one of its values."""
    yield from _checks(resource, _enum_test, _unlisted)


def _unlisted(field: dict, values: Values) -> set[str]:
    return values.texts.difference(field["constraints"]["enum"])


@rule("pattern", "write the value in the form that the schema describes", stage="row")
def pattern(resource: Resource) -> Iterator[Check]:
    """A value of a field with a pattern matches all of it."""
    yield from _checks(resource, _pattern_test, _mismatches)


def _mismatches(field: dict, values: Values) -> list[str]:
    return list(filterfalse(compiled(field["constraints"]["pattern"]).fullmatch, values.texts))


@rule("range", "check the figure; the schema gives its bounds", stage="row")
def range_(resource: Resource) -> Iterator[Check]:
    """A value lies within the minimum and maximum of its field."""
    yield from _checks(resource, _range_test)


@rule("length", "shorten or lengthen the text to the bounds in the schema", stage="row")
def length(resource: Resource) -> Iterator[Check]:
    """A text is as long as the field allows."""
    yield from _checks(resource, _length_test)


@rule("missing-companion", "fill the other cell too, or empty this one", stage="row")
def missing_companion(resource: Resource) -> Iterator[Check]:
    """A filled cell has its companions: a comparator a value, a stance a statement."""
    for field in resource.fields:
        for other in field.get("requires", []):
            yield Check(
                (field["name"], other),
                lambda mine, its, other=other: (
                    mine != "" and its == "" and f"the cell is filled, but {other} is empty"
                ),
                field["name"],
            )


@rule("conditional-cell", "fill or empty the cell as the other one demands", stage="row")
def conditional_cell(resource: Resource) -> Iterator[Check]:
    """A cell is empty exactly when another says so.

    There is no citation where the page cites none, and no value where the measure has none.
    """
    for field in resource.fields:
        for other, values in field.get("emptyExactlyWhen", {}).items():

            def test(mine: str, its: str, other: str = other, values: list = values) -> str | None:
                if (mine == "") == (its in values):
                    return None
                state = "empty" if mine == "" else "filled"
                return f"the cell is {state}, but {other} is {show(its)}"

            yield Check((field["name"], other), test, field["name"])


def _duplicates(
    table: Table, names: Sequence[str], hollow: bool = False
) -> Iterator[tuple[int, int, str | tuple]]:
    """(row, earlier row with the same value, value) for every row that is there twice.

    What is only empty twice is looked for where the key is hollow.
    """
    if not hollow and not table.repeats(*names):
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
    hollow = [name for name in names if table.lacks(name)]
    for name in hollow:
        for row, value in enumerate(table.values(name)):
            if value == "":
                yield table.fault(row, name, "a part of the primary key is empty")
    for row, earlier, _ in _duplicates(table, names, bool(hollow)):
        message = f"the primary key is that of line {table.line(earlier)}"
        yield table.fault(row, names[0], message)


@rule("unique", "change one of the two values, or delete the copy", stage="table")
def unique(table: Table) -> Iterator[Fault]:
    """No two rows have the same value in a unique field or the same values in a unique key."""
    resource = table.resource
    for names in resource.unique() - {tuple(resource.primary_key)}:
        for row, earlier, value in _duplicates(table, names):
            if value and all(value):  # a text, or a key with no part empty
                message = f"the value is that of line {table.line(earlier)}"
                yield table.fault(row, names[0], message)


@rule(
    "duplicate-name", "use one spelling, or two names that differ in more than case", stage="table"
)
def duplicate_name(table: Table) -> Iterator[Fault]:
    """No two values of a unique text differ only in upper and lower case."""
    for field in table.resource.fields:
        if field["type"] == "string" and field.get("constraints", {}).get("unique"):
            if not table.repeats(field["name"]):
                continue
            values = table.values(field["name"])
            first: dict[str, int] = {}
            for row, value in enumerate(values):
                earlier = first.setdefault(value.casefold(), row)
                if value != values[earlier]:
                    message = f"differs only in case from line {table.line(earlier)}"
                    yield table.fault(row, field["name"], message)


@rule("foreign-key", "correct the reference, or add the row that it names", stage="tables")
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


@rule("copy-differs", "write the same value in both tables", stage="tables")
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
        if _ends(table.distinct(edge["from"], edge["to"])):
            continue
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


def _ends(edges: set[tuple[str, str]]) -> bool:
    """Whether every path along the edges ends after some steps; fast, may say no."""
    for _ in range(_MAX_STEPS):
        starts = {start for start, _ in edges}
        edges = {(start, end) for start, end in edges if end in starts and end}
        if not edges:
            return True
    return False


def _short(names: list[str]) -> str:
    """A cycle as text; of a long one only the beginning."""
    if len(names) > _LONG:
        return " > ".join([*names[:_LONG], f"... ({len(names) - 1:,} in all)"])
    return " > ".join(names)
