"""Reads the tables of a package: each once, into columns of texts, with the line of every row."""

import csv
import io
import os
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, compress, filterfalse
from typing import Any

from pipeline import files
from pipeline.issue import Fault, show
from pipeline.package.columns import FromPlain, FromRows, Part, together

MAX_LINE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 20
BLOCK_ROWS = 512
# From here on, importing pyarrow costs less than reading without it; once it is there, a part of
# its own does.
LARGE_BYTES = 1 << 22
LARGE_ONCE = 1 << 17
_ASCII = bytes(range(0x20, 0x7F))

# Is given a block of whole lines and the number of its first.
See = Callable[[str, int], None]


class Column:
    """The distinct texts of a column, or of a part of it, and the field in the schema.

    The empty text is not among them; `empty` says whether a cell is. `odd` are those that are not
    printable ASCII with single blanks inside: about the form of the others nothing can be wrong.
    What stands nowhere in `joined`, the texts with a blank between them, stands in none of them.
    The set that it is made from becomes its own.
    """

    __slots__ = ("empty", "field", "joined", "odd", "texts")

    def __init__(self, field: dict[str, Any], texts: set[str]):
        self.field = field
        self.empty = "" in texts
        texts.discard("")
        self.texts = texts
        self.joined = " ".join(texts)
        # Mostly all texts together say soon what there is to look for in each.
        if _has_odd_blanks(self.joined):
            self.odd = [text for text in texts if not text.isascii() or _has_odd_blanks(text)]
        else:
            self.odd = list(filterfalse(str.isascii, texts))


class Table:
    """A table as it was read: its columns, the line of each row, and what kept it from being read.

    `path` is the one inside the package, `names` are those of the fields in schema order.
    `complete` says whether every row was read; a rule that compares tables skips one that is not.
    `doubtful` are the fields that a rule blamed as a whole; with these nothing is compared either.
    `blamed` counts the cells of each field in which a rule found a fault.
    """

    def __init__(self, path: str, names: list[str]):
        self.path = path
        self.names = names
        self.bytes = 0
        self.sha256 = ""
        self.header: list[str] | None = None
        self.parts: list[Part] = []
        self.lines: Sequence[int] = ()
        self.complete = False
        self.doubtful: set[str] = set()
        self.blamed: Counter[str] = Counter()
        self.broken: tuple[int, str] | None = None
        self.undecodable: tuple[int, str] | None = None
        self.overlong: int | None = None
        self.final_newline = True
        self.last_line = 1
        self.blank: list[int] = []
        self.headers: list[int] = []
        self.ragged: list[tuple[int, int]] = []

    @property
    def rows(self) -> int:
        """How many rows have as many cells as the header."""
        return len(self.lines)

    @property
    def has_names(self) -> bool:
        """Whether the header has the names of the fields, in whatever order."""
        return self.header is not None and sorted(self.header) == sorted(self.names)

    @property
    def sound(self) -> bool:
        """Whether every row was read and the columns are in order."""
        return self.complete and self.header == self.names

    def values(self, *names: str) -> Iterator[Any]:
        """The values of fields in every row: texts of one field, tuples of texts of several."""
        if len(names) == 1:
            return chain.from_iterable(part[names[0]].cells() for part in self.parts)
        return self.tuples(*names)

    def tuples(self, *names: str) -> Iterator[tuple[str, ...]]:
        """The values of fields in every row, as tuples of texts even of one field."""
        return chain.from_iterable(
            zip(*(part[name].cells() for name in names), strict=True) for part in self.parts
        )

    def made(self, name: str, make: Callable[[str], Any]) -> list[Any]:
        """What a function makes of the text of a field in every row; of an empty one, None."""
        made: list[Any] = []
        for part in self.parts:
            values = [make(text) if text else None for text in part[name].texts()]
            made.extend(map(values.__getitem__, part[name].codes))
        return made

    def records(self) -> Iterator[dict[str, str]]:
        """The texts of every row, by field."""
        return (dict(zip(self.names, row, strict=True)) for row in self.tuples(*self.names))

    def filled(self, *names: str) -> Iterator[tuple[bool, ...]]:
        """Which of some fields are filled, in every row."""
        for part in self.parts:
            yield from zip(*(part[name].filled() for name in names), strict=True)

    def each(self, *names: str) -> Iterator[Any]:
        """Every value of fields as in `values`, but seldom more than once, and in no order."""
        if len(names) == 1:
            return chain.from_iterable(part[names[0]].texts() for part in self.parts)
        return chain.from_iterable(together([part[name] for name in names]) for part in self.parts)

    def where(
        self, when: dict[str, list[str]], name: str, is_wrong: Callable[[str], object]
    ) -> Iterator[tuple[int, str, str]]:
        """The rows in which a field is wrong while every other field has one of its values.

        Each with the text of the field `name` there, and in words what the others have.
        """
        names, wanted = (*when, name), list(map(set, when.values()))
        wrong: set[tuple[str, ...]] = set()
        for part in self.parts:
            bad = set(filter(is_wrong, part[name].texts()))
            # Mostly one of the fields has no such text, whatever stands beside it.
            if bad and not any(
                values.isdisjoint(part[each].texts())
                for each, values in zip(when, wanted, strict=True)
            ):
                wrong.update(
                    texts
                    for texts in together([part[each] for each in names])
                    if texts[-1] in bad and all(map(set.__contains__, wanted, texts))
                )
        for row, texts in enumerate(self.tuples(*names) if wrong else ()):
            if texts in wrong:
                said = (
                    f"{each} is {show(text) if text else 'empty'}"
                    for each, text in zip(when, texts, strict=False)
                )
                yield row, texts[-1], " and ".join(said)

    def distinct(self, *names: str) -> set[Any]:
        """The distinct values of fields: texts of one field, tuples of texts of several."""
        return set(self.each(*names))

    def columns(self, field: dict[str, Any]) -> Iterator[Column]:
        """The texts of one field in each part of the table."""
        for part in self.parts:
            yield Column(field, set(part[field["name"]].texts()))

    def filled_cells(self, key: str, names: list[str]) -> set[tuple[str, str]]:
        """The cells (key, field) of some fields that are not empty."""
        return {
            (value, name)
            for name in names
            for value in compress(self.values(key), chain.from_iterable(self.filled(name)))
        }

    def faults(self, field: str, wrong: dict[Any, str], *others: str) -> Iterator[Fault]:
        """A fault in every row whose text in a field is wrong; `wrong` says what is, by text.

        With other fields, a tuple of its text and theirs is.
        """
        for row, value in enumerate(self.values(field, *others) if wrong else ()):
            if value in wrong:
                yield self.fault(row, field, wrong[value], *others)

    def fault(self, row: int, field: str, message: str, *beside: str) -> Fault:
        """A fault in one cell of a row, beside others of it; `row` counts from 0."""
        return Fault(self.path, self.lines[row], field, message, (), beside)

    def file_fault(self, line: int, message: str) -> Fault:
        """A fault on a physical line of the file."""
        return Fault(self.path, line, "", message)


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows, header first, as every table of a package is written."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def is_header(row: list[str], names: list[str]) -> bool:
    """Whether the cells of a row are the names of several fields, in whatever order.

    It may begin with the byte-order mark of another file that was put after the first.
    """
    return len(names) > 1 and sorted(cell.strip("\ufeff ") for cell in row) == sorted(names)


