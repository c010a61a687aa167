"""docs/architecture.md: each of its lists is done on a copy and is complete; its map is true."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from commands import FAST, ROOT, run, snapshot

GUIDE = ROOT / "docs/architecture.md"
RULE = '''"""Rules on the tone of a text."""

from collections.abc import Iterator

from pipeline.issue import show
from pipeline.package.table import Column
from pipeline.rules import column_rule


@column_rule("no-shouting", "write it in lower case")
def no_shouting(column: Column) -> Iterator[tuple[str, str]]:
    """No text is all in capitals with an exclamation mark."""
    for text in column.texts:
        if text.isupper() and text.endswith("!"):
            yield text, f"{show(text)} shouts"
'''
FORMAT = '''"""A line of JSON for each row."""

import json
import os
import re

from pipeline import files
from pipeline.package import Package

OWNS = re.compile(r"jsonl/(?P<table>[^/]*)[.]jsonl")
LIBRARIES: dict[str, str] = {}
NEEDS: dict[str, tuple[str, ...]] = {}


def write(package: Package, folder: str) -> None:
    """Write `jsonl/TABLE.jsonl` for each table."""
    os.makedirs(os.path.join(folder, "jsonl"))
    for resource in package.resources:
        text = "".join(json.dumps(row) + "\\n" for row in resource.table.records())
        files.write_text(os.path.join(folder, "jsonl"), f"{resource.name}.jsonl", text)
'''
CLIENT = '''


def test_lines_of_json(tmp_path: Path):
    """Catches lines that Polars reads otherwise, and those of an earlier export."""
    for _ in range(2):
        done = validate(PACKAGES / "base", "--export", tmp_path / "dist", "--skip", "frictionless")
        assert done.returncode == 0, done.stderr
    with open(PACKAGES / "base/data/findings.csv", encoding="utf-8", newline="") as file:
        features = [row["feature_id"] for row in csv.DictReader(file)]
    lines = pl.read_ndjson(tmp_path / "dist/jsonl/findings.jsonl")
    assert lines["feature_id"].to_list() == features
'''

PROPERTY = """
        "maxWords": {
          "description": "The text has no more words.",
          "type": "integer",
          "rules": [
            "word-limit"
          ]
        },
"""
PROPERTY_RULE = '''

@column_rule("word-limit", "shorten the text")
def word_limit(column: Column) -> Iterator[tuple[str, str]]:
    """A text has no more words than its field allows."""
    limit = column.field.get("maxWords")
    for text in column.texts if limit is not None else ():
        if len(text.split()) > limit:
            yield text, f"{show(text)} has more than {limit} words"
'''


# Who opens files, and what beside `files.py`: what Python or a library needs, and the packages that
# the benchmark makes up.
OPENERS = {
    "scripts/benchmark.py": {"open", "shutil.copytree"},
    "scripts/pipeline/cli.py": {"open"},  # the null device
    "scripts/pipeline/files.py": {"open", "os.open", "io.FileIO"},
    "scripts/pipeline/formats/bundle.py": {
        *("zipfile.ZipFile", "shutil.copyfile", "shutil.copyfileobj")
    },
    "scripts/pipeline/formats/sqlite.py": {"sqlite3.connect"},
    "scripts/pipeline/package/archive.py": {"zipfile.ZipFile", "io.FileIO"},
    "scripts/pipeline/package/git.py": {"tempfile.TemporaryFile"},
}


def test_files_are_opened_in_one_place():
    """Catches a second way to a file, which links, pipes and changes would find open."""
    opens = re.compile(
        r"(?<![\w.\"'])(?:(?:os|io|codecs|gzip)\.)?open(?=\()"
        r"|io\.FileIO|(?:tempfile|zipfile)\.\w+File(?=\()"
        r"|sqlite3\.connect(?!\(\":memory:)|shutil\.copy\w*|import pathlib|from pathlib"
    )
    found = {}
    for path in sorted((ROOT / "scripts").rglob("*.py")):
        if ways := {*opens.findall(path.read_text(encoding="utf-8"))}:
            found[path.relative_to(ROOT).as_posix()] = ways
    assert found == OPENERS


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of this repository without what is built or installed."""
    ignored = shutil.ignore_patterns(".*", "dist", "release", "node_modules", "__pycache__")
    copy = tmp_path / "repository"
    shutil.copytree(ROOT, copy, ignore=ignored)
    return copy


