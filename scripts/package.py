"""Reads a data package from disk: its descriptor, its schemas, its tables block by block.

Nothing here judges. What is wrong is noted as a fact, and a rule says so. Everything is read
inside the folder of the package; a path that leaves it is noted and never opened.
"""

import csv
import hashlib
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple

import shape

DESCRIPTOR = "datapackage.json"
MAX_JSON_BYTES = 4 << 20
MAX_LINE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 20
BLOCK_ROWS = 512

# Caches of values that passed stay this small, so that memory does not grow with the file.
_MAX_PASSED = 50_000


class CannotRun(Exception):
    """The command cannot do what it was asked to; the message says why and what to do."""


class Fault(NamedTuple):
    """Something wrong at a place: path inside the package, physical line (the first is 1)."""

    path: str
    line: int
    field: str
    message: str


class Values:
    """The distinct texts that a column has in one block of rows."""

    def __init__(self, texts: set[str]):
        self.texts = texts

    @cached_property
    def joined(self) -> str:
        """All texts in one, with a bar before and after each."""
        return "|".join(("", *self.texts, ""))

    @cached_property
    def plain(self) -> bool:
        """Whether all is printable ASCII with single spaces inside; a text with a bar may say no.

        Nothing about the form of such texts can be wrong.
        """
        all_of_it = self.joined
        return (
            all_of_it.isascii()
            and all_of_it.isprintable()
            and not (
                " " in all_of_it and ("  " in all_of_it or "| " in all_of_it or " |" in all_of_it)
            )
        )


class Check(NamedTuple):
    """A test of the values that one row has in some fields.

    `test` takes one text per field and returns what is wrong, or nothing. `field` is the one to
    blame. `passes`, on a check of one field, says at once of many values that none can fail; it
    may be wrong in that it says no.
    """

    fields: tuple[str, ...]
    test: Callable[..., str | bool | None]
    field: str
    passes: Callable[[Values], bool] = lambda _: False


class Document:
    """A JSON file of the package: its text, its data, and where in the text each value stands.

    `data` is None where the file is missing or broken; `error` is then (line, message).
    """

    def __init__(self, root: str, path: str):
        self.path = path
        self.text = ""
        self.data: Any = None
        self.error: tuple[int, str] | None = None
        self.duplicates = False
        self.usable = False
        self._lines: dict[tuple, int] | None = None
        self._repeated: list[tuple] = []
        try:
            with open(os.path.join(root, path), "rb") as file:
                raw = file.read(MAX_JSON_BYTES + 1)
        except OSError as error:
            self.error = (1, f"cannot be read: {error.strerror or error}")
            return
        if len(raw) > MAX_JSON_BYTES:
            self.error = (1, f"is larger than {MAX_JSON_BYTES:,} bytes")
            return
        try:
            self.text = raw.decode("utf-8")
            self.data = json.loads(self.text, object_pairs_hook=self._pairs)
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.error = (line, f"is not UTF-8: byte {raw[error.start]:#04x}")
        except json.JSONDecodeError as error:
            self.error = (error.lineno, f"is not JSON: {error.msg}, column {error.colno}")
        except RecursionError:
            self.error = (1, "is not usable JSON: nested too deeply")
        except ValueError as error:
            self.error = (1, f"is not usable JSON: {error}")

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        self.duplicates = self.duplicates or len(mapping) != len(pairs)
        return mapping

    def repeated(self) -> list[tuple]:
        """The keys of every value whose key stands again in the same object."""
        if self.duplicates:
            self.line()  # looks at every key
        return self._repeated

    def line(self, *keys: str | int) -> int:
        """The line of the value at these keys and indexes, or of the nearest one around it."""
        if self._lines is None:
            self._lines, self._repeated = {}, []
            if self.data is not None:
                self._lines, self._repeated = _lines_of_json(self.text)
        while keys and keys not in self._lines:
            keys = keys[:-1]
        return self._lines.get(keys, 1)

    def fault(self, message: str, *keys: str | int) -> Fault:
        """A fault at the value with these keys; the last name among them is the field."""
        names = [key for key in keys if isinstance(key, str)]
        return Fault(self.path, self.line(*keys), names[-1] if names else "", message)


