"""Reads the tables of a package: each once, into columns of texts, with the line of every row."""

import csv
import hashlib
import io
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from pipeline import files
from pipeline.issue import Fault, show

MAX_LINE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 20
BLOCK_ROWS = 512

# Is given a block of whole lines and the number of its first.
See = Callable[[str, int], None]


class Column(NamedTuple):
    """The distinct texts of one column, and the field that its schema describes.

    The empty text is not among them; `empty` says whether a cell is. `odd` are those that are not
    printable ASCII with single blanks inside: about the form of the others nothing can be wrong.
    """

    field: dict[str, Any]
    texts: set[str]
    empty: bool
    odd: list[str]


class Table:
    """A table as it was read: its columns, the line of each row, and what kept it from being read.

    `path` is the one inside the package, `names` are those of the fields in schema order.
    `complete` says whether every row was read; a rule that compares tables skips one that is not.
    """

    def __init__(self, path: str, names: list[str]):
        self.path = path
        self.names = names
        self.bytes = 0
        self.sha256 = ""
        self.header: list[str] | None = None
        self.columns: dict[str, list[str]] = {name: [] for name in names}
        self.lines = array("L")
        self.complete = False
        self.broken: tuple[int, str] | None = None
        self.undecodable: tuple[int, str] | None = None
        self.overlong: int | None = None
        self.final_newline = True
        self.last_line = 1
        self.blank: list[int] = []
        self.ragged: list[tuple[int, int]] = []

    @property
    def rows(self) -> int:
        """How many rows have as many cells as the header."""
        return len(self.lines)

    @property
    def sound(self) -> bool:
        """Whether every row was read and the columns are in order."""
        return self.complete and self.header == self.names

    def values(self, *names: str) -> Iterable[Any]:
        """The values of fields in every row: texts of one field, tuples of texts of several."""
        columns = [self.columns[name] for name in names]
        return columns[0] if len(columns) == 1 else zip(*columns, strict=True)

    def tuples(self, *names: str) -> Iterator[tuple[str, ...]]:
        """The values of fields in every row, as tuples of texts even of one field."""
        return zip(*(self.columns[name] for name in names), strict=True)

    def where(
        self, when: dict[str, list[str]], name: str, is_wrong: Callable[[str], object]
    ) -> Iterator[tuple[int, str, str]]:
        """The rows in which a field is wrong while every other field has one of its values.

        Each with the text of the field `name` there, and in words what the others have.
        """
        names = (*when, name)
        wrong = {
            texts
            for texts in set(self.tuples(*names))
            if is_wrong(texts[-1])
            and all(text in when[each] for each, text in zip(when, texts, strict=False))
        }
        for row, texts in enumerate(self.tuples(*names) if wrong else ()):
            if texts in wrong:
                said = (
                    f"{each} is {show(text) if text else 'empty'}"
                    for each, text in zip(when, texts, strict=False)
                )
                yield row, texts[-1], " and ".join(said)

    def distinct(self, *names: str) -> set[Any]:
        """The distinct values of fields: texts of one field, tuples of texts of several."""
        return set(self.values(*names))

    def column(self, field: dict[str, Any]) -> Column:
        """A column with its distinct texts."""
        texts = self.distinct(field["name"])
        empty = "" in texts
        texts.discard("")
        odd = [
            text
            for text in texts
            if not (text.isascii() and text.isprintable())
            or "  " in text
            or text[0] == " "
            or text[-1] == " "
        ]
        return Column(field, texts, empty, odd)

    def filled_cells(self, key: str, names: list[str]) -> set[tuple[str, str]]:
        """The cells (key, field) of some fields that are not empty."""
        return {
            (key_value, name)
            for name in names
            for key_value, cell in self.distinct(key, name)
            if cell
        }

    def faults(self, field: str, wrong: dict[str, str]) -> Iterator[Fault]:
        """A fault in every row whose text in a field is wrong; `wrong` says what is, by text."""
        for row, text in enumerate(self.values(field) if wrong else ()):
            if text in wrong:
                yield self.fault(row, field, wrong[text])

    def fault(self, row: int, field: str, message: str) -> Fault:
        """A fault in one cell of a row; `row` counts from 0."""
        return Fault(self.path, self.lines[row], field, message)

    def file_fault(self, line: int, message: str) -> Fault:
        """A fault on a physical line of the file."""
        return Fault(self.path, line, "", message)


def read(root: str, path: str, names: list[str], see: See) -> Table:
    """Read the table at a path below a root; `see` is given the text block by block.

    Raises OSError where the file cannot be opened.
    """
    table = Table(path, names)
    with files.opened(root, path) as file:
        lines = (io.StringIO(text, newline="") for text in _texts(table, file, see))
        _fill(table, csv.reader(chain.from_iterable(lines), strict=True))
    return table


def _fill(table: Table, reader: Any) -> None:
    """Sort the rows into the table, and note those that are blank, ragged or cannot be parsed."""
    names = table.names
    rows: list[list[str]] = []
    line, known = 1, False
    try:
        for row in reader:
            start, line = line, reader.line_num + 1
            if table.header is None:
                table.header = row
                known = sorted(row) == sorted(names)
            elif not known:
                continue  # only whether it can be parsed
            elif not any(row):
                table.blank.append(start)
            elif len(row) != len(names):
                table.ragged.append((start, len(row)))
            else:
                table.lines.append(start)
                rows.append(row)
                if len(rows) == BLOCK_ROWS:
                    _add(table, rows)
    except csv.Error as error:
        table.broken = (line, str(error))
    _add(table, rows)
    unread = table.broken or table.undecodable or table.overlong or table.ragged
    table.complete = known and not unread


def _add(table: Table, rows: list[list[str]]) -> None:
    for name, cells in zip(table.header or (), zip(*rows, strict=True), strict=False):
        table.columns[name].extend(map(sys.intern, cells))
    rows.clear()


def _texts(table: Table, file: io.BufferedReader, see: See) -> Iterator[str]:
    """Blocks of whole lines, hashed and decoded, until one cannot be read."""
    digest = hashlib.sha256()
    number = 1
    while chunk := file.read(BLOCK_BYTES):
        tail = file.readline(MAX_LINE_BYTES)
        chunk += tail
        digest.update(chunk)
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
        see(text, number)
        if number == 1:
            text = text.removeprefix("\ufeff")
        number += chunk.count(b"\n")
        table.last_line = number - table.final_newline
        table.sha256 = digest.hexdigest()
        yield text
