"""Rules on datapackage.json, and on the files that it speaks of."""

import os
import re
from collections.abc import Iterator
from itertools import pairwise

from fault import Fault
from package import DESCRIPTOR, Package
from reader import Table
from rules import FIX, rule

REQUIRED = (
    "name",
    "title",
    "description",
    "version",
    "created",
    "licenses",
    "sources",
    "contributors",
    "keywords",
    "resources",
)
NAME = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")
# The grammar of semver.org, without build metadata, which does not order versions.
VERSION = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
CREATED = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00Z", re.ASCII)


@rule("json-syntax", "repair the JSON at this line; an editor marks the place")
def json_syntax(package: Package) -> Iterator[Fault]:
    """Descriptor and schemas are there and well-formed JSON in UTF-8."""
    for document in package.documents():
        if document.error:
            line, message = document.error
            yield Fault(document.path, line, "", message)


@rule("json-duplicate-key", "keep one of the two values: readers silently keep the last")
def json_duplicate_key(package: Package) -> Iterator[Fault]:
    """No JSON object has the same key twice."""
    for document in package.documents():
        for keys in document.repeated():
            yield document.fault(f"the key {keys[-1]!r} stands twice in one object", *keys)


@rule("descriptor-shape", "give the property the type that Data Package v2 asks for")
def descriptor_shape(package: Package) -> Iterator[Fault]:
    """Every property of the descriptor has the right type, and no table lacks what locates it."""
    for document, misfit in package.misfits:
        if document is package.document and not misfit.unknown:
            yield document.fault(misfit.message, *misfit.keys)


@rule(
    "descriptor-unsupported", "remove the property, or teach scripts/shape.py and a rule about it"
)
def descriptor_unsupported(package: Package) -> Iterator[Fault]:
    """The descriptor has no property that this validator would pass over."""
    for document, misfit in package.misfits:
        if document is package.document and misfit.unknown:
            yield document.fault(misfit.message, *misfit.keys)


@rule("metadata-missing", "add the property to datapackage.json")
def metadata_missing(package: Package) -> Iterator[Fault]:
    """The descriptor says what the package is, who made it from what, and under which license."""
    if isinstance(package.document.data, dict):
        for name in REQUIRED:
            if not package.descriptor.get(name):
                yield package.document.fault(f"the package has no {name}", name)


@rule("name-form", "use lower-case letters, digits and single . - _ between them")
def name_form(package: Package) -> Iterator[Fault]:
    """Package and resources have lower-case slugs as names, and the package one of its own."""
    named = [((), package.descriptor)]
    named += [(("resources", i), s) for i, s in enumerate(package.specs) if isinstance(s, dict)]
    for keys, mapping in named:
        name = mapping.get("name", "x")
        if isinstance(name, str) and not NAME.fullmatch(name):
            yield package.document.fault(f"{name!r} is no slug", *keys, "name")
    if package.descriptor.get("name") in {resource.name for resource in package.resources}:
        yield package.document.fault("the package has the name of one of its tables", "name")


@rule("version-form", "write major.minor.patch, such as 1.2.0")
def version_form(package: Package) -> Iterator[Fault]:
    """The version of the package is a semantic version."""
    version = package.descriptor.get("version")
    if isinstance(version, str) and not VERSION.fullmatch(version):
        yield package.document.fault(f"{version!r} is no semantic version", "version")


@rule("created-form", "write the day of the release as 2026-01-31T00:00:00Z")
def created_form(package: Package) -> Iterator[Fault]:
    """The package says on which day it was released, at midnight UTC."""
    created = package.descriptor.get("created")
    if isinstance(created, str) and not _is_midnight(created):
        yield package.document.fault(f"{created!r} is no release day", "created")


def _is_midnight(created: str) -> bool:
    match = CREATED.fullmatch(created)
    if not match:
        return False
    from datetime import date

    try:
        date.fromisoformat(match[1])
    except ValueError:
        return False
    return True


