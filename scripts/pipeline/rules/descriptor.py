"""Rules on datapackage.json, on the files that it speaks of, and on those that repeat it."""

import contextlib
import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any, BinaryIO

from pipeline import files
from pipeline.issue import Fault, Keys, show
from pipeline.package import DESCRIPTOR, ZENODO, Package, Resource, citation
from pipeline.package.document import Document
from pipeline.package.field_types import is_date
from pipeline.rules import package_rule, table_rule
from pipeline.versions import MAX_LENGTH, is_version

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
_MARKS = (b"<" * 7, b">" * 7, b"|" * 7)
_CONFLICT = rb"(?m)^(?:<{7}|>{7}|[|]{7})(?: |$)"
_AT_THE_TOP = ("README.md", "CHANGELOG.md", citation.PATH, "CONTRIBUTING.md", "LICENSE")
NAME = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")
CHANGE = re.compile(r"^## \[?(?P<version>\d[^\] \n]*)\]?(?: - (?P<date>\S+))?", re.MULTILINE)
# Windows has no file of these names, whatever follows the first full stop.
_DEVICES = {
    *("con", "prn", "aux", "nul", "clock$", "conin$", "conout$"),
    *(f"{each}{n}" for each in ("com", "lpt") for n in "0123456789\u00b9\u00b2\u00b3"),
}
_NOWHERE = frozenset('<>:"|?*\x7f').union(map(chr, range(0x20)))
# A path of Windows may have 259; where a package is unpacked to, and the names of exports and
# releases, add to it.
_LONGEST = 200
# What CITATION.cff and .zenodo.json call what is compared.
KEYS = {
    "version": "version",
    "date-released": "date",
    "publication_date": "date",
    "title": "title",
    "license": "license",
}


@package_rule("json-syntax", "repair the JSON at this line; an editor marks the place")
def json_syntax(package: Package) -> Iterator[Fault]:
    """Descriptor and schemas are there; they and .zenodo.json are well-formed JSON in UTF-8."""
    for document in _json_files(package):
        if document.error:
            line, message = document.error
            yield Fault(document.path, line, "", message)
    zenodo = package.zenodo
    if zenodo and not zenodo.error and not isinstance(zenodo.data, dict):
        yield zenodo.fault("is no JSON object")


@package_rule("json-duplicate-key", "keep one of the two values: readers silently keep the last")
def json_duplicate_key(package: Package) -> Iterator[Fault]:
    """No JSON object has the same key twice."""
    for document in _json_files(package):
        for keys in document.repeated():
            yield document.fault(f"the key {show(keys[-1])} stands twice in one object", *keys)


def _json_files(package: Package) -> Iterator[Document]:
    yield from package.documents()
    if package.zenodo:
        yield package.zenodo


@package_rule("descriptor-shape", "give the property the type that Data Package v2 asks for")
def descriptor_shape(package: Package) -> Iterator[Fault]:
    """Every property of the descriptor has the right type, and no table lacks what locates it."""
    for document, misfit in package.misfits:
        if document is package.document and not misfit.unsupported:
            yield document.fault(misfit.message, *misfit.keys)


@package_rule(
    "descriptor-unsupported", "remove the property, or teach schemas/profile/ and a rule about it"
)
def descriptor_unsupported(package: Package) -> Iterator[Fault]:
    """The descriptor has no property that this validator would pass over."""
    for document, misfit in package.misfits:
        if document is package.document and misfit.unsupported:
            yield document.fault(misfit.message, *misfit.keys)


@package_rule("metadata-missing", "add the property to datapackage.json")
def metadata_missing(package: Package) -> Iterator[Fault]:
    """The descriptor says what the package is, who made it from what, and under which license."""
    if isinstance(package.document.data, dict):
        for name in REQUIRED:
            if not package.descriptor.get(name):
                fault = package.document.fault(f"the package has no {name}", name)
                yield fault._replace(about=("metadata",))


