"""Finds the parts of a data package: its descriptor, its schemas, and where its tables are.

Nothing here judges. What is wrong is noted as a fact, and a rule says so. Everything is read
inside the folder of the package; a path that leaves it is noted and never opened.
"""

import math
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pipeline import files
from pipeline.issue import CannotRun, Keys, show
from pipeline.package import profile
from pipeline.package.document import MAX_JSON_BYTES, MAX_VALUES, Document
from pipeline.package.field_types import FIELD_TYPES, NUMERIC
from pipeline.package.table import See, Table, read
from pipeline.package.typed import TypedTable

DESCRIPTOR = "datapackage.json"
ZENODO = ".zenodo.json"
# What rules, generated documents and releases read beside the descriptor.
CARRIED = (
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "README.md",
    "docs/curation.md",
    "docs/data-dictionary.md",
    "docs/rules.md",
)
# What the schemas of all tables have, a schema counted for each of its tables.
_MAX_VALUES = 10 * MAX_VALUES
# Wrong, they keep no table from being read, and --fix repairs them.
_STATISTICS = [("bytes",), ("hash",), ("rows",)]


class Resource:
    """A table of the package: where its file is and what its schema says of it.

    Only made where descriptor and schema have the shape that the attributes promise.
    """

    def __init__(self, package: "Package", spec: dict[str, Any], index: int, document: Document):
        self.package = package
        self.spec = spec
        self.index = index
        self.name: str = spec["name"]
        self.path: str = spec["path"]
        self.document = document
        self.schema: dict[str, Any] = document.data
        self.fields: list[dict[str, Any]] = self.schema["fields"]
        self.names: list[str] = [field["name"] for field in self.fields]
        self.places: dict[str, int] = {name: place for place, name in enumerate(self.names)}
        self.primary_key: list[str] = self.schema.get("primaryKey", [])
        self.numbers = [self.field(name)["type"] in NUMERIC for name in self.primary_key]
        self._table: Table | None = None
        self._ids: set[str] | None = None
        self._typed: TypedTable | None = None

    @property
    def table(self) -> Table:
        """The table as it was read. Raises LookupError where it was not."""
        if self._table is None:
            raise LookupError(f"{self.path} was not read")
        return self._table

    @property
    def is_read(self) -> bool:
        """Whether there is a table: its file was there and could be opened."""
        return self._table is not None

    @property
    def is_told(self) -> bool:
        """Whether all rows of the table are known, and there are some where there must be."""
        if not self.is_read or not self.table.complete:
            return False
        return self.table.rows > 0 or bool(self.schema.get("mayBeEmpty"))

    def read(self, see: See = lambda *_: None) -> None:
        """Read the table; `see` is given its text block by block. Raises OSError."""
        self._table = read(self.package.root, self.path, self.names, see)
        self._ids = self._typed = None

    @property
    def typed(self) -> TypedTable:
        """The values of a valid table in Python."""
        if self._typed is None:
            self._typed = TypedTable(self.name, self.schema, self._columns)
        return self._typed

    def _columns(self) -> Iterator[list[Any]]:
        for field in self.fields:
            yield self.table.made(field["name"], FIELD_TYPES[field["type"]].value)

    def field(self, name: str) -> dict[str, Any]:
        """The descriptor of a field of this table."""
        return self.fields[self.places[name]]

    def about(self, name: str) -> Keys:
        """What a fault is about that is one of a field of this table."""
        return self.document.path, "fields", self.places[name]

    def in_order(self, key: tuple[str, ...]) -> tuple[Any, ...]:
        """What rows are ordered by: numbers by value, all else by code point."""
        if not any(self.numbers):
            return key
        return tuple(map(_in_order, self.numbers, key))

    def ordered(self, rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
        """Rows of texts in the order of their keys."""
        key = [self.places[name] for name in self.primary_key]
        return sorted(rows, key=lambda row: self.in_order(tuple(row[place] for place in key)))

    @cached_property
    def unique(self) -> set[tuple[str, ...]]:
        """Fields that must not have the same values, or values together, in two rows."""
        keys = {tuple(self.primary_key), *map(tuple, self.schema.get("uniqueKeys", []))}
        for field in self.fields:
            if field.get("constraints", {}).get("unique"):
                keys.add((field["name"],))
        return keys - {()}

    def ids(self) -> set[str] | None:
        """The values of a key of one column; None without one, or where rows are missing."""
        if len(self.primary_key) != 1 or not self.is_read or not self.table.complete:
            return None
        if self._ids is None:
            self._ids = self.table.distinct(*self.primary_key)
        return self._ids

    def retired(self) -> Iterator[tuple[int, str, str, str]]:
        """(row, table, id, replacement) for every row of a table of retired ids."""
        names = self.schema.get("retires")
        if names and self.is_read and self.table.complete:
            rows = self.table.values(*(names[key] for key in ("resource", "id", "replacement")))
            yield from ((row, *values) for row, values in enumerate(rows))

    @cached_property
    def references(self) -> list["Reference"]:
        """Every reference of the schema to a table: keys, copies, evidence, cells."""
        return [*self._of_links(), *self._of_columns()]

    @cached_property
    def targets(self) -> set[tuple[str, ...]]:
        """The table and the fields that each reference names."""
        return {(each.resource, *each.target) for each in self.references}

    def _of_links(self) -> Iterator["Reference"]:
        for name in ("foreignKeys", "sameAs"):
            for index, link in enumerate(self.schema.get(name, [])):
                mine, its = link["fields"], link["reference"]["fields"]
                key = its if name == "foreignKeys" else its[:1]
                place, same = (name, index, "reference"), list(zip(mine, its, strict=True))
                yield Reference(place, mine, link["reference"]["resource"], its, key, same)

    def _of_columns(self) -> Iterator["Reference"]:
        for index, field in enumerate(self.fields):
            for name in ("referencedBy", "referencesAnyOf", "namesCellsOf"):
                value = field.get(name, [])
                for column in value if isinstance(value, list) else [value]:
                    target, by = column["field"], column.get("by")
                    mine = [field["name"], by] if by else [field["name"]]
                    key = [target] if by or column.get("cells") else []
                    same = [(by, target)] if by else []
                    place = ("fields", index, name)
                    yield Reference(place, mine, column["resource"], [target], key, same)

    @cached_property
    def links(self) -> dict[str, list[tuple[str, str]]]:
        """By field, the (table, field) that it refers to by foreign keys of its own."""
        found: dict[str, list[tuple[str, str]]] = {}
        for link in self.schema.get("foreignKeys", []):
            if len(link["fields"]) == 1:
                there = link["reference"]
                target = there["resource"], there["fields"][0]
                found.setdefault(link["fields"][0], []).append(target)
        return found


class Reference(NamedTuple):
    """Fields of one table that refer to fields of another, and where the schema says so.

    The fields in `key` must be one of the target; `same` pairs a field with one of the target
    that has the same ids.
    """

    keys: Keys
    fields: list[str]
    resource: str
    target: list[str]
    key: list[str]
    same: list[tuple[str, str]]


def _in_order(is_number: bool, text: str) -> str | tuple[float, str]:
    if not is_number:
        return text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # What should be a number and is none comes after those that are.
    return (math.inf if math.isnan(number) else number, text)


class Package:
    """A data package: its documents at once, its tables when they are read.

    `unsafe` holds the keys in the descriptor of each path that leaves the package, and why it
    does.
    """

    def __init__(self, path: str):
        path = os.path.abspath(path)
        if os.path.isdir(path):
            path = os.path.join(path, DESCRIPTOR)
        if not os.path.isfile(path):
            raise CannotRun(
                f"no data package: {path} is not there; name a folder with a {DESCRIPTOR}"
            )
        if os.path.basename(path) != DESCRIPTOR:
            raise CannotRun(f"not a data package: {path}; name a {DESCRIPTOR}, its folder or a zip")
        self.root = os.path.dirname(path)
        if why := self.leaves(DESCRIPTOR):
            raise CannotRun(f"will not read {path}: {why}")
        self.document = Document(self.root, DESCRIPTOR)
        data = self.document.data
        self.descriptor: dict[str, Any] = data if isinstance(data, dict) else {}
        specs = self.descriptor.get("resources")
        self.specs: list[Any] = specs if isinstance(specs, list) else []
        self.schemas: dict[str, Document] = {}
        self.unsafe: list[tuple[Keys, str]] = []
        self.misfits: list[tuple[Document, profile.Misfit]] = []
        self.resources: list[Resource] = []
        self._named: dict[str, Resource] = {}
        self._concepts: dict[tuple[str, str], tuple[str, str] | None] = {}
        self._declared: dict[str, set[str]] = {}
        self._texts: dict[str, str | None] = {}
        if self.document.error is None:
            self._open()

    def _open(self) -> None:
        bad: set[Keys] = set()
        for misfit in profile.misfits_of_descriptor(self.document.data):
            self.misfits.append((self.document, misfit))
            if not misfit.harmless and misfit.keys[-1:] not in _STATISTICS:
                bad.add(misfit.keys[:2])
        paths: set[str] = set()
        values = 0
        for index, spec in enumerate(self.specs):
            if not isinstance(spec, dict):
                continue
            for key in ("path", "schema"):
                value = spec.get(key)
                if isinstance(value, str) and (why := self.leaves(value)):
                    self.unsafe.append((("resources", index, key), why))
                    bad.add(("resources", index))
                elif key == "schema" and isinstance(value, str) and value not in self.schemas:
                    self.schemas[value] = self._schema(value)
            schema = self.schemas.get(spec["schema"]) if ("resources", index) not in bad else None
            if not schema or not schema.usable:
                continue
            # A schema can be that of many tables, and a file be named many times.
            values += schema.values
            if values > _MAX_VALUES:
                words = f"schemas up to this table have more than {_MAX_VALUES:,} values together"
                misfit = profile.Misfit(("resources", index, "schema"), f"the {words}")
                self.misfits.append((self.document, misfit))
                break
            if spec["name"] not in self._named and spec["path"] not in paths:
                paths.add(spec["path"])
                self._named[spec["name"]] = Resource(self, spec, index, schema)
        self.resources += self._named.values()

    def _schema(self, path: str) -> Document:
        document = Document(self.root, path)
        if document.error is None:
            found = list(profile.misfits_of_schema(document.data))
            self.misfits += [(document, misfit) for misfit in found]
            document.usable = all(misfit.harmless for misfit in found)
        return document

    @property
    def tables(self) -> dict[str, Table]:
        """The tables that were read, by the name of their resource."""
        return {each.name: each.table for each in self.resources if each.is_read}

    def resource(self, name: str) -> Resource | None:
        """The table with this name, or None where there is none that can be used."""
        return self._named.get(name)

    @cached_property
    def naming(self) -> dict[str, list[tuple[Resource, dict[str, Any]]]]:
        """By table, the fields anywhere that name cells of it."""
        found: dict[str, list[tuple[Resource, dict[str, Any]]]] = {}
        for each in self.resources:
            for field in each.fields:
                if target := field.get("namesCellsOf"):
                    found.setdefault(target["resource"], []).append((each, field))
        return found

    def has_key(self, name: str, fields: list[str]) -> bool:
        """Whether a table with this name is one in which no two rows have the same in fields."""
        resource = self.resource(name)
        return resource is not None and tuple(fields) in resource.unique

    def concept(self, name: str, field: str) -> tuple[str, str] | None:
        """The (table, field) whose ids stand in a field in the end, along foreign keys.

        None where one of the tables cannot be used.
        """
        seen: dict[tuple[str, str], None] = {}
        following: list[tuple[str, str]] = [(name, field)]
        end: tuple[str, str] | None = None
        while following:
            here = following[0]
            if here in self._concepts:
                end = self._concepts[here]
                break
            seen[here] = None
            resource = self.resource(here[0])
            if resource is None or here[1] not in resource.places:
                end = None
                break
            retires = resource.schema.get("retires", {})
            if here[1] in (retires.get("id"), retires.get("replacement")):
                end = here[0], retires["id"]
                break
            end = here
            following = [link for link in resource.links.get(here[1], []) if link not in seen]
        self._concepts.update(dict.fromkeys(seen, end))
        return end

    def ids(self, name: str) -> set[str] | None:
        """The ids of a table with this name; None also where there is no such table."""
        resource = self.resource(name)
        return resource.ids() if resource else None

    def retired(self) -> dict[tuple[str, str], str]:
        """By table and id, the replacement of every retired id; empty where there is none."""
        return {(name, old): new for each in self.resources for _, name, old, new in each.retired()}

    def declared(self, key: str) -> set[str]:
        """The texts under a key of the resources, those included that cannot be used."""
        if key not in self._declared:
            values = (spec.get(key) for spec in self.specs if isinstance(spec, dict))
            self._declared[key] = {value for value in values if isinstance(value, str)}
        return self._declared[key]

    def leaves(self, path: str) -> str | None:
        """Why a path may not be opened, or None where it stays inside the package."""
        try:
            path.encode()
        except UnicodeEncodeError:
            return f"{show(path)} has a character that paths must not have"
        if ":" in path and re.match(r"(https?|ftps?)://", path, re.IGNORECASE):
            what = "is an address; the standard allows it, but it is not supported here"
            return f"{show(path)} {what}"
        if ":" in path and re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", path):
            return f"{show(path)} is a URL or has a drive"
        if "\\" in path or "\0" in path:
            return f"{show(path)} has a character that paths must not have"
        if path.startswith(("/", "~")) or ".." in path.split("/"):
            return f"{show(path)} leads out of the package"
        plain = posixpath.normpath(path)
        if path != plain or path == ".":
            return f"{show(path)} is not written in the plain form {show(plain)}"
        return files.strange(self.root, path)

    def size(self, path: str) -> int:
        """The bytes of a file of the package, 0 where it cannot be read."""
        try:
            return os.path.getsize(os.path.join(self.root, path))
        except OSError:
            return 0

    def documents(self) -> Iterator[Document]:
        """The descriptor and each schema once."""
        yield self.document
        yield from self.schemas.values()

    @cached_property
    def zenodo(self) -> Document | None:
        """What Zenodo is told about a release, or None without .zenodo.json."""
        there = os.path.lexists(os.path.join(self.root, ZENODO))
        return Document(self.root, ZENODO) if there else None

    def text(self, path: str) -> str | None:
        """The whole text of an optional file beside the descriptor, or None without one.

        What it was when it was asked for first: what is released is what was judged.
        """
        if path not in self._texts:
            try:
                self._texts[path] = files.read(self.root, path, MAX_JSON_BYTES).decode()
            except (OSError, UnicodeDecodeError):
                self._texts[path] = None
        return self._texts[path]

    def unreadable(self) -> Iterator[tuple[str, str]]:
        """The files beside tables and schemas that are there but cannot be read, and why."""
        for path in CARRIED:
            try:
                files.opened(self.root, path).close()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                yield path, error.strerror or str(error)

    def has_folder(self, path: str) -> bool:
        """Whether there is a folder at a path inside the package, reached through no link."""
        return os.path.isdir(os.path.join(self.root, path)) and not self.leaves(path)