@rule("version-agreement", "write the same version and day in all three files")
def version_agreement(package: Package) -> Iterator[Fault]:
    """CHANGELOG.md and CITATION.cff, if present, give version and day of the descriptor."""
    expected = {
        "version": str(package.descriptor.get("version")),
        "date": str(package.descriptor.get("created"))[:10],
    }
    heading = r"^## \[?(?P<version>\d[^\] \n]*)\]?(?: - (?P<date>\S+))?"
    for path, patterns in (
        ("CHANGELOG.md", (heading,)),
        ("CITATION.cff", (r"^version: *(?P<version>.*?)$", r"^date-released: *(?P<date>.*?)$")),
    ):
        text = package.text(path)
        if text is None:
            continue
        found: dict[str, tuple[int, str]] = {}
        for pattern in patterns:
            if match := re.search(pattern, text, re.MULTILINE):
                line = text.count("\n", 0, match.start()) + 1
                found |= {k: (line, v.strip("\"' ")) for k, v in match.groupdict("").items()}
        for key, value in expected.items():
            line, actual = found.get(key, (1, ""))
            if actual != value:
                says = f"says {actual!r}" if actual else "says nothing"
                yield Fault(path, line, key, f"{says} where {DESCRIPTOR} says {value!r}")


@rule("resource-duplicate", "give each table its own name and file")
def resource_duplicate(package: Package) -> Iterator[Fault]:
    """No two resources share a name or a file."""
    seen: set[tuple[str, str]] = set()
    for index, spec in enumerate(package.specs):
        for key in ("name", "path"):
            value = spec.get(key) if isinstance(spec, dict) else None
            if isinstance(value, str) and (key, value) in seen:
                message = f"the {key} {value!r} is taken by an earlier resource"
                yield package.document.fault(message, "resources", index, key)
            seen.add((key, str(value)))


@rule("resource-order", FIX)
def resource_order(package: Package) -> Iterator[Fault]:
    """The resources stand in the order of their names."""
    names = [(i, r["name"]) for i, r in enumerate(package.specs) if _named(r)]
    for (_, before), (index, name) in pairwise(names):
        if name < before:
            yield package.document.fault(
                f"{name!r} stands after {before!r}", "resources", index, "name"
            )


@rule("path-unsafe", "keep every file inside the package and name it by a relative path with /")
def path_unsafe(package: Package) -> Iterator[Fault]:
    """No path leads out of the package: no URL, no absolute path, no parent folder, no link."""
    for keys, why in package.unsafe:
        yield package.document.fault(why, *keys)


@rule("file-missing", "add the file, or remove the resource from datapackage.json")
def file_missing(package: Package) -> Iterator[Fault]:
    """Every declared table is a file that can be read."""
    for resource in package.resources:
        if resource.name not in package.tables:
            keys = ("resources", resource.index, "path")
            yield package.document.fault(f"{resource.path!r} cannot be read", *keys)


@rule("file-undeclared", "declare the table in datapackage.json, or move the file out of data/")
def file_undeclared(package: Package) -> Iterator[Fault]:
    """Every file in data/ is a resource of the descriptor."""
    if not package.specs:
        return  # nothing is declared at all, which another rule says
    declared = package.declared("path")
    for folder, folders, files in os.walk(os.path.join(package.root, "data")):
        folders.sort()
        for name in sorted(name for name in files if not name.startswith(".")):
            path = os.path.relpath(os.path.join(folder, name), package.root).replace(os.sep, "/")
            if path not in declared:
                yield Fault(path, 1, "", "is not declared in datapackage.json")


@rule("statistics", FIX, stage="table")
def statistics(table: Table) -> Iterator[Fault]:
    """Bytes, hash and number of rows in the descriptor are those of the file."""
    if not table.sound:
        return  # to be repaired first
    resource = table.resource
    actual = {"bytes": table.bytes, "hash": f"sha256:{table.sha256}", "rows": table.rows}
    stale = [key for key, value in actual.items() if resource.spec.get(key) != value]
    if stale:
        message = f"{' and '.join(stale)} of {resource.path} out of date"
        keys = ("resources", resource.index, stale[0])
        yield resource.package.document.fault(message, *keys)


def _named(spec: object) -> bool:
    return isinstance(spec, dict) and isinstance(spec.get("name"), str)
