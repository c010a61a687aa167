"""A large table is read by pyarrow and a small one by the csv module: nobody can tell which."""

import csv
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cases import build
from commands import SCRIPT
from pipeline.package import table as tables
from pipeline.package.table import Table, read
from published import copied

NAMES = ["a", "b", "c"]
FIELDS = [{"name": name, "type": "string"} for name in NAMES]
CELLS = st.text(st.sampled_from('ab ,"\n\r\0é\u2028\ufeff-'), max_size=6)
ROWS = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=12)
# What is no table, too: cells and separators in any order.
PIECES = st.lists(st.sampled_from(["a", "b,", ",", '"', '""', "\n", "\r\n", " ", "é", "x,y,z\n"]))


def written(rows: list[list[str]]) -> str:
    """Rows as CSV below the header of the table."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([NAMES, *rows])
    return text.getvalue()


def seen(table: Table) -> dict[str, object]:
    """All that a table tells of itself."""
    pairs = [(name, other) for name in NAMES for other in NAMES]
    facts = {k: v for k, v in vars(table).items() if k not in ("parts", "lines")}
    odd = {text: "odd" for field in FIELDS for each in table.columns(field) for text in each.odd}
    return facts | {
        "rows": table.rows,
        "sound": table.sound,
        "lines": list(table.lines),
        "tuples": list(table.tuples(*NAMES)),
        "filled": list(table.filled(*NAMES)),
        "values": [list(table.values(*names)) for names in [*pairs, *zip(NAMES)]],
        "distinct": [table.distinct(*names) for names in [*pairs, *zip(NAMES)]],
        "each": [set(table.each(*names)) for names in [*pairs, *zip(NAMES)]],
        "texts": [set().union(*(each.texts for each in table.columns(f))) for f in FIELDS],
        "empty": [any(each.empty for each in table.columns(field)) for field in FIELDS],
        "odd": odd.keys(),
        "cells": table.filled_cells("a", NAMES),
        "where": list(table.where({"a": ["a", ""]}, "b", str.isascii)),
        "faults": [*table.faults("a", odd), *table.faults("a", {("a", ""): "x"}, "b")],
    }


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(ROWS.map(written), PIECES.map(lambda parts: "a,b,c\n" + "".join(parts))))
@example(text=written([["a", "", "b"]] * 40))
@example(text=written([["a", '"é",', "b"]] * 40 + [["a\nb", "", ""], ["a", "b", "c"]]))
@example(text="c,a,b\n" + "1,2,3\n" * 40 + ",,\n1,2,3\n1,2\n")
@example(text="a,b,c\n" + "1,2,3\n" * 40 + '1,2,3\n\n"1",2"3,"x""y"\n')
@example(text="a,b,c\n" + "1,2,3\n" * 40 + f"{'x' * 140_000},2,3\n")
@example(text="a,b,c\n\ufeffa,,\n")
@example(text="a,b,c")
@example(text="")
def test_both_ways_of_reading_give_the_same_table(text, tmp_path_factory, monkeypatch):
    """Catches a cell, a line or a fault that depends on how large a table is."""
    monkeypatch.setattr(tables, "BLOCK_BYTES", 64)
    folder = tmp_path_factory.getbasetemp()
    (folder / "table.csv").write_text(text, encoding="utf-8", newline="")
    blocks: list[list[tuple[str, int]]] = [[], []]
    small, large = (
        read(str(folder), "table.csv", NAMES, lambda *block, to=to: to.append(block), large=size)
        for to, size in zip(blocks, (1 << 30, 0), strict=True)
    )
    assert blocks[0] == blocks[1]
    assert seen(small) == seen(large)
    assert not isinstance(small.lines, range)
    if text.startswith("a,b,c\n1,2,3\n1,2,3\n"):
        assert len(large.parts) > 1, "pyarrow has read nothing"


TAILS = {
    "cells": b"",
    "rows": b'x-2001,"A\nB",,,\n,,,,,,,,,,,\n\nx,y\r\nx-2001,"Abel A",T"",2001,J,1,1,,,,,\n',
    "bytes": b"x-2001,\xff,,,,,,,,,,\n",
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_faults_of_a_large_table_are_those_of_a_small_one(tail: bytes, tmp_path: Path):
    """Catches a fault that is found, or is placed, otherwise where a table is large."""
    package = build({"edits": []}, tmp_path)
    dice = random.Random(1)
    slips = ["", "NA", "=1", " x", "a  b", "x\u2013y", "20O1", "7-3", "e\u0301", "10.1234/X", "0"]
    rows = []
    for number in range(12_000):
        row = [f"abel-{1900 + number // 200}", "Abel A", f"{'A title, ' * 40}{number}", "2001"]
        row += ["Journal", "1", "1-9", f"10.1234/{number}", str(number + 1), "", "", ""]
        if dice.random() < 0.01:
            row[dice.randrange(len(row))] = dice.choice(slips)
        rows.append(row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    with open(package / "data/papers.csv", "ab") as file:
        file.write(text.getvalue().encode() + tail)
    assert (package / "data/papers.csv").stat().st_size > tables.LARGE_BYTES
    # Without the libraries that are installed, there is the csv module alone.
    reports = [
        subprocess.run(
            [sys.executable, "-P", *flags, SCRIPT, package, "--quick", "--format", "json"],
            capture_output=True,
        ).stdout
        for flags in ([], ["-S"])
    ]
    issues = [json.loads(report)["issues"] for report in reports]
    assert len(issues[0]) > 20
    assert issues[0] == issues[1]


def test_values_are_made_once_for_every_format(tmp_path: Path):
    """Catches values that each format makes anew, and those of a file that was read before."""
    from pipeline.evidence import claims
    from pipeline.formats import content
    from pipeline.package import Package

    package = Package(copied(tmp_path))
    for resource in package.resources:
        resource.read()
    for first, again in zip(content.tables(package), content.tables(package), strict=True):
        assert first.columns is again.columns
        assert first.records() == again.records()
    statements = package.resource("statements")
    before = statements.typed.columns, [view.size for view in claims.views(package)]
    path = Path(package.root, statements.path)
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]))
    statements.read()
    assert statements.typed.size == len(before[0]["claim"]) - 1
    assert [view.size for view in claims.views(package)] == [before[1][0] - 1, before[1][1]]
