"""Reads the tables of a package block by block in bounded memory, and again to locate a fault."""

import csv
import hashlib
import io
import marshal
import os
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

# Caches of values stay this small, so that memory does not grow with the file.
_MAX_SEEN = 50_000
# More values than this are packed.
_LARGE = 20_000


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

    Kept are the distinct values by which a rule compares rows or tables; once the rules on this
    table alone have run, those by which tables are compared. The rows are not kept, but read again
    where a fault has to be located. `complete` says whether every row was read; a rule that
    compares tables skips one that is not. `in_order` says whether the rows ascend by their key.
    """

    def __init__(self, resource: Resource):
        self.resource = resource
        self.bytes = 0
        self.sha256 = ""
        self.rows = 0
        self.header: list[str] | None = None
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
        self.in_order = True
        self._last: list = []  # what the last row is ordered by
        self._distinct: dict[tuple[str, ...], set] = {key: set() for key in resource.kept()}
        # Large ones as bytes, once all rows are read: a quarter of the memory.
        self._packed: dict[tuple[str, ...], bytes] = {}
        # By unique key, the hashes of its values without their case: different hashes prove that
        # no value stands twice, and are small.
        self._hashes: dict[tuple[str, ...], set[int]] = {key: set() for key in resource.unique()}
        self._empty = {name: 0 for key in self._hashes for name in key}

    def __getstate__(self) -> dict:
        """All but the resource, which every process has."""
        return {**vars(self), "resource": None}

    @property
    def sound(self) -> bool:
        """Whether every row was read and the columns are in order."""
        return self.complete and self.header == self.resource.names

    def add(self, numbers: Sequence[int]) -> None:
        """Note on which physical line each of the next rows begins."""
        self.starts.append(self.rows)
        self.lines.append(numbers)
        self.rows += len(numbers)

    def keep(self, columns: dict[str, Sequence[str]]) -> None:
        """Keep of the rows that were added, given by field, what rules compare."""
        for names, distinct in self._distinct.items():
            distinct.update(_values(columns, names))
        for names, hashes in self._hashes.items():
            values = _values(columns, names)
            hashes.update(map(hash, _folded(values) if len(names) == 1 else values))
        for name in self._empty:
            self._empty[name] += columns[name].count("")
        if self.in_order and self.resource.primary_key:
            order = [*self._last, *self._order(columns)]
            self.in_order = order == sorted(order)
            self._last = order[-1:]

    def _order(self, columns: dict[str, Sequence[str]]) -> Iterable:
        resource = self.resource
        if {resource.field(name)["type"] for name in resource.primary_key} == {"string"}:
            return _values(columns, resource.primary_key)
        keys = (columns[name] for name in resource.primary_key)
        return map(resource.in_order, zip(*keys, strict=True))

    def distinct(self, *names: str) -> set:
        """The distinct values of kept fields: texts of one field, tuples of texts of several."""
        if names in self._packed:
            self._distinct[names] = set(marshal.loads(self._packed.pop(names)))
        return self._distinct[names]

    def has(self, *names: str) -> bool:
        """Whether the distinct values of these fields are kept."""
        return names in self._distinct or names in self._packed

    def repeats(self, *names: str) -> bool:
        """Whether two rows may have the same in a unique key but for case; fast, may say yes.

        Of one field, the empty text does not count.
        """
        empty = self._empty[names[0]] if len(names) == 1 else 0
        return len(self._hashes[names]) - bool(empty) < self.rows - empty

    def lacks(self, name: str) -> bool:
        """Whether a part of a unique key is empty in some row."""
        return self._empty[name] > 0

    def values(self, *names: str) -> list:
        """The values of fields in every row: texts of one field, tuples of texts of several."""
        blocks = Reader(self.resource, (), ()).blocks()
        return list(chain.from_iterable(_values(columns, names) for columns, _ in blocks))

    def release(self) -> None:
        """Keep only the values by which tables are compared."""
        self._distinct = {key: self._distinct[key] for key in self.resource.compared}
        self._hashes = {}
        for key in [key for key, distinct in self._distinct.items() if len(distinct) > _LARGE]:
            self._packed[key] = marshal.dumps([*self._distinct.pop(key)])

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
        # By field and by what is suspected.
        self.by_field: dict[str, dict[Callable, list[tuple[int, Check]]]] = {}
        # By field: texts that need no second look, and those that the table keeps and that fail.
        self.seen: dict[str, set[str]] = {}
        self.failed: dict[str, set[str]] = {}
        for name in resource.names:
            self.seen[name] = self.table.distinct(name) if self.table.has(name) else set()
            self.failed[name] = set()
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
        for columns, numbers in self.blocks():
            table.add(numbers)
            for name, column in columns.items():
                if name in self.by_field:
                    self._check_column(name, column)
            self._check_rows(columns)
            table.keep(columns)
            yield from self._drain()
        unread = table.broken or table.undecodable or table.overlong or table.ragged
        table.complete = not unread and self._has_header()
        yield from self._drain()

    def blocks(self) -> Iterator[tuple[dict[str, Sequence[str]], Sequence[int]]]:
        """The rows, some at a time, given by field, and the physical line of each."""
        table = self.table
        path = os.path.join(table.resource.package.root, table.resource.path)
        if not os.path.isfile(path):  # a pipe would be waited for without end
            raise FileNotFoundError(path)
        with open(path, "rb") as file:
            for columns, numbers in self._blocks(self._texts(file)):
                if numbers:
                    yield dict(zip(table.header, columns, strict=True)), numbers
            while chunk := file.read(BLOCK_BYTES):
                self._hash(chunk)
        table.sha256 = self.digest.hexdigest()

    def _has_header(self) -> bool:
        """Whether the header has the fields of the schema, in whatever order."""
        header = self.table.header
        return header is not None and sorted(header) == sorted(self.table.resource.names)

    def _drain(self) -> Iterator[tuple[str, int, Fault]]:
        yield from self.found
        self.found = []

    def _hash(self, chunk: bytes) -> None:
        self.digest.update(chunk)
        self.table.bytes += len(chunk)

    def _texts(self, file: io.BufferedReader) -> Iterator[str]:
        """Blocks of whole lines, hashed and decoded, until one cannot be read."""
        table = self.table
        number = 1
        while chunk := file.read(BLOCK_BYTES):
            tail = file.readline(MAX_LINE_BYTES)
            chunk += tail
            self._hash(chunk)
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

    def _check_column(self, name: str, column: Sequence[str]) -> None:
        seen = self.seen[name]
        distinct = set(column)
        fresh = distinct - seen | distinct & self.failed[name]
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
        if self.table.has(name):
            self.failed[name] |= failed
        elif len(seen) < _MAX_SEEN and len(distinct) < len(column):
            seen |= fresh - failed

    def _check_rows(self, columns: dict[str, Sequence[str]]) -> None:
        for index, check in self.by_row:
            rows = list(zip(*(columns[name] for name in check.fields), strict=True))
            wrong = {row: message for row in set(rows) if (message := check.test(*row))}
            if wrong:
                self._blame(index, check, rows, wrong)

    def _blame(self, index: int, check: Check, values: Collection, wrong: dict) -> None:
        """Note the faults in the rows that were added last."""
        table = self.table
        for row, value in enumerate(values, table.rows - len(values)):
            if value in wrong:
                fault = table.fault(row, check.field, wrong[value])
                self.found.append(("row", index, fault))


def _values(columns: dict[str, Sequence[str]], names: Sequence[str]) -> Sequence:
    """The values of fields in some rows: texts of one field, tuples of texts of several."""
    if len(names) == 1:
        return columns[names[0]]
    return list(zip(*(columns[name] for name in names), strict=True))


def _folded(texts: Sequence[str]) -> Sequence[str]:
    """Texts without their case: all in one text, unless one of them has a line break."""
    folded = "\n".join(texts).casefold().split("\n")
    return folded if len(folded) == len(texts) else [text.casefold() for text in texts]


def _breaks(cell: str) -> int:
    """How many physical line ends a cell contains."""
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")
