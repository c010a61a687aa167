"""Rules on ids that were released: none is lost or used again, and a replacement can be found."""

from collections.abc import Iterator

from pipeline.issue import Fault, show
from pipeline.package import DESCRIPTOR, Package, Resource
from pipeline.rules import package_rule, release_rule, table_rule


@table_rule("retired-resource", "name the table that the id was in")
def retired_resource(resource: Resource) -> Iterator[Fault]:
    """A retired id names a table of this package whose rows have an id: a key of one column."""
    table = resource.table
    package = resource.package
    for row, name, _, _ in resource.retired():
        other = package.resource(name)
        # What is declared but cannot be used has a fault of its own.
        if len(other.primary_key) != 1 if other else name not in package.declared("name"):
            message = f"there is no table {show(name)} with a key of one column"
            yield table.fault(row, resource.schema["retires"]["resource"], message)


@table_rule("retired-in-use", "give the row in use another id: none is used twice")
def retired_in_use(resource: Resource) -> Iterator[Fault]:
    """A retired id is not in use: nobody could tell the new row from the old one."""
    table = resource.table
    for row, name, old, _ in resource.retired():
        if old in (resource.package.ids(name) or ()):
            message = f"{name} has a row {show(old)}"
            yield table.fault(row, resource.schema["retires"]["id"], message)


@package_rule("retired-replacement", "name an id of the same table, or leave the cell empty")
def retired_replacement(package: Package) -> Iterator[Fault]:
    """The replacement of a retired id is an id of the same table, in use or retired itself."""
    gone = package.retired()
    for resource in package.resources:
        for row, name, _, new in resource.retired():
            known = package.ids(name)
            if new and known is not None and new not in known and (name, new) not in gone:
                message = f"{name} has no {show(new)}, and none was retired"
                column = resource.schema["retires"]["replacement"]
                yield resource.table.fault(row, column, message)


@release_rule("id-vanished", "bring the row back, or retire its id as CONTRIBUTING.md says")
def id_vanished(package: Package, earlier: Package) -> Iterator[Fault]:
    """Every id of the earlier release is in its table or retired; what was retired stays so.

    A table that is gone as a whole, or whose key is no longer one column, is not looked at.
    """
    places = [resource for resource in package.resources if "retires" in resource.schema]
    read = all(resource.is_read and resource.table.complete for resource in places)
    if len(package.resources) != len(package.specs) or not read:
        return  # what could not be read is no proof of a loss
    now, before = package.retired(), earlier.retired()
    release = f"was released in {show(str(earlier.descriptor.get('version')))}"
    for resource in package.resources:
        name = resource.name
        current, known = (each.ids(name) for each in (package, earlier))
        if current is None:
            continue
        for old in sorted((known or set()) - current):
            if (name, old) not in now:
                message = f"{show(old)} {release} and is neither here nor retired"
                yield Fault(resource.path, 1, resource.primary_key[0], message)
    path = places[0].path if places else DESCRIPTOR
    for name, old in sorted(before.keys() - now.keys()):
        if package.ids(name) is not None:
            message = f"{show(old)} of {name} was retired before and no longer is"
            yield Fault(path, 1, "", message)
