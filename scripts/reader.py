"""Reads the tables of a package block by block, each file once and in bounded memory."""

import csv
import hashlib
import io
import os
import sys
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, chain, islice
from operator import attrgetter
from typing import NamedTuple

from fault import Fault
from package import Resource

MAX_LINE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 20
BLOCK_ROWS = 512
BLOCK_CHARACTERS = 1 << 16

# Caches of values that passed stay this small, so that memory does not grow with the file.
_MAX_PASSED = 50_000


Columns = list[Sequence[str]]


class Values:
    """The distinct texts that a column has in one block of rows."""

    def __init__(self, texts: set[str]):
        self.texts = texts
        # All in one text, since one search in it is worth a thousand. A bar in a text only
        # costs time.
        self.joined = "|".join(("", *texts, ""))

    def beginning(self, letters: str) -> list[str]:
        """Those that begin with one of some letters."""
        text = self.joined
        if not any(letter in text and f"|{letter}" in text for letter in letters):
            return []
        return [text for text in self.texts if text and text[0] in letters]

    @cached_property
    def odd(self) -> list[str]:
        """Those that are not printable ASCII with single spaces inside.

        Nothing about the form of the others can be wrong.
        """
        if _plain(self.joined):
            return []
        return [text for text in self.texts if text and not _plain(f"|{text}|")]


def _plain(text: str) -> bool:
    """Whether a text is printable ASCII without two spaces in a row or one beside a bar."""
    return (
        text.isascii()
        and text.isprintable()
        and not (" " in text and ("  " in text or "| " in text or " |" in text))
    )


class Check(NamedTuple):
    """A test of the values that one row has in some fields.

    `test` takes one text per field and returns what is wrong, or nothing. `field` is the one to
    blame. `suspects`, for a check of one field, are the texts among many that may fail; checks
    that suspect the same share the function.
    """

    fields: tuple[str, ...]
    test: Callable[..., str | bool | None]
    field: str
    suspects: Callable[[Values], Collection[str]] = attrgetter("texts")


