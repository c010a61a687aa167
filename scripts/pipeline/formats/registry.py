"""Which formats there are, and the one place that writes them.

What may be replaced in a folder, progress, zips and manifest follow from the two tuples.
"""

import importlib
from collections.abc import Callable, Iterable

from pipeline import cli
from pipeline.folders import Target
from pipeline.formats import (
    Format,
    bibliography,
    content,
    csv_package,
    dataset_card,
    json_records,
    kgx,
    nested,
    page,
    parquet,
    sqlite,
    sssom,
)
from pipeline.issue import CannotRun
from pipeline.package import DESCRIPTOR, Package

# What an export has, and what a release has beyond that. Each folder becomes a zip of a release.
EXPORT: tuple[Format, ...] = (csv_package, json_records, nested, parquet, page)
RELEASE: tuple[Format, ...] = (sqlite, bibliography, sssom, kgx, dataset_card)


def write(package: Package, folder: str) -> None:
    """Export a valid package into a folder, replacing an earlier export that is there.

    Raises CannotRun where the folder holds anything else, a file of the package is no longer what
    was judged, or an artifact breaks its JSON Schema.
    """
    with target(package, folder) as new:
        write_each(EXPORT, package, new)


def target(package: Package, folder: str) -> Target:
    """The folder to export to. Raises CannotRun where it holds anything but an earlier export."""
    return Target(folder, package.root, _is_export)


def _is_export(paths: set[str]) -> bool:
    owned = (any(each.OWNS.fullmatch(path) for each in EXPORT) for path in paths)
    return f"{csv_package.FOLDER}/{DESCRIPTOR}" in paths and all(owned)


def write_each(
    chosen: Iterable[Format],
    package: Package,
    folder: str,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Write those of the formats for which the package has the tables.

    Raises CannotRun where such a table lacks a field.
    """
    for each in chosen:
        name = each.__name__.rpartition(".")[2]
        if not each.NEEDS.keys() <= {resource.name for resource in package.resources}:
            continue
        for table, fields in each.NEEDS.items():
            resource = content.table_of(package, table)
            if missing := sorted({*fields} - {*resource.names}):
                path = resource.document.path
                raise CannotRun(f"{path} has no field {missing[0]}, which the format {name} needs")
        say(f"writing {name}")
        each.write(package, folder)


def load() -> None:
    """Import the libraries of an export, for which there is time while others are waited for."""
    if why := cli.short_memory():
        raise CannotRun(why)
    for each in EXPORT:
        for module in each.LIBRARIES.values():
            importlib.import_module(module)