def listed(heading: str) -> list[list[str]]:
    """The files of a list of the guide, entry by entry, as patterns."""
    section = GUIDE.read_text(encoding="utf-8").partition(f"### {heading}\n")[2]
    entries = re.split(r"^- ", section.partition("\n#")[0], flags=re.MULTILINE)[1:]
    paths = [re.findall(r"`([\w*./-]+\.\w+)`", entry.partition(":")[0]) for entry in entries]
    assert paths, heading
    return [[re.sub(r"\b[A-Z]{2,}\b(?!\.md)", "*", path) for path in found] for found in paths]


def edit(file: Path, find: str, replace: str) -> None:
    """Replace what is there at least once, the first time."""
    text = file.read_text(encoding="utf-8")
    assert find in text, (file, find)
    file.write_text(text.replace(find, replace, 1), encoding="utf-8")


def compared(heading: str, repository: Path, optional: tuple[str, ...] = ()) -> None:
    """Let --fix do the rest; the files that then differ are those of the list, all of them."""
    done = run("validate.py", "--fix", scripts=repository / "scripts")
    assert done.returncode == 0, done.stdout + done.stderr
    changed = {
        path
        for path, content in snapshot(repository).items()
        if "__pycache__" not in path
        and not ((ROOT / path).is_file() and (ROOT / path).read_bytes() == content)
    }
    patterns = [pattern for entry in listed(heading) for pattern in entry]
    unlisted = {path for path in changed if not any(fnmatchcase(path, p) for p in patterns)}
    idle = {p for p in patterns if not any(fnmatchcase(path, p) for path in changed)}
    assert (unlisted, idle - {*optional}) == (set(), set())


def judged(repository: Path, what: str, tests: str = "test_rules.py") -> None:
    """The tests of a copy that have this in their names pass: the cases of a rule, a client."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", what]
    command += [f"tests/{tests}"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_add_a_rule(repository: Path):
    """Catches a rule that needs more files than the guide says."""
    room = repository / "scripts/pipeline/rules"
    (room / "tone.py").write_text(RULE, encoding="utf-8")
    edit(room / "__init__.py", '    "constraints",\n', '    "constraints",\n    "tone",\n')
    form = '    "scripts/pipeline/rules/form.py",\n'
    edit(repository / "tests/cosmic-ray.toml", form, form + form.replace("form", "tone"))
    case = {
        "edits": [{"file": "data/features.csv", "find": ",Weakness,", "replace": ",WEAK!,"}],
        "issues": ["data/features.csv:4:name [no-shouting]"],
    }
    folder = repository / "tests/cases/invalid/no-shouting"
    folder.mkdir()
    (folder / "name.json").write_text(json.dumps(case))
    compared("Add a rule", repository)
    judged(repository, "no-shouting")


def test_no_module_of_rules_is_passed_over():
    """Catches a new module whose rules are not loaded, or that no mutant is made of."""
    from pipeline.rules import MODULES

    room = ROOT / "scripts/pipeline/rules"
    files = {path.stem for path in room.glob("*.py")}
    # What frictionless runs in is no module of rules; what it says is not judged by mutants.
    assert sorted(MODULES) == sorted(files - {"__init__", "frictionless_process"})
    config = tomllib.loads((ROOT / "tests/cosmic-ray.toml").read_text(encoding="utf-8"))
    changed = {Path(path).stem for path in config["cosmic-ray"]["module-path"]}
    assert changed == {*MODULES} - {"second_opinion"}


def test_a_value_is_shown_in_one_way():
    """Catches a message that shows a value of a user by other means than `issue.show`."""
    sources = (ROOT / "scripts").rglob("*.py")
    others = [
        f"{source.relative_to(ROOT)}:{number}"
        for source in sources
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"![ra][:}]", line)
    ]
    assert others == []


def test_add_a_format(repository: Path):
    """Catches a format that is not replaced, or that a second list has to know."""
    (repository / "scripts/pipeline/formats/jsonl.py").write_text(FORMAT)
    room = repository / "scripts/pipeline/formats/registry.py"
    edit(room, "    json_records,\n", "    json_records,\n    jsonl,\n")
    edit(room, "json_records, nested", "json_records, jsonl, nested")
    edit(repository / "README.md", "| `manifest.json`", "| `…-jsonl.zip` | a line a row |\n| `man")
    with open(repository / "tests/test_clients.py", "a", encoding="utf-8") as clients:
        clients.write(CLIENT)
    compared("Add a format", repository, ("pyproject.toml", "requirements*.txt"))
    judged(repository, "lines_of_json", "test_clients.py")


# A line that a contract on imports forbids, at the end of which module, and what is then broken.
AGAINST = {
    "a room above its own": ("package/table.py", "from pipeline import rules", "one way"),
    "another module of rules": ("rules/keys.py", "from pipeline.rules import form", "no other"),
    "each other": ("papers/names.py", "from pipeline.papers import ris", "in a circle"),
    "a command": ("cli.py", "import validate", "no command"),
    "from no line": ("colors.py", '"""Colors of a report."""', "one way"),
}


@pytest.mark.parametrize("what", AGAINST)
def test_import_contracts(what: str, tmp_path: Path):
    """Catches a contract that is kept whatever is imported, or wherever a module stands."""
    module, line, broken = AGAINST[what]
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with open(tmp_path / "scripts/pipeline" / module, "a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": "scripts", "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout
    assert re.findall(r"^(.*) BROKEN$", done.stdout, re.MULTILINE)[0].endswith(broken), done.stdout


def contracts() -> list[dict]:
    """The contracts on imports."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return config["tool"]["importlinter"]["contracts"]


