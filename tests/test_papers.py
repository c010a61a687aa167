"""From a paper to a row, and back: scripts/papers.py on exports that we made up.

A file in tests/papers/add is read into a copy of the package whose table of citations is empty;
the JSON file of its name has the rows and the remarks that must come of it. What is in
tests/papers/hostile must end with a message, and leave everything as it was.
"""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from commands import ROOT, run, snapshot

PAPERS = ROOT / "tests" / "papers"
SCHEMA = ROOT / "schemas" / "reports" / "papers.schema.json"
ADDED = sorted(path for path in (PAPERS / "add").iterdir() if not path.name.endswith(".expected"))
FILES = ("citations.bib", "citations.csl.json", "citations.ris")
# What a format of a release has no field for.
UNSAID = {
    "citations.bib": {"study_design", "pii", "published_online"},
    "citations.csl.json": {"study_design", "pii"},
    "citations.ris": {"study_design", "pii", "published_online"},
}


def papers(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run scripts/papers.py."""
    return run("papers.py", *arguments, **options)


def report(*arguments: object) -> dict:
    """What it says as JSON, which its documented form allows."""
    from jsonschema import Draft202012Validator

    done = papers(*arguments, "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(found)
    return found


def remarks(found: dict) -> list[str]:
    """The remarks as line:field [kind] id, those on nothing but success left out."""
    return [
        "{line}:{field} [{kind}] {citation_id}".format(**each).strip()
        for each in found["remarks"]
        if each["kind"] not in ("added", "unchanged", "new-journal")
    ]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package."""
    folder = tmp_path / "package"
    folder.mkdir()
    shutil.copy(ROOT / "datapackage.json", folder)
    for name in ("data", "schemas"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture
def empty(package: Path) -> Path:
    """A copy of the package without a paper."""
    table = package / "data" / "citations.csv"
    table.write_text(table.read_text(encoding="utf-8").split("\n")[0] + "\n", encoding="utf-8")
    return package


def rows(package: Path) -> dict[str, dict[str, str]]:
    """The filled cells of each paper."""
    with (package / "data" / "citations.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["citation_id"]: {k: v for k, v in row.items() if v and k != "citation_id"}
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("path", ADDED, ids=lambda path: path.name)
def test_papers_are_added(path: Path, empty: Path):
    """Catches a cell that is read wrongly, and a paper that is not named when it is left out."""
    expected = json.loads(path.with_name(f"{path.name}.expected").read_text(encoding="utf-8"))
    found = report("add", path, "--package", empty)
    assert rows(empty) == expected["rows"]
    assert remarks(found) == expected["remarks"]


@pytest.mark.parametrize("name", FILES)
def test_release_comes_back(name: str, released: Path, empty: Path):
    """Catches a cell that is lost or changed on its way through a reference manager's format."""
    before = (ROOT / "data" / "citations.csv").read_text(encoding="utf-8")
    assert papers("add", released / name, "--package", empty).returncode == 0
    after = (empty / "data" / "citations.csv").read_text(encoding="utf-8")
    assert before.split("\n")[0] == after.split("\n")[0]

    def said(text: str) -> list[dict[str, str]]:
        parsed = csv.DictReader(text.splitlines())
        return [{k: v for k, v in row.items() if k not in UNSAID[name]} for row in parsed]

    assert said(after) == said(before)


@pytest.mark.parametrize("name", FILES)
def test_release_completes_nothing_here(name: str, released: Path, package: Path):
    """Catches a paper that is not recognized, or a cell that differs from itself."""
    before = snapshot(package)
    found = report("add", released / name, "--package", package)
    assert set(found["counts"]) == {"unchanged"}
    assert snapshot(package) == before
