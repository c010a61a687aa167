"""What the documents promise: each snippet runs, each link leads somewhere."""

import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from cases import refresh
from commands import ROOT, validate
from published import DESCRIPTOR, rows

DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "RELEASING.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.*")),
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def snippets(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str):
    """Catches a link to a file that is not there."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("https://"):
            assert ((ROOT / name).parent / target).exists(), target


def python(code: str, folder: Path) -> str:
    """What code prints that is run in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_of_the_readme_runs(unpacked: Path):
    """Catches a snippet that fails or shows nothing."""
    _, code = snippets(README, "python")
    for call in re.findall(r"`(pd\.read_parquet.*?)`", README):
        code += f"{call}\n"
    assert "95.0" in python(code, unpacked)


def test_answer_of_the_readme_is_that_of_the_data(unpacked: Path):
    """Catches a figure that its table does not give, and a row that the answer leaves out."""
    code, _ = snippets(README, "python")
    more = re.search(r"`(cannot_walk\.sort_values.*?)`", README)[1]
    shown = python(code, unpacked)
    cannot_walk = [
        row
        for row in rows("findings")
        if row["feature_id"] == "loss_of_ambulation" and row["condition_id"]
    ]
    unselected = [
        row for row in cannot_walk if row["selection"] in ("population_based", "center_series")
    ]
    assert len(shown.splitlines()) == 1 + len(unselected) == 4
    prose = " ".join(README.partition(code)[2].partition("## ")[0].split())
    for row in unselected:
        assert row["citation_id"] in shown
        assert f"{row['value']}% of {row['n_total']}" in prose
    every = python(f"{code}\nprint({more}.to_string())", unpacked)
    shares = sorted(float(row["value"]) for row in cannot_walk)
    for share in (shares[0], shares[-1]):
        assert re.search(rf"\b{share:g}\b", every)
        assert f"{share:.0f}%" in prose


def test_sql_of_the_readme_runs(unpacked: Path, monkeypatch: pytest.MonkeyPatch):
    """Catches a query that fails or finds something else in SQLite, DuckDB and by hand."""
    (query,) = snippets(README, "sql")
    assert "with `sqlite3 spinal-metastases.sqlite`" in README
    with contextlib.closing(sqlite3.connect(unpacked / "spinal-metastases.sqlite")) as connection:
        found = connection.execute(query).fetchall()
    monkeypatch.chdir(unpacked)
    files = query.replace("from findings join citations", TABLES_AS_FILES)
    assert files != query
    assert sorted(duckdb.execute(files).fetchall()) == sorted(found)
    contradicting = [row for row in rows("findings") if row["stance"] == "contradicts"]
    assert sorted(row[0] for row in found) == sorted(row["feature_id"] for row in contradicting)


TABLES_AS_FILES = "from 'data/findings.csv' join 'data/citations.csv'"


@pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="Node.js is not installed"
)
def test_javascript_of_the_readme_runs(unpacked: Path):
    """Catches a snippet that fails or leaves a figure out."""
    (code,) = snippets(README, "js")
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", code],
        cwd=unpacked,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(rows("findings"))


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_r_of_the_readme_runs(unpacked: Path):
    """Catches a snippet that fails or leaves a figure out."""
    (code,) = snippets(README, "r")
    counted = code.replace("subset(", "nrow(subset(", 1).rstrip() + ")"
    done = subprocess.run(
        ["Rscript", "-e", counted], cwd=unpacked, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    found = [row for row in rows("findings") if row["feature_id"] == "back_pain"]
    assert done.stdout == f"[1] {len(found)}\n"


def test_release_of_the_readme_is_verified(released: Path, tmp_path: Path):
    """Catches a command that fails on a downloaded release, and a file that nobody explains."""
    folder = tmp_path / "download"
    shutil.copytree(released, folder)
    (block,) = (block for block in snippets(README, "sh") if "unzip" in block)
    commands = [line for line in block.splitlines() if not line.startswith("gh ")]
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (folder / "spinal-metastases/datapackage.json").is_file()
    version = DESCRIPTOR["version"]
    for name in os.listdir(released):
        shown = name.replace(version, "VERSION")
        short = name.replace(f"spinal-metastases-{version}", "…")
        assert f"`{shown}`" in README or f"`{short}`" in README, name


def test_message_of_the_readme_is_what_the_command_says(tmp_path: Path):
    """Catches an example that is not true."""
    package = tmp_path / "package"
    shutil.copytree(ROOT / "data", package / "data")
    shutil.copytree(ROOT / "schemas", package / "schemas")
    shutil.copy(ROOT / "datapackage.json", package)
    table = package / "data/findings.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace(",10,44,", ",54,44,"), encoding="utf-8")
    refresh(package)
    (example,) = snippets(README, "text")
    done = validate(package)
    assert done.returncode == 1
    assert done.stdout.startswith(example)


def test_hash_of_a_passage_is_as_the_guide_says():
    """Catches a normalization that is described otherwise than it is done."""
    (code,) = snippets((ROOT / "docs/curation.md").read_text(encoding="utf-8"), "python")
    names: dict = {}
    exec(code, names)
    sentence = "  An **invented**\n sentence, cafe\u0301 and all \u00b9\u2070\u207e. "
    expected = hashlib.sha256("An invented sentence, caf\u00e9 and all.".encode()).hexdigest()
    assert names["passage_hash"](sentence) == expected