def test_every_room_is_on_the_map():
    """Catches a room that one of the two maps lacks, or that stands above what it is made from."""
    library = ROOT / "scripts/pipeline"
    rooms = {path.stem for path in library.glob("*[!_].py")}
    rooms |= {path.parent.name for path in library.glob("*/__init__.py")}
    layers = [layer.split(" | ") for layer in contracts()[0]["layers"]]
    assert {room for layer in layers for room in layer} == rooms
    guide = GUIDE.read_text(encoding="utf-8").partition("| room |")[2].partition("\n\n")[0]
    firsts = "".join(re.findall(r"^\| (`.*?) \|", guide, re.MULTILINE))
    docstring = (library / "__init__.py").read_text(encoding="utf-8")
    maps = re.findall(r"`(\w+)(?:/|[.]py)`", firsts), re.findall(r"^(\w+) +\S", docstring, re.M)
    for names in maps:
        assert sorted(names) == sorted(rooms)
        lines = [next(n for n, layer in enumerate(layers) if name in layer) for name in names]
        assert lines == sorted(lines), names


def test_every_module_of_the_tests_is_on_their_map():
    """Catches a module that tests/README.md passes over, and one that is gone."""
    guide = (ROOT / "tests/README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+[.]py)`", guide))
    assert named == {path.name for path in (ROOT / "tests").glob("*.py")}


def test_the_library_imports_none_of_the_commands():
    """Catches a command that the contract on commands does not name."""
    (forbidden,) = (
        each["forbidden_modules"] for each in contracts() if each["type"] == "forbidden"
    )
    assert forbidden == sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))