class Table:
    """What one pass over the file of a resource leaves behind.

    `columns` holds the kept fields, one list of texts per field, rows in file order; once the
    rules on this table alone have run, those by which tables are compared. `complete` says whether
    every row was read; a rule that compares tables skips one that is not.
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
        # By block of rows: the first row, counted from 0, and the physical line of each.
        self.starts: list[int] = []
        self.lines: list[Sequence[int]] = []
        self.last_line = 1
        self._distinct: dict[tuple[str, ...], set] = {}

    @property
    def sound(self) -> bool:
        """Whether every row was read and the columns are in order."""
        return self.complete and self.header == self.resource.names

    def rows_of(self, names: list[str]) -> list:
        """The values of kept fields: texts for one field, tuples of texts for several."""
        columns = [self.columns[name] for name in names]
        return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))

    def distinct(self, names: list[str]) -> set:
        """The distinct values of kept fields, made once; not to be changed."""
        key = tuple(names)
        if key not in self._distinct:
            self._distinct[key] = set(self.rows_of(names))
        return self._distinct[key]

    def release(self) -> None:
        """Keep only the columns by which tables are compared."""
        compared = self.resource.compared()
        self.columns = {name: self.columns[name] for name in self.columns if name in compared}
        self._distinct = {}

    def line(self, row: int) -> int:
        """The physical line on which a row begins; `row` counts data rows from 0."""
        block = bisect_right(self.starts, row) - 1
        return self.lines[block][row - self.starts[block]]

    def fault(self, row: int, field: str, message: str) -> Fault:
        """A fault in one cell of a row."""
        return Fault(self.resource.path, self.line(row), field, message)

    def file_fault(self, line: int, message: str) -> Fault:
        """A fault on a physical line of the file."""
        return Fault(self.resource.path, line, "", message)


def records(resource: Resource) -> Iterator[list[str]]:
    """The rows of a valid table as lists of texts in schema order, without the header."""
    path = os.path.join(resource.package.root, resource.path)
    with open(path, encoding="utf-8", newline="") as file:
        yield from islice(csv.reader(file, strict=True), 1, None)


def cut(text: str, width: int) -> Columns | None:
    """The columns of a block of whole lines, or None where csv has to read it letter by letter.

    A line break becomes a cell of its own and a quoted cell becomes a lone quote, so that one
    split cuts the whole block, at half the cost. The marks show whether every cell was what it
    seemed: quotes around whole cells and as many cells on every line.
    """
    if "\r" in text or "\0" in text or len(text) > csv.field_size_limit():
        return None
    lines = text.count("\n")
    skeleton, *rest = text.replace('""', "\0").split('"')
    quoted = rest[::2]
    skeleton = '"'.join((skeleton, *rest[1::2]))
    cells = skeleton.replace("\n", ",\n,").split(",")
    if (
        len(rest) % 2
        or "\0" in skeleton
        or cells.count('"') != len(quoted)
        or len(cells) != lines * (width + 1) + 1
        or cells[width :: width + 1].count("\n") != lines
        or cells[-1]
    ):
        return None
    at = -1
    for content in quoted:
        at = cells.index('"', at + 1)
        cells[at] = content.replace("\0", '"')
    columns = [cells[place : -1 : width + 1] for place in range(width)]
    blank = "" in columns[0] and not all(map(any, zip(*columns, strict=True)))
    return None if blank else columns


class Reader:
    """One pass over a table: hash, decode, parse, and give every value to the checks.

    `text_checks` take the text of a block of lines and the number of its first line and yield
    (line, message).
    """

    def __init__(self, resource: Resource, text_checks: Sequence, checks: Sequence[Check]):
        self.table = Table(resource)
        self.found: list[tuple[str, int, Fault]] = []
        self.digest = hashlib.sha256()
        self.text_checks = text_checks
        unique = {f["name"] for f in resource.fields if f.get("constraints", {}).get("unique")}
        referred = {
            name
            for other in resource.package.resources
            for reference in other.references()
            if reference.resource == resource.name
            for name in reference.target
        }
        self.shared = set(self.table.columns) - unique | referred
        # By field and by what is suspected.
        self.by_field: dict[str, dict[Callable, list[tuple[int, Check]]]] = {}
        self.passed: dict[str, set[str]] = {name: set() for name in resource.names}
        self.by_row: list[tuple[int, Check]] = []
        for number, check in enumerate(checks):
            if len(check.fields) > 1:
                self.by_row.append((number, check))
            else:
                groups = self.by_field.setdefault(check.fields[0], {})
                groups.setdefault(check.suspects, []).append((number, check))

    def read(self) -> Iterator[tuple[str, int, Fault]]:
        """Read the file; yield ("text" or "row", index of the check, fault)."""
        table = self.table
        path = os.path.join(table.resource.package.root, table.resource.path)
        if not os.path.isfile(path):  # a pipe would be waited for without end
            raise FileNotFoundError(path)
        with open(path, "rb") as file:
            for columns, numbers in self._blocks(self._texts(file)):
                self._note(columns, numbers)
                yield from self._drain()
            self._finish_hash(file)
        unread = table.broken or table.undecodable or table.overlong or table.ragged
        table.complete = not unread and self._has_header()
        yield from self._drain()

    def _has_header(self) -> bool:
        """Whether the header has the fields of the schema, in whatever order."""
        header = self.table.header
        return header is not None and sorted(header) == sorted(self.table.resource.names)

    def _drain(self) -> Iterator[tuple[str, int, Fault]]:
        yield from self.found
        self.found = []

    def _finish_hash(self, file: io.BufferedReader) -> None:
        while chunk := file.read(BLOCK_BYTES):
            self.digest.update(chunk)
            self.table.bytes += len(chunk)
        self.table.sha256 = self.digest.hexdigest()

    def _texts(self, file: io.BufferedReader) -> Iterator[str]:
        """Blocks of whole lines, hashed and decoded, until one cannot be read."""
        table = self.table
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
            if number == 1 and (chunk[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in chunk[:4]):
                table.undecodable = (1, "the file is in UTF-16, not in UTF-8")
                return
            try:
                text = chunk.decode("utf-8")
            except UnicodeDecodeError as error:
                line = number + chunk.count(b"\n", 0, error.start)
                before = chunk[: error.start].rpartition(b"\n")[2][-20:].decode(errors="ignore")
                what = f"byte {chunk[error.start]:#04x} after {before!a} is not UTF-8"
                table.undecodable = (line, what)
                return
            for index, check in enumerate(self.text_checks):
                for line, message in check(text, number):
                    self.found.append(("text", index, table.file_fault(line, message)))
            if number == 1:
                text = text.removeprefix("\ufeff")
            number += chunk.count(b"\n")
            table.last_line = number - table.final_newline
            yield text

    def _blocks(self, texts: Iterator[str]) -> Iterator[tuple[Columns, Sequence[int]]]:
        """The columns of a block of rows, with the physical line on which each row begins."""
        table = self.table
        width = len(table.resource.names)
        line = 1
        for text in texts:
            start = 0
            while start < len(text):
                end = text.find("\n", start + BLOCK_CHARACTERS) + 1 or len(text)
                columns = cut(text[start:end], width)
                if columns is None:
                    yield from self._parsed(chain([text[start:]], texts), line)
                    return
                numbers = range(line, line + len(columns[0]))
                if table.header is None:
                    table.header = [column.pop(0) for column in columns]
                    if not self._has_header():
                        return
                    numbers = numbers[1:]
                yield columns, numbers
                line = numbers.stop
                start = end

    def _parsed(self, texts: Iterable[str], first: int) -> Iterator[tuple[Columns, Sequence[int]]]:
        """The same, letter by letter, of texts that begin on a physical line."""
        table = self.table
        lines = (io.StringIO(text, newline="") for text in texts)
        reader = csv.reader(chain.from_iterable(lines), strict=True)
        at_end = False
        while not at_end:
            rows: list[list[str]] = []
            last = first + reader.line_num
            try:
                rows.extend(islice(reader, BLOCK_ROWS))
            except csv.Error as error:
                start = last + len(rows) + sum(map(_breaks, chain.from_iterable(rows)))
                table.broken = (start, str(error))
            at_end = len(rows) < BLOCK_ROWS
            numbers: Sequence[int] = range(last, first + reader.line_num)
            if len(numbers) != len(rows):
                sizes = (1 + sum(map(_breaks, row)) for row in rows)
                numbers = list(accumulate(sizes, initial=last))[: len(rows)]
            if table.header is None and rows:
                table.header = rows.pop(0)
                if not self._has_header():
                    return
                numbers = numbers[1:]
            yield self._sifted(rows, numbers)

    def _sifted(
        self, rows: list[list[str]], numbers: Sequence[int]
    ) -> tuple[Columns, Sequence[int]]:
        """The columns of the rows that are neither blank nor ragged."""
        table = self.table
        width = len(table.resource.names)
        if not all(row and row[0] for row in rows):
            filled = [(n, row) for n, row in zip(numbers, rows, strict=True) if any(row)]
            table.blank += sorted({*numbers} - {n for n, _ in filled})
            numbers, rows = [n for n, _ in filled], [row for _, row in filled]
        if set(map(len, rows)) - {width}:
            numbered = list(zip(numbers, rows, strict=True))
            table.ragged += [(n, len(row)) for n, row in numbered if len(row) != width]
            numbers = [n for n, row in numbered if len(row) == width]
            rows = [row for row in rows if len(row) == width]
        return list(zip(*rows, strict=True)), numbers

    def _note(self, columns: Columns, numbers: Sequence[int]) -> None:
        table = self.table
        if not numbers:
            return
        table.starts.append(table.rows)
        table.lines.append(numbers)
        by_name = dict(zip(table.header, columns, strict=True))
        for name, column in by_name.items():
            distinct = set(column)
            if name in table.columns:
                # One object per text in the whole package, where rows refer to others by it.
                shared = name in self.shared
                table.columns[name] += map(sys.intern, column) if shared else column
            if name in self.by_field:
                self._check_column(name, column, distinct)
        self._check_rows(by_name)
        table.rows += len(numbers)

    def _check_column(self, name: str, column: Sequence[str], distinct: set[str]) -> None:
        passed = self.passed[name]
        fresh = distinct - passed
        if not fresh:
            return
        values = Values(fresh)
        failed: set[str] = set()
        for suspects, checks in self.by_field[name].items():
            texts = suspects(values)
            for index, check in checks if texts else ():
                wrong = {text: message for text in texts if (message := check.test(text))}
                if wrong:
                    failed |= wrong.keys()
                    self._blame(index, check, column, wrong)
        if len(passed) < _MAX_PASSED and len(distinct) < len(column):
            passed |= fresh - failed

    def _check_rows(self, columns: dict[str, Sequence[str]]) -> None:
        for index, check in self.by_row:
            rows = list(zip(*(columns[name] for name in check.fields), strict=True))
            wrong = {row: message for row in set(rows) if (message := check.test(*row))}
            if wrong:
                self._blame(index, check, rows, wrong)

    def _blame(self, index: int, check: Check, values: Iterable, wrong: dict) -> None:
        table = self.table
        for offset, value in enumerate(values):
            if value in wrong:
                fault = table.fault(table.rows + offset, check.field, wrong[value])
                self.found.append(("row", index, fault))


def _breaks(cell: str) -> int:
    """How many physical line ends a cell contains."""
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")