@package_rule("name-form", "use lower-case letters, digits and single . - _ between them")
def name_form(package: Package) -> Iterator[Fault]:
    """Package and resources have lower-case slugs as names, and the package one of its own."""
    named: list[tuple[Keys, dict[str, Any]]] = [((), package.descriptor)]
    named += [(("resources", i), s) for i, s in enumerate(package.specs) if isinstance(s, dict)]
    for keys, mapping in named:
        name = mapping.get("name", "x")
        if isinstance(name, str) and not NAME.fullmatch(name):
            yield package.document.fault(f"{show(name)} is no slug", *keys, "name")
    if any(package.descriptor.get("name") == resource.name for resource in package.resources):
        yield package.document.fault("the package has the name of one of its tables", "name")


@package_rule("version-form", "write major.minor.patch, such as 1.2.0")
def version_form(package: Package) -> Iterator[Fault]:
    """The version of the package is a semantic version."""
    version = package.descriptor.get("version")
    if isinstance(version, str) and not is_version(version):
        what = f"{show(version)} is no semantic version of at most {MAX_LENGTH} characters"
        yield package.document.fault(what, "version")


@package_rule("created-form", "write the day of the release as 2026-01-31T00:00:00Z")
def created_form(package: Package) -> Iterator[Fault]:
    """The package says on which day it was released, at midnight UTC."""
    created = package.descriptor.get("created")
    if isinstance(created, str):
        day, _, time = created.partition("T")
        if time != "00:00:00Z" or not is_date(day):
            yield package.document.fault(f"{show(created)} is no release day", "created")


@package_rule("version-agreement", "write the same version and day in all four files", last=True)
def version_agreement(package: Package) -> Iterator[Fault]:
    """CHANGELOG.md and CITATION.cff, if present, give version and day; .zenodo.json no others."""
    expected = {
        "version": [str(package.descriptor.get("version"))],
        "date": [str(package.descriptor.get("created"))[:10]],
    }
    for path, said in _repeated(package):
        # Zenodo takes what is left out from the release.
        required = {} if path == ZENODO else dict.fromkeys(expected, (1, ""))
        yield from _disagreements(path, required | said, expected)


@package_rule(
    "metadata-agreement",
    "write the same title and license; for Zenodo, the license lower-case",
    last=True,
)
def metadata_agreement(package: Package) -> Iterator[Fault]:
    """CITATION.cff and .zenodo.json state no other title and license than the descriptor."""
    title, licenses = package.descriptor.get("title"), package.descriptor.get("licenses")
    titles = [title] if isinstance(title, str) else []
    named = filter(_named, licenses if isinstance(licenses, list) else [])
    names = [each["name"] for each in named]
    for path, said in _repeated(package):
        theirs = [name.lower() for name in names] if path == ZENODO else names
        yield from _disagreements(path, said, {"title": titles, "license": theirs})


def _repeated(package: Package) -> Iterator[tuple[str, dict[str, tuple[int, str]]]]:
    """The files that repeat the descriptor: what each says, with its line."""
    for path, said in (("CHANGELOG.md", _said_last), (citation.PATH, _said_at_the_top)):
        text = package.text(path)
        if text is not None:
            yield path, said(text)
    zenodo = package.zenodo
    if zenodo and isinstance(zenodo.data, dict):
        items = zenodo.data.items()
        yield ZENODO, {KEYS[k]: (zenodo.line(k), str(v)) for k, v in items if k in KEYS}


def _said_last(changelog: str) -> dict[str, tuple[int, str]]:
    match = CHANGE.search(changelog)
    if not match:
        return {}
    line = changelog.count("\n", 0, match.start()) + 1
    return {key: (line, said) for key, said in match.groupdict("").items()}


def _said_at_the_top(text: str) -> dict[str, tuple[int, str]]:
    return {KEYS[key]: said for key, said in citation.plain(text).items() if key in KEYS}