def _lines_of_json(text: str) -> tuple[dict[tuple, int], list[tuple]]:
    """Where every value of a well-formed JSON text begins, and the keys that are repeated.

    The place of a member of an object is the line of its key, by the keys that lead to it.
    """
    lines: dict[tuple, int] = {}
    repeated: list[tuple] = []
    path: list[str | int] = []
    line, position, expects_key = 1, 0, False
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', text):
        line += text.count("\n", position, token.start())
        position = token.start()
        mark = token[0]
        if mark in "}]":
            path.pop()
            expects_key = False
        elif mark == ",":
            if isinstance(path[-1], int):
                path[-1] += 1
            else:
                expects_key = True
        elif mark == ":":
            continue
        elif expects_key:
            path[-1] = json.loads(mark)
            if tuple(path) in lines:
                repeated.append(tuple(path))
            lines[tuple(path)] = line
            expects_key = False
        else:
            lines.setdefault(tuple(path), line)
            if mark == "{":
                path.append("")
                expects_key = True
            elif mark == "[":
                path.append(0)
    return lines, repeated


class Resource:
    """A table of the package: where its file is and what its schema says of it.

    Only made where descriptor and schema have the shape that the attributes promise.
    """

    def __init__(self, package: "Package", spec: dict, index: int, document: Document):
        self.package = package
        self.spec = spec
        self.index = index
        self.name: str = spec["name"]
        self.path: str = spec["path"]
        self.document = document
        self.schema: dict = document.data
        self.fields: list[dict] = self.schema["fields"]
        self.names: list[str] = [field["name"] for field in self.fields]
        self.primary_key: list[str] = self.schema.get("primaryKey", [])

    def field(self, name: str) -> dict:
        """The descriptor of a field of this table."""
        return self.fields[self.names.index(name)]

    def in_order(self, key: tuple[str, ...]) -> tuple:
        """What rows are ordered by: whole numbers by value, all else by code point.

        A cell that should be a number and is none comes after those that are.
        """
        types = (self.field(name)["type"] for name in self.primary_key)
        return tuple(
            (int(part) if part.isascii() and part.isdigit() else float("inf"), part)
            if kind in ("integer", "year")
            else part
            for kind, part in zip(types, key, strict=True)
        )

    def kept(self) -> list[str]:
        """Fields whose values are kept in memory because a rule compares rows or tables by them."""
        names = set(self.primary_key)
        for key in self.schema.get("uniqueKeys", []):
            names.update(key)
        for edge in self.schema.get("acyclic", []):
            names.update(edge.values())
        for copy in self.schema.get("sameAs", []):
            names.update(copy["fields"])
        for key in self.schema.get("foreignKeys", []):
            names.update(key["fields"])
        for field in self.fields:
            constraints = field.get("constraints", {})
            if constraints.get("unique") or field.keys() & {
                "evidence",
                "referencedBy",
                "referencesAnyOf",
            }:
                names.add(field["name"])
            if "namesCellsOf" in field:
                names.update((field["name"], field["namesCellsOf"]["by"]))
            if "labeledBy" in field:
                names.update((field["name"], *field["labeledBy"]))
        for other in self.package.resources:
            names.update(other.references_to(self.name))
        return [name for name in self.names if name in names]

    def references_to(self, resource: str) -> Iterator[str]:
        """Fields of another table that this schema names."""
        for key in (*self.schema.get("foreignKeys", []), *self.schema.get("sameAs", [])):
            if key["reference"]["resource"] == resource:
                yield from key["reference"]["fields"]
        for field in self.fields:
            targets = [*field.get("referencedBy", []), *field.get("referencesAnyOf", [])]
            if "namesCellsOf" in field:
                targets.append(field["namesCellsOf"])
            for target in targets:
                if target["resource"] == resource:
                    yield target["field"]


