"""The curator's way: the steps of CONTRIBUTING.md, run as they are written, and the issue forms."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from commands import ROOT

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"


def blocks(language: str) -> list[list[str]]:
    """The lines of code in each step of the section, in order."""
    section = CONTRIBUTING.split("## From a paper to a row")[1].split("\n## ")[0]
    steps = re.split(r"^\d\. \*\*", section, flags=re.MULTILINE)[1:]
    pattern = rf"^ *```{language}\n(.*?)^ *```"
    return [
        [
            line.strip()
            for block in re.findall(pattern, step, re.DOTALL | re.MULTILINE)
            for line in block.splitlines()
        ]
        for step in steps
    ]


class Clone:
    """A clone of the repository in which a curator works."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("config", "user.name", "Curator")
        self.git("config", "user.email", "curator@example.org")
        for name in ("data", "schemas", "scripts", "docs"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pyc*"))
        for name in ("datapackage.json", "README.md", "CHANGELOG.md", "CITATION.cff", ".gitignore"):
            shutil.copy(ROOT / name, folder)
        self.commit("Begin")

    def git(self, *arguments: str) -> str:
        """What git prints."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, encoding="utf-8", check=True
        )
        return done.stdout

    def commit(self, message: str) -> None:
        """Commit everything that git does not ignore."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the document has it."""
        program, *arguments = line.split()
        assert program == ".venv/bin/python", line
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, capture_output=True, encoding="utf-8"
        )

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit a file, as a curator does."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new), encoding="utf-8")


def test_eight_steps_lead_from_a_paper_to_a_row(tmp_path: Path):
    """Catches a step that fails, or that says something else than the document promises."""
    commands, ((example,),) = blocks("sh"), [step for step in blocks("csv") if step]
    assert len(commands) == 8
    assert all(commands)
    clone = Clone(tmp_path)
    shutil.copy(ROOT / "tests/papers/new.nbib", tmp_path)
    (links,), (look,), (add,), (fix, explain), (renew,), (check,), (compare,), ends = commands

    assert "PubMed query:" in clone.run(links).stdout
    assert "1 added" in clone.run(look).stdout
    assert clone.git("status", "--porcelain") == ""  # the export is ignored, nothing was written

    clone.git("switch", "--quiet", "--create", "first-reader")
    assert "fable-2026: added" in clone.run(add).stdout
    named = clone.run(fix).stdout
    assert "study_design: error:" in named
    assert "[unused-row]" in named
    assert "repair:" in clone.run(explain).stdout
    clone.replace(
        "data/citations.csv",
        "fable-2026,article-journal,,",
        "fable-2026,article-journal,retrospective_cohort,",
    )

    with (tmp_path / "data/findings.csv").open("a", encoding="utf-8") as file:
        file.write(f"{example}\n")
    assert clone.run(renew).stdout.startswith("valid")
    found = clone.run(check).stdout
    assert 'f901: 12 is in the abstract: "Of 20 patients with spinal metastases, twelve' in found
    assert 'f901: 20 is in the abstract: "Of 20 patients' in found
    clone.commit("Add a paper, as the first reader read it")

    clone.git("switch", "--quiet", "--create", "second-reader")
    clone.replace("data/findings.csv", ",60.0,,,,12,20,", ",55.0,,,,11,20,")
    clone.replace("data/findings.csv", ",12/20,", ",11/20,")
    clone.run(renew)
    clone.commit("Read it again")
    differing = clone.run(compare).stdout
    for cell in ("n_events", "value", "derivation"):
        assert cell in differing
    assert "population" not in differing

    clone.git("switch", "--quiet", "first-reader")
    since, whole = ends
    assert "f901 is new since '0.2.0'; fable-2026 was read once for it" in clone.run(since).stdout
    assert clone.run(since).returncode == 0
    row = next(csv.reader(io.StringIO(example)))
    assert row[-2] == "1"
    clone.replace("data/findings.csv", "12/20,abstract,1,", "12/20,abstract,2,")
    assert clone.run(renew).stdout.startswith("valid")
    assert "was read 2 times for it" in clone.run(since).stdout
    done = clone.run(whole)
    assert done.returncode == 0, done.stdout


def columns(table: str) -> dict[str, dict]:
    """The fields of a table by name."""
    schema = json.loads((ROOT / "schemas" / f"{table}.json").read_text(encoding="utf-8"))
    return {field["name"]: field for field in schema["fields"]}


def form(name: str) -> dict[str, dict]:
    """The elements of an issue form that are filled in, by id."""
    body = yaml.safe_load((FORMS / f"{name}.yml").read_text(encoding="utf-8"))["body"]
    return {element["id"]: element for element in body if element["type"] != "markdown"}


@pytest.mark.parametrize("name", ["figure-is-wrong", "paper-is-missing"])
def test_issue_form_is_valid(name: str):
    """Catches a form that GitHub would not show."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.github-issue-forms", FORMS / f"{name}.yml"],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    labels = [element["attributes"]["label"] for element in form(name).values()]
    assert len(labels) == len(set(labels))  # GitHub refuses two of one name


def test_form_for_a_paper_asks_for_what_a_row_needs():
    """Catches a column of a row that the form forgets, and a value that the schema has not."""
    known = columns("citations") | columns("findings")
    asked = form("paper-is-missing")
    assert asked.keys() <= known.keys()
    # What the maintainers give, or an export of PubMed does.
    ours = {"citation_id", "finding_id", "readings", "type", "journal_abbreviation"}
    required = {name for name, field in known.items() if field["constraints"].get("required")}
    assert required - ours == {n for n, e in asked.items() if e["validations"]["required"]}
    for name, element in asked.items():
        allowed = known[name]["constraints"].get("enum")
        if element["type"] == "dropdown":
            assert [*element["attributes"]["options"]] == [v for v in allowed if v != "source_page"]
        else:
            assert allowed is None, name
    located = json.loads((ROOT / "schemas/citations.json").read_text(encoding="utf-8"))["locatedBy"]
    assert any(set(way) <= asked.keys() for way in located if len(way) > 1)


def test_form_for_a_figure_names_every_column():
    """Catches a column that nobody could say to be wrong."""
    fields = columns("findings")
    asked = form("figure-is-wrong")
    options = asked["field"]["attributes"]["options"]
    assert options == [name for name in fields if name not in ("finding_id", "readings")]
    assert (
        asked["source_part"]["attributes"]["options"]
        == fields["source_part"]["constraints"]["enum"]
    )
    assert asked.keys() - {"field", "place"} <= fields.keys()


def test_pull_request_template_asks_for_columns_that_are_there():
    """Catches a column that was renamed in one place only."""
    text = (ROOT / ".github" / "pull_request_template.md").read_text(encoding="utf-8")
    known = columns("citations") | columns("findings")
    named = re.findall(r"\(`(\w+)`|, `(\w+)`", text)
    assert {name for pair in named for name in pair if name} <= known.keys()
    for script in re.findall(r"`(scripts/\w+\.py)", text):
        assert (ROOT / script).exists()
