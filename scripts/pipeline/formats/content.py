"""What formats write: the tables of a package, and the views, which are written like tables."""

from pipeline.evidence import claims
from pipeline.package import Package, Resource
from pipeline.package.typed import Record, TypedTable


def records(package: Package, name: str) -> list[Record]:
    """The rows of a table that was read and found valid. Raises LookupError where there is none."""
    return table_of(package, name).typed.records()


def tables(package: Package) -> list[TypedTable]:
    """The tables in their order, and the views that are made from them."""
    return [*(each.typed for each in package.resources), *claims.views(package)]


def table_of(package: Package, name: str) -> Resource:
    """The table with this name. Raises LookupError where there is none."""
    if found := package.resource(name):
        return found
    raise LookupError(f"there is no table {name}")