class Table:
    """What one pass over the file of a resource leaves behind.

    `columns` holds the kept fields, one list of texts per field, rows in file order. `complete`
    says whether every row was read; a rule that compares tables skips one that is not.
    """

    def __init__(self, resource: Resource):
        self.resource = resource
        self.bytes = 0
        self.sha256 = ""
        self.rows = 0
        self.header: list[str] | None = None
        self.columns: dict[str, list[str]] = {name: [] for name in resource.kept()}
        self.complete = False
        self.broken: tuple[int, str] | None = None
        self.undecodable: tuple[int, str] | None = None
        self.overlong: int | None = None
        self.final_newline = True
        self.blank: list[int] = []
        self.ragged: list[tuple[int, int]] = []
        self.lines: list[tuple[int, Sequence[int]]] = []
        self.last_line = 1
        self._keys: dict[tuple[str, ...], set] = {}

    @property
    def sound(self) -> bool:
        """Whether every row was read and the columns are in order."""
        return self.complete and self.header == self.resource.names

    def rows_of(self, names: list[str]) -> list:
        """The values of kept fields: texts for one field, tuples of texts for several."""
        columns = [self.columns[name] for name in names]
        return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))

    def distinct(self, names: list[str]) -> set:
        """The distinct values of kept fields."""
        return set(self.rows_of(names))

    def keys(self, names: list[str]) -> set:
        """The distinct values of a key that other tables refer to, made once."""
        key = tuple(names)
        if key not in self._keys:
            self._keys[key] = self.distinct(names)
        return self._keys[key]

    def line(self, row: int) -> int:
        """The physical line on which a row begins; `row` counts data rows from 0."""
        for start, lines in reversed(self.lines):
            if row >= start:
                return lines[row - start]
        return 1

    def fault(self, row: int, field: str, message: str) -> Fault:
        """A fault in one cell of a row."""
        return Fault(self.resource.path, self.line(row), field, message)

    def file_fault(self, line: int, message: str) -> Fault:
        """A fault on a physical line of the file."""
        return Fault(self.resource.path, line, "", message)


