"""Rules on evidence: every fact rests on something."""

from collections.abc import Iterator
from itertools import filterfalse
from typing import Any

from pipeline.issue import Fault, show
from pipeline.package import Package, Resource
from pipeline.package.table import Table
from pipeline.rules import release_rule, table_rule, tables_of


@table_rule("unused-row", "refer to the row where it belongs, or delete it")
def unused_row(resource: Resource) -> Iterator[Fault]:
    """A row that is there to be referred to is: a passage, a paper, a condition, a region.

    And every clinical feature rests on a statement, a finding or an edge.
    """
    table = resource.table
    for field in resource.fields:
        columns = field.get("referencedBy", [])
        found = tables_of(resource, *((c["resource"], [c["field"]]) for c in columns))
        if not columns or not found or not all(other.rows for other in found):
            continue
        used: set[str] = set()
        for other, column in zip(found, columns, strict=True):
            used.update(other.each(column["field"]))
        words = " or ".join(f"{column['resource']}.{column['field']}" for column in columns)
        unused = filterfalse(used.__contains__, table.each(field["name"]))
        wrong = {value: f"{show(value)} occurs nowhere in {words}" for value in unused}
        yield from table.faults(field["name"], wrong)


@table_rule("unknown-cell", "name fields of the table that are filled in the row")
def unknown_cell(resource: Resource) -> Iterator[Fault]:
    """A statement names only cells that there are and that are filled."""
    table = resource.table
    for field in resource.fields:
        target = field.get("namesCellsOf")
        if not target:
            continue
        found = tables_of(resource, (target["resource"], [target["field"]]))
        if not found:
            continue
        named = _cells_named_by(table, field)
        known = {name for _, name in named}.intersection(found[0].names)
        unknown = named - found[0].filled_cells(target["field"], list(known))
        keys = found[0].distinct(target["field"]) if unknown else set()
        rows = table.values(field["name"], target["by"]) if unknown else ()
        for row, (names, key) in enumerate(rows):
            for name in filter(None, names.split("; ")):
                if (key, name) in unknown:
                    message = f"{target['resource']} has no filled cell {show(key)}, {show(name)}"
                    fault = table.fault(row, field["name"], message, target["by"])
                    yield fault if key in keys else fault._replace(about=("id", key))


@table_rule("cell-without-evidence", "name the cell in the table that names cells, or empty it")
def cell_without_evidence(resource: Resource) -> Iterator[Fault]:
    """Every filled cell of a field that needs evidence is named by a statement on its row."""
    table = resource.table
    fields = [field["name"] for field in resource.fields if field.get("evidence")]
    sources = resource.package.naming.get(resource.name, [])
    backed = _named_cells(resource, sources) if fields else None
    if backed is None or not resource.primary_key:
        return
    words = " or ".join(dict.fromkeys(other.name for other, _ in sources)) or "any table"
    key_field = resource.primary_key[0]
    if table.filled_cells(key_field, fields) <= backed:
        return
    for row, (key, *values) in enumerate(table.values(key_field, *fields)):
        for name, value in zip(fields, values, strict=True):
            if value and (key, name) not in backed:
                message = f"no row of {words} names this cell of {show(key)}"
                fault = table.fault(row, name, message, key_field)
                yield fault._replace(about=("evidence", resource.name))


def _named_cells(
    resource: Resource, sources: list[tuple[Resource, dict[str, Any]]]
) -> set[tuple[str, str]] | None:
    """The cells (key, field) of a table that others name; None where one cannot be read."""
    package = resource.package
    references = (each for resource in package.resources for each in resource.references)
    if len(package.resources) != len(package.specs) or not all(
        package.resource(each.resource) for each in references
    ):
        return None  # what is not there may name them
    cells: set[tuple[str, str]] = set()
    for other, field in sources:
        found = tables_of(resource, (other.name, [field["name"], field["namesCellsOf"]["by"]]))
        if not found:
            return None
        cells |= _cells_named_by(found[0], field)
    return cells


def _cells_named_by(table: Table, field: dict[str, Any]) -> set[tuple[str, str]]:
    """The cells (key, field) of another table that the values of a field name."""
    pairs = table.distinct(field["name"], field["namesCellsOf"]["by"])
    return {(key, name) for names, key in pairs for name in names.split("; ") if name}


@release_rule(
    "new-finding",
    "let a second person read it in the paper; scripts/papers.py check looks for its figures",
    note=True,
)
def new_finding(package: Package, earlier: Package) -> Iterator[Fault]:
    """A row that is new since the earlier release says whether its paper was read twice."""
    since = f"is new since {show(str(earlier.descriptor.get('version')))}"
    for resource in package.resources:
        before = earlier.resource(resource.name)
        keys = resource.primary_key
        if before is None or before.primary_key != keys or not resource.is_read:
            continue
        known = set(before.table.tuples(*keys))
        for field in resource.fields:
            if of := field.get("readingsOf"):
                rows = zip(
                    resource.table.tuples(*keys),
                    resource.table.tuples(of, field["name"]),
                    strict=True,
                )
                for row, (key, (paper, readings)) in enumerate(rows):
                    if key not in known:
                        times = "once" if readings == "1" else f"{readings} times"
                        message = f"{' '.join(key)} {since}; {paper} was read {times} for it"
                        yield resource.table.fault(row, field["name"], message)