def _disagreements(
    path: str, said: dict[str, tuple[int, str]], expected: dict[str, list[str]]
) -> Iterator[Fault]:
    for key in filter(said.__contains__, expected):
        line, actual = said[key]
        # A work can be under several licenses, each of which the descriptor names.
        each = actual.split() if key == "license" else []
        if actual not in expected[key] and not (each and {*each} <= {*expected[key]}):
            says = f"says {show(actual)}" if actual else "says nothing"
            there = " or ".join(map(show, expected[key])) or "nothing"
            yield Fault(path, line, key, f"{says} where {DESCRIPTOR} says {there}")


@package_rule("conflict-marker", "finish the merge: keep one of the two versions", first=True)
def conflict_marker(package: Package) -> Iterator[Fault]:
    """No text of the package has the marks of a merge that was not finished."""
    for path in _texts_of(package):
        try:
            with files.opened(package.root, path) as file:
                yield from _conflicts(path, file)
        except OSError:
            continue  # another rule says so, where it has to be read


def _texts_of(package: Package) -> Iterator[str]:
    """The files of a package in which people write."""
    yield from (resource.path for resource in package.resources)
    yield from (document.path for document in package.documents())
    yield from (ZENODO, *_AT_THE_TOP)
    for folder in filter(package.has_folder, ("docs", "schemas/profile")):
        with contextlib.suppress(OSError):
            yield from (each.path for each in files.walk(package.root, folder) if not each.strange)


def _conflicts(path: str, file: BinaryIO) -> Iterator[Fault]:
    number, start, above = 1, 0, b""
    while block := file.read(1 << 20) + file.readline(1 << 20):
        number += above.count(b"\n")
        # Looking for a beginning of lines takes ten times as long as looking for letters.
        may_be = any(map(block.count, _MARKS))
        if may_be and (found := re.compile(_CONFLICT).search(block, start)):
            line = number + block.count(b"\n", 0, found.start())
            yield Fault(path, line, "", f"the line begins with {found[0].decode().strip()}")
            return
        # The next block may begin within a line that is longer than this one.
        start, above = (0 if block.endswith(b"\n") else 1), block


@package_rule("resource-duplicate", "give each table its own name and file")
def resource_duplicate(package: Package) -> Iterator[Fault]:
    """No two resources share a name or a file."""
    seen: set[tuple[str, str]] = set()
    for index, spec in enumerate(package.specs):
        for key in ("name", "path"):
            value = spec.get(key) if isinstance(spec, dict) else None
            if isinstance(value, str) and (key, value) in seen:
                message = f"the {key} {show(value)} is taken by an earlier resource"
                yield package.document.fault(message, "resources", index, key)
            seen.add((key, str(value)))


@package_rule("resource-order", fix=True)
def resource_order(package: Package) -> Iterator[Fault]:
    """The resources stand in the order of their names."""
    names = [(i, r["name"]) for i, r in enumerate(package.specs) if _named(r)]
    for (_, before), (index, name) in pairwise(names):
        if name < before:
            yield package.document.fault(
                f"{show(name)} stands after {show(before)}", "resources", index, "name"
            )


@package_rule(
    "path-unsafe", "keep every file inside the package and name it by a relative path with /"
)
def path_unsafe(package: Package) -> Iterator[Fault]:
    """No path leads out of the package: no URL, no absolute path, no parent folder, no link."""
    said = set()
    for keys, why in package.unsafe:
        if why not in said:  # one folder that is a link has many files
            yield package.document.fault(why, *keys)
        said.add(why)
    for path, why in package.unreadable():
        if why not in said:
            yield Fault(path, 1, "", why)
        said.add(why)