def _has_odd_blanks(text: str) -> bool:
    """Whether a text has what is not printable, or blanks at an end or beside each other."""
    # Of ASCII, all that is printable is taken away in half the time that it takes to look it up.
    odd = text.encode().translate(None, _ASCII) if text.isascii() else not text.isprintable()
    return bool(odd) or "  " in text or text[:1] == " " or text[-1:] == " "


def read(root: str, path: str, names: list[str], see: See, large: int | None = None) -> Table:
    """Read the table at a path below a root; `see` is given the text block by block.

    A file of `large` bytes or more is read by pyarrow, where it is installed, up to the first
    block that is not plain. Raises OSError where the file cannot be opened.
    """
    table = Table(path, names)
    with files.opened(root, path) as file:
        texts = _texts(table, file, see)
        if large is None:
            large = LARGE_ONCE if "pyarrow.csv" in sys.modules else LARGE_BYTES
        if os.fstat(file.fileno()).st_size >= large:
            texts = _read_plain(table, texts)
        _read_rows(table, texts)
    unread = table.broken or table.undecodable or table.overlong or table.ragged or table.headers
    table.complete = table.has_names and not unread
    return table


def _read_plain(table: Table, texts: Iterator[str]) -> Iterator[str]:
    """Read blocks as long as they are plain; the texts that remain, all where pyarrow fails."""
    text = next(texts, "")
    header, _, rest = text.partition("\n")
    names = header.split(",")
    if sorted(names) != sorted(table.names):
        return chain([text], texts)
    try:
        reader = FromPlain(names)
    except ImportError:
        return chain([text], texts)
    table.header = names
    headers = {mark + name for mark in ("", "\ufeff") for name in names}
    texts = chain([rest], texts)
    for text in texts:
        part = reader.part(text)
        if part is None or not headers.isdisjoint(part[names[0]].texts()):
            texts = chain([text], texts)
            break
        table.parts.append(part)
    table.lines = range(2, 2 + sum(len(part[names[0]].codes) for part in table.parts))
    return texts


def _read_rows(table: Table, texts: Iterator[str]) -> None:
    """Read row by row, and note those that are blank, ragged or cannot be parsed."""
    above = table.rows + (table.header is not None)
    line, known = above + 1, table.has_names
    last = set(table.names)
    numbers = array("L")
    columns = FromRows(table.header or [])
    rows: list[list[str]] = []
    lines = chain.from_iterable(io.StringIO(text, newline="") for text in texts)
    reader = csv.reader(lines, strict=True)
    try:
        for row in reader:
            start, line = line, above + reader.line_num + 1
            if table.header is None:
                table.header = row
                if known := table.has_names:
                    columns = FromRows(row)
            elif not known:
                continue  # only whether it can be parsed
            elif not any(row):
                table.blank.append(start)
            elif len(row) != len(table.names):
                table.ragged.append((start, len(row)))
            elif row[-1] in last and is_header(row, table.names):
                table.headers.append(start)
            else:
                numbers.append(start)
                rows.append(row)
                if len(rows) == BLOCK_ROWS:
                    columns.add(rows)
                    rows.clear()
    except csv.Error as error:
        table.broken = (line, str(error))
    columns.add(rows)
    if numbers:
        table.parts.append(columns.part())
        table.lines = array("L", chain(table.lines, numbers))


def _texts(table: Table, file: io.BufferedReader, see: See) -> Iterator[str]:
    """Blocks of whole lines, hashed and decoded, until one cannot be read."""
    digest = files.hasher(os.fstat(file.fileno()).st_size)
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
            what = f"byte {chunk[error.start]:#04x} after {show(before)} is not UTF-8"
            table.undecodable = (line, what)
            return
        see(text, number)
        if number == 1:
            text = text.removeprefix("\ufeff")
        number += chunk.count(b"\n")
        table.last_line = number - table.final_newline
        table.sha256 = digest.hexdigest()
        yield text
