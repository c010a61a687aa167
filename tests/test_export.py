"""The exports, read by clients that are not ours and compared with the CSV cell by cell."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import pytest

from commands import PACKAGES, ROOT, SCRIPT, issues, snapshot, validate
from published import RESOURCES, copied, expected, rows


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export of the package."""
    folder = tmp_path_factory.mktemp("export") / "dist"
    assert validate("--export", folder).returncode == 0
    return folder


def test_files(export: Path):
    """Catches an artifact that is missing or that nobody asked for."""
    names = sorted(RESOURCES)
    assert sorted(os.listdir(export)) == ["SHA256SUMS", "csv", "json", "parquet"]
    assert sorted(p.stem for p in (export / "parquet").iterdir()) == names
    assert sorted(p.stem for p in (export / "json").iterdir()) == sorted(
        [*names, "spinal-metastases"]
    )


def test_csv_is_a_package_of_its_own(export: Path):
    """Catches an export that cannot stand alone, or differs from the tables."""
    assert issues(export / "csv") == []
    for path, content in snapshot(export / "csv").items():
        assert (ROOT / path).read_bytes() == content


@pytest.mark.parametrize("name", RESOURCES)
def test_json(export: Path, name: str):
    """Catches a value that JSON changed."""
    records = json.loads((export / f"json/{name}.json").read_text(encoding="utf-8"))
    assert records == expected(name)


def test_nested_document_holds_everything(export: Path):
    """Catches a row that the nesting dropped or doubled."""
    document = json.loads((export / "json/spinal-metastases.json").read_text(encoding="utf-8"))
    features = document["clinical_features"]

    def collect(key: str, *others: list) -> list[str]:
        found = [row for feature in features for row in feature[key]]
        return sorted(json.dumps(row) for row in chain(found, *others))

    def rows_of(name: str) -> list[str]:
        return sorted(json.dumps(row) for row in expected(name))

    assert collect("statements") == rows_of("statements")
    assert collect("findings") == rows_of("findings")
    assert collect("causes") == collect("effects") == rows_of("causal_relations")
    others = [document["ontology_mappings"]]
    others += [row["ontology_mappings"] for row in document["conditions"]]
    others += [row["ontology_mappings"] for row in document["spinal_regions"]]
    assert collect("ontology_mappings", *others) == rows_of("ontology_mappings")
    types = [feature["pain_type"] for feature in features if feature["pain_type"]]
    sides = [side for pain_type in types for side in pain_type["laterality"]]
    assert len(types) == len(rows("pain_types"))
    assert sorted(map(json.dumps, sides)) == rows_of("pain_laterality")
    assert document["citations"] == expected("citations")
    assert document["retired_ids"] == expected("retired_ids")


def test_equal_input_gives_equal_bytes(export: Path, tmp_path: Path):
    """Catches a clock, a path or an order that leaks into an artifact."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".*", "dist", "tests", "node_modules")
    )
    assert validate(copy, "--export", tmp_path / "dist").returncode == 0
    assert snapshot(tmp_path / "dist") == snapshot(export)


def test_export_replaces_an_earlier_one(tmp_path: Path):
    """Catches leftovers of the earlier export, and temporary folders."""
    base = tmp_path / "dist"
    assert validate(PACKAGES / "base", "--export", base).returncode == 0
    assert validate("--export", base).returncode == 0
    assert "types.json" not in os.listdir(base / "json")
    assert os.listdir(tmp_path) == ["dist"]


def test_nothing_is_exported_from_an_invalid_package(tmp_path: Path):
    """Catches an export of something broken, and an older one that suffers from it."""
    package, dist = tmp_path / "package", tmp_path / "dist"
    shutil.copytree(PACKAGES / "base", package)
    assert validate(package, "--export", dist).returncode == 0
    before = snapshot(dist)
    table = package / "data/types.csv"
    table.write_text(table.read_text().replace("partial", "some"))
    assert validate(package, "--export", dist).returncode == 1
    assert snapshot(dist) == before
    assert sorted(os.listdir(tmp_path)) == ["dist", "package"]


@pytest.mark.parametrize("content", ["notes.txt", "csv/notes.txt"])
def test_other_files_are_never_replaced(tmp_path: Path, content: str):
    """Catches an export that deletes what is not its own."""
    path = tmp_path / "mine" / content
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    done = validate(PACKAGES / "base", "--export", tmp_path / "mine")
    assert done.returncode == 2
    assert "will not replace" in done.stderr
    assert snapshot(tmp_path / "mine") == {content: b"mine"}


@pytest.mark.parametrize("target", [".", "..", "data"])
def test_package_is_never_replaced(tmp_path: Path, target: str):
    """Catches an export into the package that it is made from."""
    package = tmp_path / "outer" / "package"
    shutil.copytree(PACKAGES / "base", package)
    before = snapshot(tmp_path)
    done = validate(package, "--export", package / target)
    assert done.returncode == 2
    assert "will not" in done.stderr
    assert snapshot(tmp_path) == before


def test_export_needs_every_rule(tmp_path: Path):
    """Catches an export that was not wholly checked."""
    for option in (["--quick"], ["--rule", "type"], ["--skip", "type"]):
        done = validate("--export", tmp_path / "dist", *option)
        assert done.returncode == 2
        assert "needs every rule" in done.stderr
    assert not (tmp_path / "dist").exists()


def test_kill_leaves_the_old_export_or_the_new(tmp_path: Path):
    """Catches a mixture of two exports after a kill at some moment."""
    dist = tmp_path / "dist"
    assert validate(PACKAGES / "base", "--export", dist).returncode == 0
    old = snapshot(dist)
    assert validate("--export", tmp_path / "new").returncode == 0
    new = snapshot(tmp_path / "new")
    for moment in range(12):
        arguments = [sys.executable, str(SCRIPT), "--export", str(dist), "--skip", "frictionless"]
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        time.sleep(0.1 * moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert snapshot(dist) in (old, new), moment


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{bad", "is no JSON Schema"),
        ('{"type": "nothing"}', "is no JSON Schema"),
        ('{"required": ["absent"]}', "breaks its schema"),
        ('{"$ref": "http://127.0.0.1:9/x.json"}', "refers to what is not there"),
    ],
)
def test_nested_document_that_cannot_be_checked(schema: str, words: str, tmp_path: Path):
    """Catches an export that was not checked against its JSON Schema."""
    package = copied(tmp_path)
    (package / "schemas/json/spinal-metastases.json").write_text(schema)
    done = validate(package, "--export", tmp_path / "dist", "--skip", "frictionless")
    assert done.returncode == 2
    assert words in done.stderr
    assert os.listdir(tmp_path) == ["package"]


def test_without_a_system_that_exchanges_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Catches a replacement that fails where two folders cannot be exchanged at once."""
    from pipeline import folders as module

    monkeypatch.setattr(module.sys, "platform", "elsewhere")
    new, old = tmp_path / "new", tmp_path / "old"
    for folder in (new, old):
        folder.mkdir()
        (folder / folder.name).write_text("x")
    module._swap(str(new), str(old))
    assert os.listdir(old) == ["new"]
    assert os.listdir(new) == ["old"]


def test_folder_that_cannot_be_made(tmp_path: Path):
    """Catches a traceback where the target is below a file."""
    (tmp_path / "file").write_text("x")
    done = validate("--export", tmp_path / "file/dist", "--skip", "frictionless")
    assert done.returncode == 2
    assert "cannot write" in done.stderr
