"""Rules on ids that were released: none is lost or used again, and a replacement can be found."""

from collections.abc import Iterator

from pipeline.issue import Fault, show
from pipeline.package import DESCRIPTOR, Package
from pipeline.package.table import Table
from pipeline.rules import rule


def ids(package: Package, name: str) -> set[str] | None:
    """The ids of a table: the values of a primary key of one column, or None without such a key.

    None also where the table is not there or could not be read whole.
    """
    table = package.tables.get(name)
    if not table or not table.complete or len(table.resource.primary_key) != 1:
        return None
    return table.distinct(*table.resource.primary_key)


def retired(package: Package) -> dict[tuple[str, str], str]:
    """By table and id, the replacement of every retired id; empty where there is none."""
    return {
        (resource, old): new
        for table in package.tables.values()
        for _, resource, old, new in _retired(table)
    }


def _retired(table: Table) -> Iterator[tuple[int, str, str, str]]:
    """(row, table, id, replacement) for every row of a table of retired ids."""
    names = table.resource.schema.get("retires")
    if names and table.complete:
        rows = table.values(*(names[key] for key in ("resource", "id", "replacement")))
        yield from ((row, *values) for row, values in enumerate(rows))


@rule("retired-resource", "name the table that the id was in", stage="table")
def retired_resource(table: Table) -> Iterator[Fault]:
    """A retired id names a table of this package whose rows have an id: a key of one column."""
    package = table.resource.package
    # What is declared but cannot be used has a fault of its own.
    broken = package.declared("name") - {resource.name for resource in package.resources}
    keys = {resource.name: resource.primary_key for resource in package.resources}
    for row, resource, _, _ in _retired(table):
        if resource not in broken and len(keys.get(resource, ())) != 1:
            message = f"there is no table {show(resource)} with a key of one column"
            yield table.fault(row, table.resource.schema["retires"]["resource"], message)


@rule("retired-in-use", "give the row in use another id: none is used twice", stage="table")
def retired_in_use(table: Table) -> Iterator[Fault]:
    """A retired id is not in use: nobody could tell the new row from the old one."""
    for row, resource, old, _ in _retired(table):
        if old in (ids(table.resource.package, resource) or ()):
            message = f"{resource} has a row {show(old)}"
            yield table.fault(row, table.resource.schema["retires"]["id"], message)


@rule("retired-replacement", "name an id of the same table, or leave the cell empty", stage="table")
def retired_replacement(table: Table) -> Iterator[Fault]:
    """The replacement of a retired id is an id of the same table, in use or retired itself."""
    package = table.resource.package
    gone = retired(package)
    for row, resource, _, new in _retired(table):
        known = ids(package, resource)
        if new and known is not None and new not in known and (resource, new) not in gone:
            message = f"{resource} has no {show(new)}, and none was retired"
            yield table.fault(row, table.resource.schema["retires"]["replacement"], message)


@rule("id-vanished", "bring the row back, or retire its id as CONTRIBUTING.md says", stage="since")
def id_vanished(package: Package, earlier: Package) -> Iterator[Fault]:
    """Every id of the earlier release is in its table or retired; what was retired stays so.

    A table that is gone as a whole, or whose key is no longer one column, is not looked at.
    """
    places = [resource for resource in package.resources if "retires" in resource.schema]
    read = [package.tables.get(resource.name) for resource in places]
    if len(package.resources) != len(package.specs) or not all(t and t.complete for t in read):
        return  # what could not be read is no proof of a loss
    now, before = retired(package), retired(earlier)
    release = f"was released in {show(str(earlier.descriptor.get('version')))}"
    for resource in package.resources:
        name = resource.name
        current, known = (ids(each, name) for each in (package, earlier))
        if current is None:
            continue
        for old in sorted((known or set()) - current):
            if (name, old) not in now:
                message = f"{show(old)} {release} and is neither here nor retired"
                yield Fault(resource.path, 1, resource.primary_key[0], message)
    path = places[0].path if places else DESCRIPTOR
    for name, old in sorted(before.keys() - now.keys()):
        if ids(package, name) is not None:
            message = f"{show(old)} of {name} was retired before and no longer is"
            yield Fault(path, 1, "", message)