@package_rule("name-portable", "give it a name that every system can have")
def name_portable(package: Package) -> Iterator[Fault]:
    """Every name is one that Windows and macOS can have, and differs in more than its case."""
    seen: dict[str, str] = {}
    for keys, name in _file_names(package):
        if len(name.encode(errors="replace")) > _LONGEST:
            yield package.document.fault(f"{show(name)} is longer than {_LONGEST} bytes", *keys)
            continue
        parts = name.split("/")
        why = next(filter(None, map(_unportable, parts)), None)
        # Every folder on the way has a name as well.
        for place in accumulate(parts, "{}/{}".format):
            alike = seen.setdefault(unicodedata.normalize("NFC", place).casefold(), place)
            if alike != place:
                why = why or f"differs from {show(alike)} only in case or normalization"
        if why:
            yield package.document.fault(f"{show(name)} {why}", *keys)


def _file_names(package: Package) -> Iterator[tuple[Keys, str]]:
    """What files are called by: the paths of the package, and the names of package and tables."""
    named: list[tuple[Keys, Any]] = [(("name",), package.descriptor.get("name"))]
    for index, spec in enumerate(package.specs):
        if isinstance(spec, dict):
            keys = ("name", "path", "schema")
            named += [(("resources", index, key), spec.get(key)) for key in keys]
    outside = {keys for keys, _ in package.unsafe}
    yield from (pair for pair in named if isinstance(pair[1], str) and pair[0] not in outside)


def _unportable(name: str) -> str | None:
    """Why some system cannot have a file with this name."""
    if name.partition(".")[0].rstrip(" ").lower() in _DEVICES:
        return "has the name of a device"
    if not _NOWHERE.isdisjoint(name):
        return "has a character that no file may have"
    if not name.isprintable():
        return "has a character that cannot be seen"
    if name != name.rstrip(". "):
        return "ends with a full stop or a blank"
    if not unicodedata.is_normalized("NFC", name):
        return "is not in normalization form C, in which other systems write it"
    return None


@package_rule("file-missing", "add the file, or remove the resource from datapackage.json")
def file_missing(package: Package) -> Iterator[Fault]:
    """Every declared table is a file that can be read."""
    for resource in package.resources:
        if not resource.is_read:
            keys = ("resources", resource.index, "path")
            fault = package.document.fault(f"{show(resource.path)} cannot be read", *keys)
            yield fault._replace(about=("files",))


@package_rule(
    "file-undeclared", "declare the table in datapackage.json, or move the file out of data/"
)
def file_undeclared(package: Package) -> Iterator[Fault]:
    """Every file in data/ is a resource of the descriptor."""
    if not package.specs:
        return  # nothing is declared at all, which another rule says
    declared = package.declared("path")
    try:
        for entry in files.walk(package.root, "data") if package.has_folder("data") else ():
            hidden = entry.path.rpartition("/")[2].startswith(".")
            if not entry.is_folder and not hidden and entry.path not in declared:
                yield Fault(entry.path, 1, "", "is not declared in datapackage.json")
    except OSError as error:
        yield Fault(str(error.filename or "data"), 1, "", error.strerror or str(error))


@table_rule("statistics", fix=True, last=True)
def statistics(resource: Resource) -> Iterator[Fault]:
    """Bytes, hash and number of rows in the descriptor are those of the file."""
    table = resource.table
    if not table.sound:
        return  # to be repaired first
    actual = {"bytes": table.bytes, "hash": f"sha256:{table.sha256}", "rows": table.rows}
    stale = [key for key, value in actual.items() if resource.spec.get(key) != value]
    package, place = resource.package, ("resources", resource.index)
    # What has another form has a fault of its own.
    refused = {misfit.keys for document, misfit in package.misfits if document is package.document}
    if stale and not any((*place, key) in refused for key in stale):
        message = f"{' and '.join(stale)} of {resource.path} out of date"
        yield package.document.fault(message, *place, stale[0])._replace(about=("statistics",))


def _named(spec: object) -> bool:
    return isinstance(spec, dict) and isinstance(spec.get("name"), str)
