"""Rules on the form of a CSV file: bytes, lines, quotes, blanks."""

import re
from collections.abc import Iterator
from itertools import chain, product, repeat
from operator import contains

from pipeline.issue import Fault, show
from pipeline.package import Resource
from pipeline.package.columns import between_quotes
from pipeline.package.table import MAX_LINE_BYTES, Column
from pipeline.rules import column_rule, table_rule, text_rule

# What pandas, and in any case of its letters what csvkit, reads as a missing value unless told
# otherwise; a test compares it with both.
# fmt: off
NA_TOKENS = frozenset((
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    *map("".join, chain.from_iterable(
        product(*zip(token, token.upper(), strict=True)) for token in ("na", "n/a", "none", "null")
    )),
    ".",
))
# fmt: on

_BARE = r'[^",\r\n]*'
_QUOTED = r'"[^",]*(?:,|"")(?:[^"]|"")*"'
_CELL = f"(?:{_BARE}|{_QUOTED})"
# Compiled when first needed: mostly they never are.
_LINE = f"{_CELL}(?:,{_CELL})*"
_OPEN = f'(?:{_CELL},)*"(?:[^"]|"")*'


@table_rule("encoding", "save the file as CSV in UTF-8")
def encoding(resource: Resource) -> Iterator[Fault]:
    """A table is encoded in UTF-8."""
    table = resource.table
    if table.undecodable:
        line, what = table.undecodable
        yield table.file_fault(line, f"{what}; nothing after it was read")


@text_rule("byte-order-mark", fix=True)
def byte_order_mark(text: str, number: int) -> Iterator[tuple[int, str]]:
    """A table has no byte-order mark, which many readers take for part of the first name."""
    if number == 1 and text.startswith("\ufeff"):
        yield 1, "the file begins with a byte-order mark"


@text_rule("line-ending", fix=True)
def line_ending(text: str, number: int) -> Iterator[tuple[int, str]]:
    """Every line ends with a line feed alone."""
    if "\r" in text:
        count = text.count("\r")
        line = number + text.count("\n", 0, text.index("\r"))
        yield line, f"{count} carriage returns from here on"


@text_rule("null-character", "find out what wrote the file and export it again")
def null_character(text: str, number: int) -> Iterator[tuple[int, str]]:
    """A table contains no NUL character."""
    if "\0" in text:
        yield number + text.count("\n", 0, text.index("\0")), "the line contains a NUL character"


@text_rule("quoting", fix=True)
def quoting(text: str, number: int) -> Iterator[tuple[int, str]]:
    """A cell is quoted only where it has a comma or a quote, and quotes inside are doubled."""
    if _quoted_well(text):
        return
    wrong: list[int] = []
    inside = False  # a quoted cell that began on an earlier line, which another rule reports
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line, content in enumerate(lines, number):
        odd = content.count('"') % 2 == 1
        if inside or (odd and re.fullmatch(_OPEN, content)):
            inside ^= odd
        elif '"' in content and not re.fullmatch(_LINE, content):
            wrong.append(line)
    if wrong:
        more = f", here and on {len(wrong) - 1:,} more lines" if len(wrong) > 1 else ""
        yield wrong[0], f"a cell is quoted without need, or a quote inside is not doubled{more}"


def _quoted_well(text: str) -> bool:
    """Whether every quote in a block of whole lines is where it must be; fast, may say no."""
    inside = between_quotes(text)
    return (
        inside is not None
        and all(map(contains, inside, repeat(",")))
        and "\n" not in "".join(inside)
    )


@table_rule("csv-syntax", "close the quote, and put a comma after it")
def csv_syntax(resource: Resource) -> Iterator[Fault]:
    """Every quote is closed, and a comma or the end of the line follows it."""
    table = resource.table
    if table.broken:
        line, why = table.broken
        yield table.file_fault(line, f"cannot be parsed from here on: {why}")


@table_rule("overlong-line", "check whether the line ends are missing")
def overlong_line(resource: Resource) -> Iterator[Fault]:
    """No line is longer than a mebibyte."""
    table = resource.table
    if table.overlong:
        message = f"is longer than {MAX_LINE_BYTES:,} bytes; nothing after it was read"
        yield table.file_fault(table.overlong, message)


