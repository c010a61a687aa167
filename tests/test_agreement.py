"""Our rules and frictionless judge the same damage; where they differ by design is written down.

Each example changes one cell of the real package. Everything that both validators check, they
must agree on; the rest is listed here, and every entry must still be true.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from frictionless import Package, Report
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cases import build, refresh
from commands import ROOT, issues, snapshot
from published import SCHEMAS, copied

TABLES = sorted(
    path.stem for path in (ROOT / "data").iterdir() if len(path.read_bytes().splitlines()) > 1
)

# What a change of one cell can violate that frictionless looks at, too; all else is ours alone.
BOTH = {
    *("type", "required", "enum", "pattern", "range", "length"),
    *("primary-key", "unique", "foreign-key"),
}

# frictionless does not know uniqueKeys.
WITH_UNIQUE_KEYS = {"causal_relations", "source_passages"}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the real package without its documents, which each test leaves as it was."""
    package = copied(tmp_path_factory.mktemp("agreement"))
    original = snapshot(package)
    yield package
    assert snapshot(package) == original


@pytest.fixture(scope="module")
def opened(package: Path) -> Package:
    """The same in frictionless, which reads its tables anew each time."""
    return Package(str(package / "datapackage.json"))


def test_the_calendar() -> None:
    """Catches a day that Python has and the type does not, or the other way round."""
    from pipeline.package.field_types import is_date

    years = ("0000", "0001", "1900", "2000", "2023", "2024", "9999")
    for text in (f"{y}-{m:02}-{d:02}" for y in years for m in range(14) for d in range(33)):
        try:
            date.fromisoformat(text)
        except ValueError:
            assert not is_date(text)
        else:
            assert is_date(text)


def ours(package: Path) -> list[str]:
    """Which of these rules find something, asked alone, and in this process for speed."""
    from pipeline import rules
    from pipeline.package import Package as Ours

    chosen = [rule for name, rule in rules.load().items() if name in BOTH]
    return [issue.rule for issue in rules.run(Ours(str(package)), chosen)]


def theirs(package: Path) -> list[str]:
    """The kinds of errors that frictionless finds."""
    return _kinds(Package(str(package / "datapackage.json")).validate())


def theirs_of(opened: Package, package: Path, name: str) -> list[str]:
    """Those that it finds after a change of one table; it is told what the statistics are now."""
    descriptor = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    for told in descriptor["resources"]:
        table = opened.get_resource(told["name"])
        table.hash, table.bytes, table.rows = told["hash"], told["bytes"], told["rows"]
    reports = [opened.get_resource(each).validate() for each in sorted(concerned(name))]
    return [kind for report in reports for kind in _kinds(report)]


def _kinds(report: Report) -> list[str]:
    errors = report.errors + [error for task in report.tasks for error in task.errors]
    return [error.type for error in errors]


def concerned(name: str) -> set[str]:
    """A table and those that refer to it: a change of it is no fault anywhere else."""
    referring = {
        other
        for other, schema in SCHEMAS.items()
        for key in schema.get("foreignKeys", [])
        if key["reference"]["resource"] == name
    }
    return {name, *referring}


@st.composite
def damage(draw: st.DrawFn) -> tuple[str, int, int, str]:
    """A table, a row, a column, and the text to put there."""
    name = draw(st.sampled_from(TABLES))
    with open(ROOT / f"data/{name}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    row = draw(st.integers(1, len(rows) - 1))
    column = draw(st.integers(0, len(rows[0]) - 1))
    other = draw(st.sampled_from(rows[1:]))[draw(st.integers(0, len(rows[0]) - 1))]
    text = draw(
        st.one_of(
            st.just(""),
            st.just(other),
            st.sampled_from(["0", "-1", "3.5", "x", "2021-01-05", "1800", "HP:0000001"]),
            st.integers(-10, 10**12).map(str),
            st.floats(0, 200, allow_nan=False).map(lambda v: f"{v:.2f}"),
            st.text("abcxyz_019.;:/- ", max_size=12),
        )
    )
    return name, row, column, text


@settings(max_examples=60)
@given(damage())
@example(("findings", 5, 16, "9999999"))
@example(("statements", 3, 2, "no_such_feature"))
@example(("citations", 2, 0, "allan-2009"))
@example(("pain_types", 1, 8, "some"))
def test_verdicts_agree(package: Path, opened: Package, change: tuple[str, int, int, str]):
    """Catches a fault that one of two independent validators sees and the other should."""
    name, row, column, text = change
    path = package / f"data/{name}.csv"
    original, descriptor = path.read_bytes(), (package / "datapackage.json").read_bytes()
    try:
        rows = list(csv.reader(io.StringIO(original.decode(), newline="")))
        rows[row][column] = text
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        path.write_bytes(out.getvalue().encode())
        refresh(package)
        found, other = set(ours(package)), theirs_of(opened, package, name)
        if name in WITH_UNIQUE_KEYS:
            found.discard("unique")
        assert bool(found) == bool(other), (found, other)
    finally:
        path.write_bytes(original)
        (package / "datapackage.json").write_bytes(descriptor)


# Where our rules are stricter about the writing of a value that frictionless reads all the same,
# and the other way round. An entry that is no longer true fails.
STRICTER = {
    "a number with a plus sign": ("findings", "=,20,", "=,+20,", "type"),
    "a number with a leading zero": ("findings", "=,20,", "=,020,", "type"),
    "a whole number with an underscore": ("findings", "1665", "1_665", "type"),
    "a number in full-width digits": ("findings", "1665", "\uff11\uff16\uff16\uff15", "type"),
    "a number that is infinite": ("findings", "=,20,", "=,infinity,", "type"),
    "a number with an exponent": ("findings", "=,20,", "=,2e1,", "type"),
    "a zero with a sign": ("mappings", ",,0.5", ",,-0", "type"),
    "a number that no double holds": ("findings", "=,20,", "=,20.12345678901234567,", "precision"),
    "a day without zeros": ("papers", "2000-12-31", "2000-1-5", "type"),
    "true in capitals": ("features", "true,BP", "TRUE,BP", "type"),
    "two rows with the same unique key": ("statements", "s02,1,2", "s02,1,1", "unique"),
    "a cycle": ("features", "pain,Pain,,", "pain,Pain,back_pain,", "cycle"),
    "an unclosed quote": ("features", ",,,WKN", ',,,"WK', "csv-syntax"),
}


@pytest.mark.parametrize("what", STRICTER)
def test_only_ours_refuse(what: str, tmp_path: Path):
    """Catches an entry of the list that frictionless has come to see as well."""
    table, find, replace, rule = STRICTER[what]
    edit = {"file": f"data/{table}.csv", "find": find, "replace": replace}
    package = build({"edits": [edit]}, tmp_path)
    assert {line.rpartition(" ")[2] for line in issues(package)} == {f"[{rule}]"}
    assert theirs(package) == []


def test_both_accept_the_package(package: Path):
    """Catches a fault where none was made."""
    assert (ours(package), theirs(package)) == ([], [])
