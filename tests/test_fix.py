"""Repairs: every mechanical fault goes, every value stays, and a second run finds nothing to do."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from planted import PACKAGES, ROOT, build, issues, snapshot, validate

BASE = PACKAGES / "base"
FIXABLE = sorted(
    name
    for name in (path.name for path in (PACKAGES / "invalid").iterdir())
    if "repair: run scripts/validate.py --fix" in validate("--explain", name).stdout
)


def cases(rule: str, *, only: list[str] | None = None) -> list[Path]:
    """The planted defects of a rule, or those with issues of certain rules alone."""
    found = sorted((PACKAGES / "invalid" / rule).iterdir())
    if only is None:
        return found
    return [path for path in found if rules_of(path) <= set(only)]


def rules_of(path: Path) -> set[str]:
    """The rules whose issues a case lists."""
    issues = json.loads(path.read_text(encoding="utf-8"))["issues"]
    return {line.rpartition("[")[2].rstrip("]") for line in issues}


def values(package: Path) -> list[list[str]]:
    """Every cell of every table, rows and columns sorted, white space folded."""
    tables = []
    for path in sorted((package / "data").rglob("*.csv")):
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [
                [" ".join(cell.split()) for cell in row] for row in csv.reader(file) if any(row)
            ]
        tables.append(sorted(sorted(row) for row in rows))
    return tables


@pytest.mark.parametrize("rule", FIXABLE)
def test_what_names_fix_is_fixed(rule: str, tmp_path: Path):
    """Catches a repair that is promised and not made, loses a value, or never ends."""
    repaired = cases(rule, only=FIXABLE)
    assert repaired
    for case in repaired:
        if (rule == "quoting" and "quote" in case.stem) or case.stem == "not-doubled":
            continue  # what a reader takes for the value depends on the writing that is repaired
        package = build(json.loads(case.read_text(encoding="utf-8")), tmp_path / case.stem)
        before = values(package)
        done = validate(package, "--fix")
        assert done.returncode == 0, done.stdout
        assert "fixed " in done.stderr
        if rule != "not-nfc":
            assert values(package) == before
        fixed = snapshot(package)
        again = validate(package, "--fix")
        assert again.stderr == ""
        assert snapshot(package) == fixed


def test_quotes_that_are_not_doubled_keep_the_value(tmp_path: Path):
    """Catches a repair of quotes that changes what is between them."""
    case = PACKAGES / "invalid/quoting/not-doubled.json"
    package = build(json.loads(case.read_text(encoding="utf-8")), tmp_path)
    assert validate(package, "--fix").returncode == 0
    assert '"first ""symptom"""' in (package / "data/types.csv").read_text(encoding="utf-8")


NOT_WHOLE = ["encoding", "null-character", "csv-syntax", "ragged-row", "json-duplicate-key"]


@pytest.mark.parametrize("rule", NOT_WHOLE)
def test_what_cannot_be_repaired_whole_is_not_touched(rule: str, tmp_path: Path):
    """Catches half a repair."""
    for case in cases(rule):
        package = build(json.loads(case.read_text(encoding="utf-8")), tmp_path / case.stem)
        before = snapshot(package)
        assert validate(package, "--fix").returncode == 1
        assert snapshot(package) == before


def test_fix_has_nothing_to_do_here():
    """Catches a repair of a valid package, and generated documents that are stale."""
    before = snapshot(ROOT / "data"), snapshot(ROOT / "docs"), snapshot(ROOT / "schemas")
    done = validate("--fix", "--quick")
    assert (done.returncode, done.stderr) == (0, "")
    assert before == (snapshot(ROOT / "data"), snapshot(ROOT / "docs"), snapshot(ROOT / "schemas"))


def test_fix_writes_only_inside_the_package(tmp_path: Path):
    """Catches a repair that follows a link out of the package."""
    outside = tmp_path / "outside.csv"
    shutil.copy(BASE / "data/types.csv", outside)
    outside.write_bytes(outside.read_bytes().replace(b"\n", b"\r\n"))
    before = outside.read_bytes()
    case = {"edits": [{"file": "data/types.csv", "link": str(outside)}], "refresh": False}
    package = build(case, tmp_path)
    assert validate(package, "--fix").returncode == 1
    assert outside.read_bytes() == before


def test_many_faults_at_once(tmp_path: Path):
    """Catches repairs that get in each other's way."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    path = package / "data/features.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    text = "\r\n\r\n".join([header, *(row + "  " for row in reversed(rows))])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert issues(package, "--quick") != []
    done = validate(package, "--fix")
    assert done.returncode == 0
    assert snapshot(package) == snapshot(BASE)
    for word in ("byte-order-mark", "line-ending", "row-order", "white space"):
        assert word in done.stderr


def test_what_a_spreadsheet_leaves_behind(tmp_path: Path):
    """Catches a table that does not come back as it was from a round through a spreadsheet."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    path = package / "data/findings.csv"
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    padded = [[*row, "", ""] for row in (header, *reversed(rows))]
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([*padded, [""] * len(padded[0])])
    assert validate(package, "--fix").returncode == 0
    assert snapshot(package) == snapshot(BASE)
