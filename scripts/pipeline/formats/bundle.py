"""Zips that are the same byte for byte whenever they are built, and the list of what there is."""

import hashlib
import os
import platform
import re
import shutil
import sqlite3
import zipfile
import zlib
from importlib import metadata

from pipeline import files
from pipeline.formats import Record, citation, identity
from pipeline.package import Package

MANIFEST = "manifest.json"
_CSV_ZIP = re.compile(r"[a-z0-9._-]+-[0-9]+\.[0-9]+\.[0-9]+.*-csv\.zip")
# The libraries whose version can change a byte of an artifact.
TOOLS = ("mlcroissant", "pandas", "pyarrow", "pybtex", "rispy", "sssom-pydantic")
_CHUNK = 1 << 20


def write_zip(path: str, files: dict[str, str], day: str) -> None:
    """Write the files with these names and paths, all dated on a day (ISO 8601)."""
    year, month, date = (int(part) for part in day[:10].split("-"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, source in sorted(files.items()):
            # The oldest and the latest year that a zip can name.
            named = min(max(year, 1980), 2107)
            member = zipfile.ZipInfo(name, (named, month, date, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o100644 << 16
            member.create_system = 3  # Unix, wherever it is built
            with open(source, "rb") as file, archive.open(member, "w") as entry:
                shutil.copyfileobj(file, entry, _CHUNK)


def sha256(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(
    package: Package, tables: dict[str, list[Record]], zips: dict[str, dict[str, str]], folder: str
) -> None:
    """Write manifest.json: every file of the release with its bytes, hash, rows and columns.

    `package` is the one of an export, `zips` holds the files inside each zip, as write_zip took
    them. schemas/reports/manifest.schema.json describes what is written.
    """
    rows = {r.name: (len(tables[r.name]), len(r.fields)) for r in package.resources}
    # By its source: a table may be called as another file, such as croissant.json.
    sizes = {}
    for each in package.resources:
        for path in (f"csv/{each.path}", f"json/{each.name}.json", f"parquet/{each.name}.parquet"):
            source = os.path.join(os.path.dirname(package.root), path)
            sizes[os.path.normpath(source)] = rows[each.name]

    def entry(name: str, path: str) -> Record:
        found = {"path": name, "bytes": os.path.getsize(path), "sha256": sha256(path)}
        if size := sizes.get(os.path.normpath(path)):
            found |= dict(zip(("rows", "columns"), size, strict=True))
        return found

    listed = []
    for name in sorted(os.listdir(folder)):
        found = entry(name, os.path.join(folder, name))
        if name in zips:
            found["files"] = [entry(inside, path) for inside, path in sorted(zips[name].items())]
        listed.append(found)
    manifest = {
        "package": {**identity(package), "citation": citation(package)},
        "tools": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "zlib": zlib.ZLIB_RUNTIME_VERSION,
            **{name: metadata.version(name) for name in TOOLS},
        },
        "tables": [
            {"name": name, "rows": count, "columns": width} for name, (count, width) in rows.items()
        ],
        "files": listed,
    }
    files.write_json(folder, MANIFEST, manifest)


def is_release(paths: set[str]) -> bool:
    """Whether files with these names are those of a release."""
    return {MANIFEST, "croissant.json"} <= paths and any(map(_CSV_ZIP.fullmatch, paths))
