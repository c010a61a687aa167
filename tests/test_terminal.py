"""Nothing of a package reaches a terminal or a workflow raw, in any format and stream."""

import json
import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from cases import refresh
from commands import PACKAGES, run

BASE = PACKAGES / "base"
# Escape, one that is eight bits wide, a title, a new direction, and workflow commands old and new.
HOSTILE = [
    "\x1b[31mred",
    "\u009b31mred",
    "\u009d0;title\u0007",
    "\u202egnol",
    "\u2028::error::forged",
    "::error::forged",
    " ::add-mask::x",
    "##[add-mask]x",
    "x\r::stop-commands::x",
]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base package with such texts wherever a text can stand; files are called so, too."""
    package = tmp_path_factory.mktemp("hostile") / "package"
    shutil.copytree(BASE, package)
    descriptor = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    schema = json.loads((package / "schemas/types.json").read_text(encoding="utf-8"))
    rows = []
    for number, text in enumerate(HOSTILE):
        descriptor[text] = text
        descriptor["keywords"].append(text)
        descriptor["resources"].append({"name": text, "path": text, "schema": text})
        schema[text] = text
        cell = text.replace("\r", " ").replace('"', "")
        rows.append(f"{cell},{cell},{cell}\n")
        name = text.replace("/", "-")
        (package / "data" / f"{number}{name}").write_text("x")
        (package / "data" / name).write_text("x")
    descriptor["title"] = descriptor["version"] = HOSTILE[0]
    (package / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    (package / "schemas/papers.json").write_text(json.dumps({**schema, "fields": [{}]}))
    with open(package / "data/features.csv", "a", encoding="utf-8") as file:
        file.writelines(rows)
    (package / "CHANGELOG.md").write_text(f"## [{HOSTILE[0]}] - x\n", encoding="utf-8")
    (package / "README.md").symlink_to(HOSTILE[0])
    return package


def raw(text: str, commands: bool) -> set[str]:
    """What in an output should not be there; `commands` says that workflow commands may be."""
    found = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
    lines = [line.strip() for line in text.splitlines()]
    found |= {line for line in lines if line.startswith("::") and not commands}
    return found | {line for line in lines if "##[" in line or "::forged" in line[:12]}


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_report(form: str, package: Path):
    """Catches a name, a value or a message that commands whoever shows it."""
    done = run("validate.py", package, "--quick", "--format", form, "--limit", "0")
    assert done.returncode == 1
    assert raw(done.stdout, form == "github") | raw(done.stderr, False) == set()
    if form == "github":
        own = ("::error file=", "::notice title=", "::warning file=")
        assert all(line.startswith(own) for line in done.stdout.splitlines())


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_comparison(form: str, tmp_path: Path):
    """Catches a cell, a column or a title that commands whoever shows a comparison."""
    new = tmp_path / "new"
    shutil.copytree(BASE, new)
    table = new / "data/features.csv"
    rows = [f"{text},{text},,,\n" for text in HOSTILE if "\r" not in text and "\u2028" not in text]
    table.write_text(table.read_text(encoding="utf-8") + "".join(rows), encoding="utf-8")
    path = new / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    descriptor["title"], descriptor["keywords"] = HOSTILE[5], HOSTILE
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    refresh(new)
    done = run("compare.py", BASE, new, "--format", form)
    assert done.returncode == 0, done.stderr
    assert raw(done.stdout + done.stderr, False) == set()
    assert "forged" in done.stdout


def test_messages_of_what_cannot_run(package: Path, tmp_path: Path):
    """Catches an argument, a path or a word of git that commands a terminal."""
    os.mkdir(tmp_path / HOSTILE[0])
    for script, *arguments in (
        ("validate.py", HOSTILE[0]),
        ("validate.py", "--since", HOSTILE[0]),
        ("validate.py", f"--{HOSTILE[0]}"),
        ("validate.py", "--explain", HOSTILE[0]),
        ("validate.py", tmp_path / HOSTILE[0]),
        ("validate.py", package, "--fix", "--quick"),
        ("compare.py", package, BASE),
        ("compare.py", HOSTILE[0], BASE),
        ("release.py", tmp_path / HOSTILE[1], BASE.parent),
        ("source_drift.py", HOSTILE[0]),
        ("papers.py", "add", HOSTILE[0]),
    ):
        done = run(script, *arguments)
        assert done.returncode in (1, 2)
        assert raw(done.stdout + done.stderr, False) == set(), (script, arguments)
