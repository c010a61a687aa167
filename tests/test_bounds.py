"""Hostile input costs memory and time in proportion to its size, and a message."""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import PACKAGES, SCRIPTS

BASE = PACKAGES / "base"


def copy(folder: Path) -> Path:
    """The base package in a new folder."""
    return Path(shutil.copytree(BASE, folder / "package"))


def limited(*arguments: object, mebibytes: int = 256) -> subprocess.CompletedProcess[str]:
    """Run validate.py --quick with so much memory to its name."""
    size = mebibytes << 20
    return subprocess.run(
        [sys.executable, SCRIPTS / "validate.py", "--quick", *map(str, arguments)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
    )


DOCUMENTS = {
    "deep": ("[" * 100_000 + "]" * 100_000, "nested more than 32 levels"),
    "deep-within-the-limit-of-python": ('{"a":' * 900 + "1" + "}" * 900, "nested more than 32"),
    "deep-and-wide": ("[" * 900 + "1," * 290_000 + "1" + "]" * 900, "nested more than 32 levels"),
    "wide": ("[" + "1," * 2_000_000 + "1]", "more than 100,000 values"),
    "many-lists": ("[" + "[]," * 1_390_000 + "[]]", "more than 100,000 values"),
    "many-objects": ("[" + "{}," * 1_390_000 + "{}]", "more than 100,000 values"),
    "long-text": (json.dumps({"name": "x" * 4_000_000}), "more than 100,000 characters"),
    "escapes": ('{"name": "' + "\\n" * 2_000_000 + '"}', "more than 100,000 characters"),
    "long-key": (json.dumps({"x" * 4_000_000: 1}), "more than 100,000 characters"),
    "one-key-again-and-again": ("{" + '"a":1,' * 690_000 + '"a":1}', "'a' stands twice"),
    "not-a-number": ('{\n"a": "NaN",\n"b": NaN}', ":3: error: is not JSON: NaN"),
    "infinite": ('{\n"a": [-Infinity]}', ":2: error: is not JSON: -Infinity"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("path", ["datapackage.json", "schemas/types.json"])
def test_strange_document_in_bounded_memory(path: str, name: str, tmp_path: Path):
    """Catches a document of at most 4 MiB that takes a hundred times as much to read."""
    package = copy(tmp_path)
    text, message = DOCUMENTS[name]
    (package / path).write_text(text, encoding="utf-8")
    done = limited(package)
    assert done.returncode == 1, done.stderr
    assert message in done.stdout
    assert len(done.stdout) < 10_000


def typed(package: Path, **constraints: object) -> None:
    """Give the field relief of the table types other constraints, and no other."""
    path = package / "schemas/types.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    (field,) = (each for each in schema["fields"] if each["name"] == "relief")
    field["constraints"] = {"required": False, **constraints}
    field.pop("categories", None)
    path.write_text(json.dumps(schema), encoding="utf-8")


def values(package: Path, texts: list[str]) -> None:
    """Give the table types a row for each of these texts in the field relief."""
    header = "type_id,name,onset,factor,relief\n"
    rows = (f"t{number:06},N{number},,,{text}\n" for number, text in enumerate(texts))
    (package / "data/types.csv").write_text(header + "".join(rows), encoding="utf-8")


@pytest.mark.parametrize("rule", ["enum", "pattern"])
def test_message_does_not_repeat_what_the_schema_lists(rule: str, tmp_path: Path):
    """Catches a message on one value that is as long as the schema."""
    package = copy(tmp_path)
    words = [f"v{number:05}" for number in range(13_000 if rule == "enum" else 140)]
    if rule == "enum":
        typed(package, enum=words)
    else:
        typed(package, pattern="^(" + "|".join(words) + ")$")
    values(package, [f"x{number:05}" for number in range(20_000)])
    done = limited(package, "--rule", rule)
    assert done.returncode == 1, done.stderr
    assert "v00000" in done.stdout
    assert "v00139" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 300
