"""Parts of a table in columns that keep each distinct text once: from rows or from plain CSV.

Rows come from the csv module, which understands everything that is CSV. Plain CSV is read by
pyarrow, many times as fast: that is what both are sure to find the same cells in.
"""

import csv
import os
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from pipeline import cli

# How what is between two quoted cells begins and ends.
_ENDS = {first + last for first in ",\n" for last in ",\n"}


class Coded(NamedTuple):
    """A column: the cell of row r is number `codes[r]` of the distinct `texts()`."""

    codes: Sequence[int]
    texts: Callable[[], list[str]]

    def cells(self) -> Iterator[str]:
        """The text of every row."""
        return map(self.texts().__getitem__, self.codes)

    def filled(self) -> Iterator[bool]:
        """For every row whether its text is not empty."""
        texts = self.texts()
        return map((texts.index("") if "" in texts else -1).__ne__, self.codes)


Part = dict[str, Coded]


def together(columns: Sequence[Coded]) -> Iterator[tuple[str, ...]]:
    """The texts that stand together in rows of several columns, rarely twice."""
    codes = set(zip(*(column.codes for column in columns), strict=True))
    texts = (
        map(column.texts().__getitem__, map(itemgetter(at), codes))
        for at, column in enumerate(columns)
    )
    return zip(*texts, strict=True)


class FromRows:
    """Makes a part of a table from rows that have a cell for each of some names."""

    def __init__(self, names: list[str]):
        self._codes = {name: array("i") for name in names}
        self._numbers: dict[str, defaultdict[str, int]] = {}
        for name in names:
            numbers = self._numbers[name] = defaultdict()
            numbers.default_factory = numbers.__len__

    def add(self, rows: list[list[str]]) -> None:
        """Add rows."""
        cells = zip(*rows, strict=True)
        for codes, numbers, column in zip(
            self._codes.values(), self._numbers.values(), cells, strict=False
        ):
            codes.extend(map(numbers.__getitem__, column))

    def part(self) -> Part:
        """What was added."""
        return {
            name: Coded(codes, list(self._numbers[name]).copy)
            for name, codes in self._codes.items()
        }


class FromPlain:
    """Makes parts of a table from whole lines of CSV, by means of pyarrow.

    Raises ImportError where it is not there, or has too little memory.
    """

    def __init__(self, names: list[str]):
        if why := cli.short_memory():
            raise ImportError(why)
        # The other pools keep much of what they are given back.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        # Neither imports pandas, as pyarrow.compute and conversions to NumPy do.
        import pyarrow
        import pyarrow.csv

        self._arrow = pyarrow
        self._names = names
        text = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
        self._parse = pyarrow.csv.ParseOptions(newlines_in_values=False)
        self._convert = pyarrow.csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, text),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        )

    def part(self, text: str) -> Part | None:
        """The rows of a text with a line for each; None where it may not be plain."""
        if not is_plain(text):
            return None
        content = self._arrow.py_buffer(text.encode())
        whole = self._arrow.csv.ReadOptions(column_names=self._names, block_size=content.size + 1)
        try:
            rows = self._arrow.csv.read_csv(content, whole, self._parse, self._convert)
        except ValueError:  # a row has more or fewer cells
            return None
        if rows.num_rows != text.count("\n"):  # a line is empty
            return None
        part = {name: self._coded(rows.column(name).chunk(0)) for name in self._names}
        # Only a row that begins with an empty cell can be blank.
        return None if "" in part[self._names[0]].texts() else part

    @staticmethod
    def _coded(column: Any) -> Coded:
        codes = memoryview(column.indices.buffers()[1]).cast("i")
        return Coded(codes[: len(column)], column.dictionary.to_pylist)


def is_plain(text: str) -> bool:
    """Whether any reader finds the same rows in whole lines of CSV; fast, may say no."""
    inside = between_quotes(text)
    return (
        inside is not None
        # A block is read like a file of its own, at whose beginning this mark would be dropped.
        and not text.startswith("\ufeff")
        and "\n" not in "".join(inside)
        and text.endswith("\n")
        and "\r" not in text
        and "\0" not in text
        and _has_short_lines(text)
    )


def _has_short_lines(text: str) -> bool:
    """Whether no line is longer than what the csv module takes for a cell."""
    limit = csv.field_size_limit()
    end = 0
    while end < len(text):
        end = text.rfind("\n", end, end + limit) + 1
        if not end:
            return False
    return True


@lru_cache(maxsize=1)
def between_quotes(text: str) -> list[str] | None:
    """What stands between the quotes of whole lines; None where a quote may be astray.

    A quoted cell with doubled quotes is in parts. A rule and the reader ask it of the same text.
    """
    before, *others = text.split('"')
    if len(others) % 2:
        return None
    inside, outside = others[::2], others[1::2]
    if not inside:
        return []
    after = outside.pop()
    astray = (
        before[-1:] not in ("", ",", "\n")
        or after[:1] not in (",", "\n")
        # Nothing is outside where a quote inside of a cell is doubled.
        or not {part[0] + part[-1] for part in outside if part} <= _ENDS
    )
    return None if astray else inside