@table_rule("final-newline", fix=True)
def final_newline(resource: Resource) -> Iterator[Fault]:
    """The last line ends with a line feed."""
    table = resource.table
    if not table.final_newline and not (table.overlong or table.undecodable):
        yield table.file_fault(table.last_line, "the last line does not end with a line feed")


@table_rule(
    "header",
    "make line 1 the names of the schema's fields, in their order, separated by commas",
)
def header(resource: Resource) -> Iterator[Fault]:
    """The header has the fields of the schema in their order."""
    table = resource.table
    names = resource.names
    if table.header is None:
        if not (table.broken or table.undecodable or table.overlong):
            yield table.file_fault(1, "the file is empty; it lacks even a header")
        return
    if not set(table.header) & set(names):
        yield table.file_fault(1, _no_header(table.header, names))
        return
    seen: set[str] = set()
    about = (resource.path, "header")
    for number, name in enumerate(table.header, 1):
        if name not in resource.places or name in seen:
            why = "stands twice" if name in seen else "is not in the schema"
            words = f"column {number} has no name" if not name else f"the column {show(name)} {why}"
            yield Fault(resource.path, 1, name[:60], words, about)
        seen.add(name)
    missing = [name for name in names if name not in seen]
    for name in missing:
        yield Fault(resource.path, 1, name, f"the column {show(name)} is missing", about)
    if not missing and len(table.header) == len(names) and table.header != names:
        yield table.file_fault(1, "the columns are not in the order of the schema")


def _no_header(cells: list[str], names: list[str]) -> str:
    """What is wrong with a first line that names no column of the schema."""
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if set(",".join(cells).split(separator)) & set(names):
            return f"the cells are separated by {word}, not by commas"
    return f"this line is no header: none of its {len(cells)} cells is a column of the schema"


@table_rule(
    "empty-table",
    "add a row, remove the table from datapackage.json, or say mayBeEmpty in its schema",
)
def empty_table(resource: Resource) -> Iterator[Fault]:
    """Every table has rows, unless its schema says that it may be empty."""
    table = resource.table
    if table.complete and not table.rows and not resource.schema.get("mayBeEmpty"):
        yield table.file_fault(1, "the table has no rows")


@table_rule("blank-row", fix=True)
def blank_row(resource: Resource) -> Iterator[Fault]:
    """No line is blank."""
    table = resource.table
    for line in table.blank:
        yield table.file_fault(line, "the line is blank")


@table_rule("repeated-header", "delete the line: the names of the columns stand on line 1 alone")
def repeated_header(resource: Resource) -> Iterator[Fault]:
    """The names of the columns do not stand among the rows."""
    table = resource.table
    if lines := table.headers:
        more = f", and on {len(lines) - 1:,} more lines" if len(lines) > 1 else ""
        yield table.file_fault(lines[0], f"the header stands here again{more}")


@table_rule("ragged-row", "give the row one cell per column; quote cells that have a comma")
def ragged_row(resource: Resource) -> Iterator[Fault]:
    """Every row has as many cells as the header."""
    table = resource.table
    for line, cells in table.ragged:
        yield table.file_fault(line, f"{cells} cells, but {len(resource.names)} columns")


@column_rule("line-break", "write the text on one line")
def line_break(column: Column) -> Iterator[tuple[str, str]]:
    """No cell contains a line break."""
    for text in column.odd:
        if "\n" in text or "\r" in text:
            yield text, f"a line break inside {show(text)}"


@column_rule("padded-cell", fix=True)
def padded_cell(column: Column) -> Iterator[tuple[str, str]]:
    """No cell begins or ends with white space."""
    for text in column.odd:
        if text != text.strip():
            yield text, f"white space at an end of {show(text)}"


@column_rule("double-space", fix=True)
def double_space(column: Column) -> Iterator[tuple[str, str]]:
    """No cell has two spaces in a row."""
    for text in column.odd:
        if "  " in text.strip():
            yield text, f"two spaces in a row in {show(text)}"


@column_rule("na-token", "leave the cell empty, or word it otherwise")
def na_token(column: Column) -> Iterator[tuple[str, str]]:
    """No cell is a token that pandas or csvkit reads as missing; only the empty cell is that."""
    for text in column.texts & NA_TOKENS:
        yield text, f"pandas or csvkit reads {show(text)} as missing"