class Package:
    """A data package: its documents at once, its tables when they are read.

    `unsafe` holds (resource index, why) for each path that leaves the package.
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
        self.document = Document(self.root, DESCRIPTOR)
        data = self.document.data
        self.descriptor: dict = data if isinstance(data, dict) else {}
        specs = self.descriptor.get("resources")
        self.specs: list = specs if isinstance(specs, list) else []
        self.schemas: dict[str, Document] = {}
        self.unsafe: list[tuple[tuple, str]] = []
        self.misfits: list[tuple[Document, shape.Misfit]] = []
        self.resources: list[Resource] = []
        self.tables: dict[str, Table] = {}
        if self.document.error is None:
            self._open()

    def _open(self) -> None:
        bad: set[tuple] = set()
        for misfit in shape.misfits(self.document.data, shape.DESCRIPTOR):
            self.misfits.append((self.document, misfit))
            if not misfit.unknown:
                bad.add(misfit.keys[:2])
        names: set[str] = set()
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
            if schema and schema.usable and spec["name"] not in names:
                names.add(spec["name"])
                self.resources.append(Resource(self, spec, index, schema))

    def _schema(self, path: str) -> Document:
        document = Document(self.root, path)
        if document.error is None:
            found = list(shape.misfits_of_schema(document.data))
            self.misfits += [(document, misfit) for misfit in found]
            document.usable = all(misfit.unknown for misfit in found)
        return document

    def declared(self, key: str) -> set[str]:
        """The texts under a key of the resources, those included that cannot be used."""
        values = (spec.get(key) for spec in self.specs if isinstance(spec, dict))
        return {value for value in values if isinstance(value, str)}

    def leaves(self, path: str) -> str | None:
        """Why a path may not be opened, or None where it stays inside the package."""
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", path):
            return f"{path!r} is a URL or has a drive"
        if "\\" in path or "\0" in path:
            return f"{path!r} has a character that paths must not have"
        if path.startswith(("/", "~")) or ".." in path.split("/"):
            return f"{path!r} leads out of the package"
        real = os.path.realpath(os.path.join(self.root, path))
        if not real.startswith(os.path.realpath(self.root) + os.sep):
            return f"{path!r} is a link that leads out of the package"
        return None

    def documents(self) -> Iterator[Document]:
        """The descriptor and each schema once."""
        yield self.document
        yield from self.schemas.values()

    def text(self, path: str) -> str | None:
        """The text of an optional file beside the descriptor, or None where it is not there."""
        try:
            with open(os.path.join(self.root, path), encoding="utf-8", newline="") as file:
                return file.read(MAX_JSON_BYTES)
        except (OSError, UnicodeDecodeError):
            return None


def records(resource: Resource) -> Iterator[list[str]]:
    """The rows of a valid table as lists of texts in schema order, without the header."""
    path = os.path.join(resource.package.root, resource.path)
    with open(path, encoding="utf-8", newline="") as file:
        yield from islice(csv.reader(file, strict=True), 1, None)


class Reader:
    """One pass over a table: hash, decode, parse, and give every value to the checks.

    `text_checks` take the text of a block of lines and the number of its first line and yield
    (line, message). Faults come as (index of the check, fault).
    """

    def __init__(self, resource: Resource, text_checks: Sequence, checks: Sequence[Check]):
        self.table = Table(resource)
        self.text_checks = text_checks
        unique = {f["name"] for f in resource.fields if f.get("constraints", {}).get("unique")}
        referred = {n for r in resource.package.resources for n in r.references_to(resource.name)}
        self.shared = set(self.table.columns) - unique | referred
        self.by_field: dict[str, list[tuple[int, Check]]] = {}
        self.passed: dict[str, set[str]] = {}
        several = [(number, check) for number, check in enumerate(checks) if len(check.fields) > 1]
        self.in_rows = sorted({name for _, check in several for name in check.fields})
        self.by_row = [
            (number, check, itemgetter(*map(self.in_rows.index, check.fields)))
            for number, check in several
        ]
        for number, check in enumerate(checks):
            if len(check.fields) == 1:
                self.by_field.setdefault(check.fields[0], []).append((number, check))

    def read(self) -> Iterator[tuple[str, int, Fault]]:
        """Read the file; yield ("text" or "row", index of the check, fault)."""
        table = self.table
        self.found: list[tuple[str, int, Fault]] = []
        path = os.path.join(table.resource.package.root, table.resource.path)
        with open(path, "rb") as file:
            reader = csv.reader(chain.from_iterable(self._lines(file)), strict=True)
            for rows, numbers in self._blocks(reader):
                if table.header is None:
                    if not rows:
                        continue
                    table.header = rows.pop(0)
                    numbers = numbers[1:]
                    if sorted(table.header) != sorted(table.resource.names):
                        break
                self._note(rows, numbers)
                yield from self._drain()
            else:
                table.complete = not (table.broken or table.undecodable or table.overlong)
                table.complete = table.complete and table.header is not None and not table.ragged
            self._finish_hash(file)
        yield from self._drain()

    def _drain(self) -> Iterator[tuple[str, int, Fault]]:
        yield from self.found
        self.found = []

    def _finish_hash(self, file: io.BufferedReader) -> None:
        while chunk := file.read(BLOCK_BYTES):
            self.digest.update(chunk)
            self.table.bytes += len(chunk)
        self.table.sha256 = self.digest.hexdigest()

    def _lines(self, file: io.BufferedReader) -> Iterator[io.StringIO]:
        table = self.table
        self.digest = hashlib.sha256()
        number = 1
        while chunk := file.read(BLOCK_BYTES):
            tail = file.readline(MAX_LINE_BYTES)
            chunk += tail
            self.digest.update(chunk)
            table.bytes += len(chunk)
            table.final_newline = chunk.endswith(b"\n")
            if len(tail) == MAX_LINE_BYTES and not table.final_newline:
                table.overlong = number + chunk.count(b"\n")
                return
            try:
                text = chunk.decode("utf-8")
            except UnicodeDecodeError as error:
                line = number + chunk.count(b"\n", 0, error.start)
                table.undecodable = (line, f"byte {chunk[error.start]:#04x}")
                return
            for index, check in enumerate(self.text_checks):
                for line, message in check(text, number):
                    self.found.append(("text", index, table.file_fault(line, message)))
            if number == 1:
                text = text.removeprefix("\ufeff")
            number += chunk.count(b"\n")
            table.last_line = number - table.final_newline
            yield io.StringIO(text, newline="")

    def _blocks(self, reader: Any) -> Iterator[tuple[list[list[str]], Sequence[int]]]:
        """Blocks of rows with the physical line on which each row begins."""
        last = 0
        while True:
            rows: list[list[str]] = []
            try:
                rows.extend(islice(reader, BLOCK_ROWS))
            except csv.Error as error:
                start = last + 1 + len(rows) + sum(map(_breaks, chain.from_iterable(rows)))
                self.table.broken = (start, str(error))
            if reader.line_num - last == len(rows):
                numbers: Sequence[int] = range(last + 1, reader.line_num + 1)
            else:
                numbers = []
                line = last + 1
                for row in rows:
                    numbers.append(line)
                    line += 1 + sum(map(_breaks, row))
            last = reader.line_num
            at_end = len(rows) < BLOCK_ROWS
            if rows:
                yield rows, numbers
            if at_end:
                return

    def _note(self, rows: list[list[str]], numbers: Sequence[int]) -> None:
        table = self.table
        width = len(table.header or ())
        if rows and set(map(len, rows)) != {width}:
            table.blank += [n for n, row in zip(numbers, rows, strict=True) if not row]
            table.ragged += [
                (n, len(row))
                for n, row in zip(numbers, rows, strict=True)
                if row and len(row) != width
            ]
            whole = [(n, row) for n, row in zip(numbers, rows, strict=True) if len(row) == width]
            numbers, rows = [n for n, _ in whole], [row for _, row in whole]
        if not rows or not width:
            return
        table.lines.append((table.rows, numbers))
        columns = dict(zip(table.header, zip(*rows, strict=True), strict=True))
        for name, column in columns.items():
            distinct = set(column)
            if name in table.columns:
                # One object per text in the whole package, where rows refer to others by it.
                shared = name in self.shared
                table.columns[name] += map(sys.intern, column) if shared else column
            if name in self.by_field:
                self._check_column(name, column, distinct)
        self._check_rows(columns)
        table.rows += len(rows)

    def _check_column(self, name: str, column: Sequence[str], distinct: set[str]) -> None:
        passed = self.passed.setdefault(name, set())
        values = Values(distinct - passed)
        failed: set[str] = set()
        for index, check in self.by_field[name]:
            if check.passes(values):
                continue
            wrong = {text: message for text in values.texts if (message := check.test(text))}
            if wrong:
                failed |= wrong.keys()
                self._blame(index, check, column, wrong)
        if len(passed) < _MAX_PASSED and len(distinct) < len(column):
            passed |= values.texts - failed

    def _check_rows(self, columns: dict[str, Sequence[str]]) -> None:
        """Test only the distinct rows: first in all fields of these checks, then in each one's."""
        rows = set(zip(*(columns[name] for name in self.in_rows), strict=True))
        for index, check, pick in self.by_row:
            wrong = {
                texts: message for texts in set(map(pick, rows)) if (message := check.test(*texts))
            }
            if wrong:
                values = zip(*(columns[name] for name in check.fields), strict=True)
                self._blame(index, check, values, wrong)

    def _blame(self, index: int, check: Check, values: Iterable, wrong: dict) -> None:
        table = self.table
        for offset, value in enumerate(values):
            if value in wrong:
                fault = table.fault(table.rows + offset, check.field, wrong[value])
                self.found.append(("row", index, fault))


def _breaks(cell: str) -> int:
    """How many physical line ends a cell contains."""
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")
