"""What changed between two versions of a package; steps.py says which version step that needs.

Tables and columns are found again by name, rows by their primary key. The order of tables, of
columns and of rows says nothing, and neither do the statistics in the descriptor, the version and
the day of the release.
"""

from collections.abc import Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from pipeline import versions
from pipeline.comparison import steps
from pipeline.issue import CannotRun
from pipeline.package import Package, Resource

# Of a table that both versions have, these are not compared as they stand: fields and rows are
# compared one by one, and the statistics follow from them.
APART = {"name", "schema", "fields", "bytes", "hash", "rows"}
# The labels of a release itself, and what is compared table by table.
LABELS = {"version", "created", "resources"}


class Change(NamedTuple):
    """One thing that changed.

    `table`, `key` (the texts of the primary key of a row by column), `column` and `property` say
    where, as far as they apply. `old` and `new` are texts of a cell, records of texts of a row,
    numbers of rows of a table, lists of columns, or JSON values of a property; None where there is
    nothing. `retired` says of a removed id whether it was retired, `replacement` by which other.
    """

    step: str
    kind: str
    table: str | None = None
    key: dict[str, str] | None = None
    column: str | None = None
    property: str | None = None
    old: Any = None
    new: Any = None
    retired: bool | None = None
    replacement: str | None = None


class Comparison:
    """The changes between two versions of a package in a stable order, and what they ask for.

    Raises CannotRun where one of them has no semantic version.
    """

    def __init__(self, old: Package, new: Package):
        for which, package in (("old", old), ("new", new)):
            if not versions.is_version(package.descriptor.get("version")):
                raise CannotRun(
                    f"the {which} {package.document.path} gives no semantic version; "
                    "validate and repair it first"
                )
        self.old = old.descriptor
        self.new = new.descriptor
        self.changes = list(changes(old, new))
        asked = {change.step for change in self.changes}
        self.step = max(asked, key=versions.STEPS.index, default="none")
        before, after = self.old["version"], self.new["version"]
        self.smallest = versions.smallest(before, self.step)
        self.is_enough = versions.is_enough(before, after, self.step)


def changes(old: Package, new: Package) -> Iterator[Change]:
    """Every change between two packages whose tables can be read whole."""
    for name, before, after in _differing(old.descriptor, new.descriptor, LABELS):
        step = steps.PACKAGE.get(name, steps.prose)(before, after)
        yield Change(step, "package-changed", property=name, old=before, new=after)
    mine = {resource.name: resource for resource in old.resources}
    its = {resource.name: resource for resource in new.resources}
    gone = new.retired()
    for name in sorted(mine.keys() | its.keys()):
        if name not in its:
            yield Change("major", "table-removed", name, old=old.tables[name].rows)
        elif name not in mine:
            yield Change("minor", "table-added", name, new=new.tables[name].rows)
        else:
            yield from _changes_of_table(mine[name], its[name])
            yield from _changes_of_columns(mine[name], its[name])
            yield from _changes_of_rows(mine[name], its[name], gone)


def _changes_of_table(old: Resource, new: Resource) -> Iterator[Change]:
    said: dict[str, Change] = {}
    for mine, its, known, other in (
        (old.spec, new.spec, steps.RESOURCE, steps.prose),
        (old.schema, new.schema, steps.SCHEMA, steps.unproven),
    ):
        for name, before, after in _differing(mine, its, APART):
            step = known.get(name, other)(before, after)
            change = Change(step, "table-changed", new.name, property=name, old=before, new=after)
            # Descriptor and schema may both give title and description.
            if said.get(name) != change:
                said[name] = change
                yield change


def _changes_of_columns(old: Resource, new: Resource) -> Iterator[Change]:
    for name in old.names:
        if name not in new.places:
            yield Change("major", "column-removed", new.name, column=name)
    for name in new.names:
        if name not in old.places:
            yield Change("minor", "column-added", new.name, column=name)
    before = [name for name in old.names if name in new.places]
    after = [name for name in new.names if name in old.places]
    if before != after:
        yield Change("patch", "columns-reordered", new.name, old=before, new=after)
    for column in after:
        fields = old.field(column), new.field(column)
        mine, its = map(_flat, fields, _relabeled(*fields))
        for name, was, now in _differing(mine, its, {"name"}):
            step = steps.SCHEMA.get(name, steps.unproven)(was, now)
            change = Change(step, "column-changed", new.name, old=was, new=now)
            yield change._replace(column=column, property=name)


def _flat(field: dict[str, Any], labels: dict[str, Any]) -> dict[str, Any]:
    """The properties of a field with its constraints among them, and with these labels."""
    return {**field, **field.get("constraints", {}), "categories": labels, "constraints": None}


def _relabeled(*fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """For each field the labels that differ; which values there are says the enum."""
    labels = [
        {each["value"]: each.get("label") for each in field.get("categories", [])}
        for field in fields
    ]
    both = {value for value in labels[0] if labels[0][value] != labels[1].get(value, ...)}
    both &= labels[1].keys()
    return ({value: mapping[value] for value in sorted(both)} for mapping in labels)


def _changes_of_rows(
    old: Resource, new: Resource, gone: dict[tuple[str, str], str]
) -> Iterator[Change]:
    tables = [each.package.tables[each.name] for each in (old, new)]
    if old.primary_key != new.primary_key:
        return  # nothing tells which row was which; the other key is a change of its own
    if tables[0].sha256 == tables[1].sha256 and old.names == new.names:
        return
    mine, its = _rows(old), _rows(new)

    def named(key: tuple[str, ...]) -> dict[str, str]:
        return dict(zip(new.primary_key, key, strict=True))

    for key in sorted(mine.keys() - its.keys(), key=new.in_order):
        record = dict(zip(old.names, mine[key], strict=True))
        became: dict[str, Any] = {}
        if len(key) == 1:
            replacement = gone.get((new.name, key[0]))
            became = {"retired": replacement is not None, "replacement": replacement or None}
        yield Change("major", "row-removed", new.name, named(key), old=record, **became)
    for key in sorted(its.keys() - mine.keys(), key=new.in_order):
        record = dict(zip(new.names, its[key], strict=True))
        yield Change("minor", "row-added", new.name, named(key), new=record)
    shared = [name for name in new.names if name in old.places]
    places = [(name, old.places[name], new.places[name]) for name in shared]
    was, now = itemgetter(*(p[1] for p in places)), itemgetter(*(p[2] for p in places))
    changed = [key for key in its if key in mine and was(mine[key]) != now(its[key])]
    for key in sorted(changed, key=new.in_order):
        for name, left, right in places:
            before, after = mine[key][left], its[key][right]
            if before != after:
                change = Change("patch", "cell-changed", new.name, old=before, new=after)
                yield change._replace(key=named(key), column=name)


def _rows(resource: Resource) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The rows of a table by primary key."""
    keys = resource.table.tuples(*resource.primary_key)
    return dict(zip(keys, resource.table.tuples(*resource.names), strict=True))


def _differing(
    old: dict[str, Any], new: dict[str, Any], apart: set[str]
) -> Iterator[tuple[str, Any, Any]]:
    """(name, old, new) of every property that differs, by name; None where there is none."""
    for name in sorted((old.keys() | new.keys()) - apart):
        before, after = old.get(name), new.get(name)
        if before != after and not (steps.unsaid(before) and steps.unsaid(after)):
            yield name, before, after
