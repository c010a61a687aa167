"""Zips that are the same byte for byte whenever they are built, and the list of what there is."""

import os
import platform
import re
import shutil
import zipfile
import zlib
from importlib.metadata import version
from typing import Any

from pipeline import files
from pipeline.formats import content, croissant, csv_package, dataset_card, metadata, page
from pipeline.formats.registry import EXPORT, RELEASE
from pipeline.issue import CannotRun
from pipeline.package import Package

MANIFEST = "manifest.json"
_CSV_ZIP = re.compile(r"[a-z0-9._-]+-[0-9]+\.[0-9]+\.[0-9]+.*-csv\.zip")
_CHUNK = 1 << 20
# The name and the path of each file of a zip.
Members = dict[str, str]


def write(package: Package, made: str, beside: str, folder: str) -> None:
    """Make a release of the files of all formats, which are below `made`.

    A folder there becomes a zip; what is in none stands beside the zips, the page under the name of
    the package. All of it and the files in the folder `beside`, which each zip has, are in the zip
    with everything, which has the package of the CSV on its top, and alone the card.
    """
    zips: dict[str, Members] = {}
    shared, everything = tree(beside), tree(beside)
    for name in sorted(os.listdir(made)):
        path = os.path.join(made, name)
        if os.path.isdir(path):
            members = tree(path)
            if name != dataset_card.FOLDER:
                zips[metadata.zip_name(package, name)] = _together(shared, members)
            # The zip with everything is a package too: its descriptor is not in a folder.
            place = "" if name in (csv_package.FOLDER, dataset_card.FOLDER) else f"{name}/"
            everything = _together(everything, {f"{place}{m}": p for m, p in members.items()})
        else:
            alone = f"{package.descriptor['name']}.html" if name == page.NAME else name
            shutil.copyfile(path, os.path.join(folder, alone))
            everything = _together(everything, {name: path})
    zips[metadata.zip_name(package)] = everything
    for name, members in zips.items():
        write_zip(os.path.join(folder, name), members, package.descriptor["created"])
    croissant.write(package, folder)
    _write_manifest(package, zips, made, folder)


def tree(folder: str) -> Members:
    """Every file below a folder: its path inside, with `/`, and its path."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder).replace(os.sep, "/")] = path
    return found


def _together(some: Members, others: Members) -> Members:
    """All of the files. Raises CannotRun where one would take the place of another."""
    if twice := sorted(some.keys() & others.keys()):
        raise CannotRun(f"a release has its own {twice[0]}; give that of the package a new path")
    return some | others


def write_zip(path: str, members: Members, day: str) -> None:
    """Write files under their names, all dated on a day (ISO 8601)."""
    year, month, date = (int(part) for part in day[:10].split("-"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, source in sorted(members.items()):
            # The oldest and the latest year that a zip can name.
            named = min(max(year, 1980), 2107)
            member = zipfile.ZipInfo(name, (named, month, date, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o100644 << 16
            member.create_system = 3  # Unix, wherever it is built
            file = files.opened(*os.path.split(source))
            with file, archive.open(member, "w") as entry:
                shutil.copyfileobj(file, entry, _CHUNK)


def _write_manifest(package: Package, zips: dict[str, Members], made: str, folder: str) -> None:
    """Write manifest.json: every file of the release with its bytes, hash, rows and columns.

    schemas/reports/manifest.schema.json describes what is written.
    """
    import sqlite3

    tables = [
        {"name": each.name, "rows": each.table.rows, "columns": len(each.fields)}
        for each in package.resources
    ]
    sizes = {
        each.name: {"rows": each.size, "columns": len(each.names)}
        for each in content.tables(package)
    }

    def entry(name: str, path: str) -> dict[str, Any]:
        found = {
            "path": name,
            "bytes": os.path.getsize(path),
            "sha256": files.sha256(*os.path.split(path)),
        }
        table = _table_in(package, os.path.relpath(path, made).replace(os.sep, "/"))
        return found | sizes.get(table, {})

    found = []
    for name in sorted(os.listdir(folder)):
        file = entry(name, os.path.join(folder, name))
        if name in zips:
            file["files"] = [entry(inside, path) for inside, path in sorted(zips[name].items())]
        found.append(file)
    libraries = {name for each in (*EXPORT, *RELEASE) for name in each.LIBRARIES}
    libraries |= croissant.LIBRARIES.keys()
    manifest = {
        "package": {**metadata.identity(package), "citation": metadata.citation(package)},
        "tools": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "zlib": zlib.ZLIB_RUNTIME_VERSION,
            **{name: version(name) for name in sorted(libraries)},
        },
        "tables": tables,
        "files": found,
    }
    files.write_json(folder, MANIFEST, manifest)


def _table_in(package: Package, path: str) -> str:
    """The name of the one table in a file of a format, or nothing."""
    for resource in package.resources:
        if path == f"{csv_package.FOLDER}/{resource.path}":
            return resource.name
    for each in (*EXPORT, *RELEASE):
        owned = each.OWNS.fullmatch(path)
        if owned and (table := owned.groupdict().get("table")):
            return table
    return ""


def is_release(paths: set[str]) -> bool:
    """Whether files with these names are those of a release."""
    return {MANIFEST, "croissant.json"} <= paths and any(map(_CSV_ZIP.fullmatch, paths))
