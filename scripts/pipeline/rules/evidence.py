"""Rules on evidence: every fact rests on something, and figures agree with their counts."""

import re
from collections.abc import Iterator

from pipeline.issue import Fault, show
from pipeline.package import Resource
from pipeline.package.field_types import is_integer, is_number
from pipeline.package.table import Table
from pipeline.rules import table_rule, tables_of

_DERIVATION = re.compile(
    r"(?P<count>\d{1,18})/(?P<total>\d{1,18})|100 - (?P<rest>\d{1,18}(\.\d{1,18})?)", re.ASCII
)


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
            used |= other.distinct(column["field"])
        words = " or ".join(f"{column['resource']}.{column['field']}" for column in columns)
        unused = table.distinct(field["name"]) - used
        for row, value in enumerate(table.values(field["name"]) if unused else ()):
            if value in unused:
                yield table.fault(row, field["name"], f"{show(value)} occurs nowhere in {words}")


@table_rule("cell-without-evidence", "name the cell in statements.field, or empty it")
def cell_without_evidence(resource: Resource) -> Iterator[Fault]:
    """Every filled cell of a field that needs evidence is named by a statement on its row."""
    table = resource.table
    fields = [field["name"] for field in resource.fields if field.get("evidence")]
    backed = _named_cells(resource) if fields else None
    if backed is None or not resource.primary_key:
        return
    key_field = resource.primary_key[0]
    if table.filled_cells(key_field, fields) <= backed:
        return
    for row, (key, *values) in enumerate(table.values(key_field, *fields)):
        for name, value in zip(fields, values, strict=True):
            if value and (key, name) not in backed:
                yield table.fault(row, name, f"no statement backs this cell of {show(key)}")


def _named_cells(resource: Resource) -> set[tuple[str, str]] | None:
    """The cells (key, field) of a table that tables name; None where one cannot be read."""
    package = resource.package
    if len(package.resources) != len(package.specs):
        return None
    cells: set[tuple[str, str]] = set()
    for other in package.resources:
        for field in other.fields:
            target = field.get("namesCellsOf")
            if not target or target["resource"] != resource.name:
                continue
            found = tables_of(resource, (other.name, [field["name"], target["by"]]))
            if not found:
                return None
            cells |= _cells_named_by(found[0], field)
    return cells


def _cells_named_by(table: Table, field: dict) -> set[tuple[str, str]]:
    """The cells (key, field) of another table that the values of a field name."""
    pairs = table.distinct(field["name"], field["namesCellsOf"]["by"])
    return {(key, name) for names, key in pairs for name in names.split("; ") if name}


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
        filled = found[0].filled_cells(target["field"], found[0].names)
        unknown = _cells_named_by(table, field) - filled
        rows = table.values(field["name"], target["by"]) if unknown else ()
        for row, (names, key) in enumerate(rows):
            for name in filter(None, names.split("; ")):
                if (key, name) in unknown:
                    message = f"{target['resource']} has no filled cell {show(key)}, {show(name)}"
                    yield table.fault(row, field["name"], message)


@table_rule("count-exceeds-total", "check both counts in the paper")
def count_exceeds_total(resource: Resource) -> Iterator[Fault]:
    """A count is not larger than its total."""
    table = resource.table
    for field in resource.fields:
        if total := field.get("countOf"):
            for row, (n, of) in enumerate(table.values(field["name"], total)):
                if _both(n, of) and int(n) > int(of):
                    yield table.fault(row, field["name"], f"{n} events, but {of} in total")


def _both(*counts: str) -> bool:
    return all(map(is_integer, counts))


@table_rule("percentage-disagrees", "check figure and counts in the paper")
def percentage_disagrees(resource: Resource) -> Iterator[Fault]:
    """A percentage is its count divided by its total, to the decimals that it gives."""
    table = resource.table
    for field in resource.fields:
        if share := field.get("percentageOf"):
            when = share["when"]
            names = (field["name"], share["count"], share["total"], *when)
            for row, (value, n, total, *given) in enumerate(table.values(*names)):
                if any(its not in wanted for its, wanted in zip(given, when.values(), strict=True)):
                    continue
                if not is_number(value) or not _both(n, total) or int(n) > int(total):
                    continue  # a rule of its own
                if what := _no_share(value, int(n), int(total)):
                    yield table.fault(row, field["name"], f"{value}, but {n} of {total} is {what}")


def _no_share(value: str, n: int, total: int) -> str:
    """What a percentage should be that is none of its counts, or nothing."""
    if total == 0:
        return "no percentage"
    exact = 100 * n / total
    return f"{exact:.4g}%" if _differs(value, exact) else ""


def _differs(value: str, exact: float) -> bool:
    """Whether a decimal text is not the rounding of a number to as many decimals."""
    decimals = len(value.partition(".")[2])
    return abs(float(value) - exact) > 0.5 * 10**-decimals + 1e-9


@table_rule("derivation-disagrees", "correct the arithmetic, or the figure")
def derivation_disagrees(resource: Resource) -> Iterator[Fault]:
    """A derivation gives the figure, and a quotient divides the counts of its row."""
    table = resource.table
    for field in resource.fields:
        if "derives" in field:
            share = resource.field(field["derives"]).get("percentageOf")
            counts = (share["count"], share["total"]) if share else ()
            rows = table.values(field["name"], field["derives"], *counts)
            for row, (derivation, value, *given) in enumerate(rows):
                if what := _arithmetic(derivation, value, tuple(given)):
                    yield table.fault(row, field["name"], what)


def _arithmetic(derivation: str, value: str, counts: tuple[str, ...]) -> str | None:
    """What is wrong with a derivation of a value, given the counts of the row."""
    match = _DERIVATION.fullmatch(derivation)
    if not match or not is_number(value):
        return None
    if match["rest"]:
        exact = 100 - float(match["rest"])
    elif int(match["total"]) == 0:
        return "divides by zero"
    else:
        exact = 100 * int(match["count"]) / int(match["total"])
        if counts and counts != (match["count"], match["total"]):
            return f"{derivation}, but the counts are {' of '.join(counts)}"
    return f"{derivation} gives {exact:.4g}, not {value}" if _differs(value, exact) else None


@table_rule("interval-order", "check the bounds in the paper")
def interval_order(resource: Resource) -> Iterator[Fault]:
    """A value lies between the bounds of its interval."""
    table = resource.table
    for names in resource.schema.get("ascending", []):
        for row, values in enumerate(table.values(*names)):
            given = [value for value in values if is_number(value)]
            if given != sorted(given, key=float):
                message = f"{', '.join(names)} do not ascend: {', '.join(given)}"
                yield table.fault(row, names[0], message)
