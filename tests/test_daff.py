"""An independent comparison: daff finds the same rows and cells between two real packages."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import daff
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import ROOT
from pipeline import rules
from pipeline.comparison import changes
from pipeline.package import Package, origin
from published import RESOURCES, SCHEMAS, copied, rows

FILLED = [name for name in RESOURCES if rows(name)]
CELLS = st.one_of(
    st.sampled_from(["", "0", "1", "x", "->", "-->", "a, b", "NULL", "é", "a:b", '"', "1.50"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=8),
)


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, list[list[str]]]:
    """Tables of the real package with cells changed, rows removed and rows added."""
    tables = {}
    for name in draw(st.lists(st.sampled_from(FILLED), min_size=1, max_size=3, unique=True)):
        width, body = len(SCHEMAS[name]["primaryKey"]), [list(r.values()) for r in rows(name)]
        gone = draw(st.sets(st.integers(0, len(body) - 1), max_size=3))
        keys = {tuple(row[:width]) for row in body}
        table = [row for number, row in enumerate(body) if number not in gone]
        for _ in range(draw(st.integers(0, 5)) if table else 0):
            row = table[draw(st.integers(0, len(table) - 1))]
            place = draw(st.integers(0, len(row) - 1))
            cell = draw(CELLS)
            if place >= width:
                row[place] = cell
            elif (changed := (*row[:place], cell, *row[place + 1 : width])) not in keys and cell:
                keys.add(changed)
                table.append([*changed, *row[width:]])
        tables[name] = table
    return tables


@pytest.fixture(scope="module")
def before() -> Iterator[Package]:
    """The real package, its tables read."""
    with origin.opened(str(ROOT)) as package:
        rules.readable(package, package.root)
        yield package


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it."""
    return copied(tmp_path_factory.mktemp("compared"))


def theirs(name: str, table: list[list[str]]) -> set[tuple]:
    """What daff finds between a real table and another: rows by key, cells by key and column."""
    header = [field["name"] for field in SCHEMAS[name]["fields"]]
    width = len(SCHEMAS[name]["primaryKey"])
    flags = daff.CompareFlags()
    for field in header[:width]:
        flags.addPrimaryKey(field)
    flags.ordered, flags.unchanged_context, flags.allow_nested_cells = False, 0, True
    flags.show_unchanged_columns = True
    old, new = (
        daff.PythonTableView([header, *body])
        for body in ([list(row.values()) for row in rows(name)], table)
    )
    found: list[list] = []
    difference = daff.TableDiff(daff.compareTables(old, new, flags).align(), flags)
    difference.hilite(daff.PythonTableView(found))
    different: set[tuple] = set()
    for action, *cells in found:
        key = tuple(cells[:width])
        if action in ("+++", "---"):
            different.add((name, action, *key))
        elif action == "->":
            different |= {
                (name, *key, column, cell["before"], cell["after"])
                for column, cell in zip(header, cells, strict=True)
                if isinstance(cell, dict)
            }
    return different


@settings(max_examples=80)
@given(mutations())
def test_daff_finds_the_same(before: Package, new: Path, tables: dict[str, list[list[str]]]):
    """Catches a row or a cell that one of two independent comparisons finds and the other not."""
    try:
        for name, body in tables.items():
            with open(new / f"data/{name}.csv", "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerows([[field["name"] for field in SCHEMAS[name]["fields"]], *body])
        with origin.opened(str(new)) as after:
            rules.readable(after, after.root)
            ours = {_as_daff(change) for change in changes.changes(before, after)}
        expected = {change for name, body in tables.items() for change in theirs(name, body)}
        assert ours == expected
    finally:
        for name in tables:
            shutil.copy(ROOT / f"data/{name}.csv", new / f"data/{name}.csv")


def _as_daff(change) -> tuple:
    action = {"row-added": "+++", "row-removed": "---"}.get(change.kind)
    key = tuple(change.key.values())
    if action:
        return (change.table, action, *key)
    return (change.table, *key, change.column, change.old, change.new)