def add_table(repository: Path) -> None:
    """A table of treatments that refers to features."""
    (repository / "data/treatments.csv").write_text("treatment_id,feature_id\nrest,back_pain\n")
    fields = [
        {
            "name": name,
            "type": "string",
            "title": name.removesuffix("_id").title(),
            "description": "What it is. Never empty.",
            "example": example,
            "constraints": {"required": True, "pattern": "^[a-z0-9]+(_[a-z0-9]+)*$"},
        }
        for name, example in (("treatment_id", "rest"), ("feature_id", "back_pain"))
    ]
    reference = {"resource": "clinical_features", "fields": ["feature_id"]}
    schema = {
        "$schema": json.loads((ROOT / "schemas/findings.json").read_text())["$schema"],
        "name": "treatments",
        "title": "Treatments",
        "description": "One row is a treatment.",
        "fields": fields,
        "primaryKey": ["treatment_id"],
        "foreignKeys": [{"fields": ["feature_id"], "reference": reference}],
        "missingValues": [""],
    }
    (repository / "schemas/treatments.json").write_text(json.dumps(schema, indent=2) + "\n")
    path = repository / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    model = next(each for each in descriptor["resources"] if each["name"] == "spinal_regions")
    made = json.dumps(model).replace("spinal_regions", "treatments")
    descriptor["resources"].append(json.loads(made))
    path.write_text(json.dumps(descriptor, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    edit(
        repository / "README.md", "erDiagram\n", "erDiagram\n  treatments }o--|| features : eases\n"
    )
    edit(repository / "CHANGELOG.md", "\n## ", "\n## Unreleased\n\n- Treatments.\n\n## ")


def test_add_a_table(repository: Path):
    """Catches a table that is missing from the document that holds everything."""
    add_table(repository)
    done = run("validate.py", "--fix", "--quick", scripts=repository / "scripts")
    assert done.returncode == 0, done.stdout
    dist = repository.parent / "dist"
    done = run("validate.py", "--export", dist, *FAST, scripts=repository / "scripts")
    assert done.returncode == 2
    assert "the table treatments stands nowhere" in done.stderr
    assert not dist.exists()
    layout = repository / "scripts/pipeline/formats/nested.py"
    edit(
        layout, '    Rows("retired_ids"),\n', '    Rows("retired_ids"),\n    Rows("treatments"),\n'
    )
    compared("Add a table", repository)
    done = run("validate.py", "--export", dist, *FAST, scripts=repository / "scripts")
    assert done.returncode == 0, done.stderr
    document = json.loads((dist / "json/spinal-metastases.json").read_text(encoding="utf-8"))
    assert document["treatments"] == [{"treatment_id": "rest", "feature_id": "back_pain"}]


def test_add_an_allowed_value(repository: Path):
    """Catches a value that needs a change in Python."""
    path = repository / "schemas/pain_laterality.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    field = next(each for each in schema["fields"] if each["name"] == "laterality")
    field["categories"].append({"value": "alternating", "label": "On one side, then the other"})
    field["constraints"]["enum"].append("alternating")
    path.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    compared("Add an allowed value", repository)


def test_add_a_property(repository: Path):
    """Catches a property that the guide does not lead through, and one that checks nothing."""
    profile = repository / "schemas/profile/table-schema.json"
    edit(profile, '\n        "verbatim": {\n', f'{PROPERTY}        "verbatim": {{\n')
    module = repository / "scripts/pipeline/rules/constraints.py"
    module.write_text(module.read_text(encoding="utf-8") + PROPERTY_RULE, encoding="utf-8")
    steps = repository / "scripts/pipeline/comparison/steps.py"
    edit(steps, '("maximum", "maxLength")', '("maximum", "maxLength", "maxWords")')
    for schema, example in (
        ("schemas/spinal_regions.json", '"example": "Thoracic spine",'),
        ("tests/cases/base/schemas/types.json", '"example": "Back pain",'),
    ):
        edit(repository / schema, example, f'{example}\n      "maxWords": 3,')
    names = ("features", "types")
    long = [
        {"file": f"data/{n}.csv", "find": ",Back pain,", "replace": ",Pain in the back,"}
        for n in names
    ]
    case = {"edits": long, "issues": ["data/types.csv:2:name [word-limit]"]}
    folder = repository / "tests/cases/invalid/word-limit"
    folder.mkdir()
    (folder / "name.json").write_text(json.dumps(case))
    compared("Add a property", repository)
    judged(repository, "word-limit")
