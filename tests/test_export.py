"""The exports, read by clients that are not ours and compared with the CSV cell by cell."""

import json
import os
import shutil
import signal
import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from cases import build, edit
from commands import FAST, PACKAGES, ROOT, SCRIPT, SCRIPTS, issues, run, snapshot, validate
from moments import STEPS, Moments
from published import RESOURCES, SCHEMAS, VIEWS, copied, expected


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export of the package."""
    folder = tmp_path_factory.mktemp("export") / "dist"
    assert validate("--export", folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def exported_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export of the base package."""
    folder = tmp_path_factory.mktemp("export") / "base"
    assert validate(PACKAGES / "base", "--export", folder).returncode == 0
    return folder


def test_files(export: Path):
    """Catches an artifact that is missing or that nobody asked for."""
    names = sorted([*RESOURCES, *VIEWS])
    assert sorted(os.listdir(export)) == ["SHA256SUMS", "csv", "index.html", "json", "parquet"]
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
    """Catches a row of whatever table that the nesting dropped or doubled."""
    document = json.loads((export / "json/spinal-metastases.json").read_text(encoding="utf-8"))
    records = list(objects(document))
    for name in RESOURCES:
        # An edge stands with its cause and with its effect.
        times = 2 if name == "causal_relations" else 1
        wanted = Counter(json.dumps(row) for row in expected(name) for _ in range(times))
        columns = [field["name"] for field in SCHEMAS[name]["fields"]]
        found = [{key: each[key] for key in columns} for each in records if {*columns} <= {*each}]
        assert Counter(map(json.dumps, found)) == wanted, name
    for feature in document["clinical_features"]:
        for key in ("statements", "findings"):
            assert {row["feature_id"] for row in feature[key]} <= {feature["feature_id"]}


def objects(value: object) -> Iterator[dict]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from objects(each)


def test_equal_input_gives_equal_bytes(export: Path, tmp_path: Path):
    """Catches a clock, a path or an order that leaks into an artifact."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".*", "dist", "tests", "node_modules")
    )
    assert validate(copy, "--export", tmp_path / "dist", *FAST).returncode == 0
    assert snapshot(tmp_path / "dist") == snapshot(export)


def test_export_replaces_an_earlier_one(export: Path, exported_base: Path, tmp_path: Path):
    """Catches leftovers of the earlier export, and temporary folders."""
    dist = tmp_path / "dist"
    shutil.copytree(export, dist)
    assert validate(PACKAGES / "base", "--export", dist).returncode == 0
    assert snapshot(dist) == snapshot(exported_base)
    assert os.listdir(tmp_path) == ["dist"]


def test_own_export_is_never_refused(tmp_path: Path):
    """Catches an export that is not known again since its schemas have a folder of their own."""
    schema = edit(
        "datapackage.json", '"schema": "schemas/types.json"', '"schema": "more/types.json"'
    )
    package = build({"edits": [schema]}, tmp_path)
    (package / "more").mkdir()
    (package / "schemas/types.json").rename(package / "more/types.json")
    for _ in range(2):
        done = validate(package, "--export", tmp_path / "dist", *FAST)
        assert done.returncode == 0, done.stderr


def test_nothing_is_exported_from_an_invalid_package(exported_base: Path, tmp_path: Path):
    """Catches an export of something broken, and an older one that suffers from it."""
    package, dist = tmp_path / "package", tmp_path / "dist"
    shutil.copytree(PACKAGES / "base", package)
    shutil.copytree(exported_base, dist)
    before = snapshot(dist)
    table = package / "data/types.csv"
    table.write_text(table.read_text().replace("partial", "some"))
    assert validate(package, "--export", dist).returncode == 1
    assert snapshot(dist) == before
    assert sorted(os.listdir(tmp_path)) == ["dist", "package"]


@pytest.mark.parametrize(
    "content", ["notes.txt", "csv/data/my.csv", "json/my.json", "parquet/my.parquet", ".hidden/x"]
)
def test_other_files_are_never_replaced(tmp_path: Path, content: str):
    """Catches an export that deletes what is not its own."""
    path = tmp_path / "mine" / content
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    done = validate(PACKAGES / "base", "--export", tmp_path / "mine")
    assert done.returncode == 2
    assert "will not replace" in done.stderr
    assert snapshot(tmp_path / "mine") == {content: b"mine"}


def test_only_what_was_written_here_is_replaced(tmp_path: Path):
    """Catches a file that is deleted because it lies in an earlier export, or an empty folder."""
    dist = tmp_path / "dist"
    options = (PACKAGES / "base", "--export", dist, *FAST)
    assert validate(*options).returncode == 0
    dist.chmod(0o750)
    assert validate(*options).returncode == 0  # our own is never refused
    assert dist.stat().st_mode & 0o777 == 0o750
    sums = (dist / "SHA256SUMS").read_bytes()
    types = (dist / "csv/data/types.csv").read_bytes()
    (tmp_path / "mine").write_text("mine")
    for change, back in (
        (lambda: (dist / "json/mine.json").write_text("{}"), (dist / "json/mine.json").unlink),
        (
            lambda: (dist / "csv/.git/objects").mkdir(parents=True),
            lambda: shutil.rmtree(dist / "csv/.git"),
        ),
        (lambda: (dist / "mine").symlink_to("../mine"), (dist / "mine").unlink),
        (lambda: os.mkfifo(dist / "pipe"), (dist / "pipe").unlink),
        (
            lambda: (dist / "csv/data/types.csv").write_bytes(types + b"x"),
            lambda: (dist / "csv/data/types.csv").write_bytes(types),
        ),
        ((dist / "SHA256SUMS").unlink, lambda: (dist / "SHA256SUMS").write_bytes(sums)),
        (
            lambda: (dist / "SHA256SUMS").write_bytes(sums[:100]),
            lambda: (dist / "SHA256SUMS").write_bytes(sums),
        ),
    ):
        change()
        before = sorted(dist.rglob("*"))
        done = validate(*options)
        assert (done.returncode, sorted(dist.rglob("*"))) == (2, before)
        assert "it holds" in done.stderr
        back()
    assert validate(*options).returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["dist", "mine"]


def test_what_comes_meanwhile_stays(tmp_path: Path):
    """Catches a file that is saved into the folder while its successor is written."""
    from pipeline.folders import Target
    from pipeline.issue import CannotRun

    def ours(paths: set[str]) -> bool:
        return paths == {"x"}

    for late in ("mine.txt", "folder/mine.txt"):
        out = tmp_path / late.partition("/")[0] / "out"
        with Target(str(out), "/nowhere", ours) as new:
            Path(new, "x").write_text("old")
        target = Target(str(out), "/nowhere", ours)
        Path(target.__enter__(), "x").write_text("new")
        (out / late).parent.mkdir(exist_ok=True)
        (out / late).write_text("mine")
        with pytest.raises(CannotRun, match="it holds"):
            target.__exit__(None, None, None)
        assert ((out / late).read_text(), (out / "x").read_text()) == ("mine", "old")
        assert os.listdir(out.parent) == ["out"]


@pytest.mark.parametrize("target", [".", "..", "data", "data/new", "docs", ".git", "a/b"])
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


def test_kill_leaves_the_old_export_or_the_new(exported_base: Path, tmp_path: Path):
    """Catches a mixture of two exports after a kill, at any step around that which counts."""
    other = build({"edits": [edit("data/types.csv", "first symptom", "last symptom")]}, tmp_path)
    killed = Moments(
        tmp_path, SCRIPT, other, "--export", "dist", *FAST, events=(*STEPS, "open")
    )  # fmt: skip
    dist, old = tmp_path / "dist", snapshot(exported_base)
    shutil.copytree(exported_base, dist)
    before, after = 0, killed.count()
    new = snapshot(dist)
    assert new != old
    while after - before > 1:
        moment = (before + after) // 2
        shutil.rmtree(dist)
        shutil.copytree(exported_base, dist)
        assert killed.run(moment, by="SIGKILL").returncode == -signal.SIGKILL
        found = snapshot(dist)
        assert found in (old, new), moment
        before, after = (moment, after) if found == old else (before, moment)
    assert before  # some kill left the old one


def test_table_that_stands_nowhere_in_the_nested_document(tmp_path: Path):
    """Catches a new table that is left out of the document that holds everything."""
    package = copied(tmp_path)
    descriptor = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    place = {"path": "data/treatments.csv", "schema": "schemas/treatments.json"}
    shutil.copy(package / "data/spinal_regions.csv", package / place["path"])
    shutil.copy(package / "schemas/spinal_regions.json", package / place["schema"])
    resource = {**RESOURCES["spinal_regions"], "name": "treatments", **place}
    descriptor["resources"].append(resource)
    (package / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    assert validate(package, "--fix", "--quick").returncode == 0
    done = validate(package, "--export", tmp_path / "dist", *FAST)
    assert done.returncode == 2
    assert "the table treatments stands nowhere in json/spinal-metastases.json" in done.stderr
    assert os.listdir(tmp_path) == ["package"]


def test_row_that_stands_nowhere_in_the_nested_document(tmp_path: Path):
    """Catches a row that is left out since it names no record in which it could stand."""
    package = copied(tmp_path)
    schema = package / "schemas/statements.json"
    fields = json.loads(schema.read_text(encoding="utf-8"))
    (field,) = (each for each in fields["fields"] if each["name"] == "feature_id")
    field["constraints"]["required"] = False
    schema.write_text(json.dumps(fields), encoding="utf-8")
    table = package / "data/statements.csv"
    text = table.read_text(encoding="utf-8")
    assert ",pain," in text
    table.write_text(text.replace(",pain,", ",,", 1), encoding="utf-8")
    assert validate(package, "--fix", "--quick").returncode == 0
    done = validate(package, "--export", tmp_path / "dist", *FAST)
    assert done.returncode == 2, done.stdout
    assert "of statements stands nowhere in the nested document" in done.stderr
    assert os.listdir(tmp_path) == ["package"]


def test_json_schema_on_disk_is_the_one_that_holds(tmp_path: Path):
    """Catches an export whose published JSON Schema is not the one that it was checked against."""
    package = copied(tmp_path)
    schema = package / "schemas/json/spinal-metastases.json"
    schema.write_text(schema.read_text(encoding="utf-8").replace('"citations",', ""))
    done = validate(package, "--export", tmp_path / "dist", *FAST)
    assert done.returncode == 1
    assert "[stale-document]" in done.stdout
    assert os.listdir(tmp_path) == ["package"]


# The first folder of an export, `csv`, is made when all rules have judged; `parquet` when the
# tables were copied, and before the page is written.
EDITED_MEANWHILE = """
import os, sys
def edit(event, arguments):
    if event == "os.mkdir" and str(arguments[0]).endswith(os.sep + os.environ["AT"]):
        exec(os.environ.pop("EDIT", ""))
sys.addaudithook(edit)
"""


def meanwhile(folder: Path, at: str, edit: str) -> dict[str, str]:
    """The environment in which a command runs these lines when it makes a folder of this name."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(EDITED_MEANWHILE)
    return {**os.environ, "PYTHONPATH": str(folder), "AT": at, "EDIT": edit}


@pytest.mark.parametrize("command", ["validate.py", "release.py"])
@pytest.mark.parametrize(
    ("file", "added"),
    [("data/types.csv", "wrong\n"), ("schemas/types.json", " "), ("datapackage.json", "\n")],
)
def test_file_that_changes_after_it_was_judged(
    request: pytest.FixtureRequest, command: str, file: str, added: str, tmp_path: Path
):
    """Catches an export of something that no rule has seen, and an older one that suffers."""
    package, out, startup = (tmp_path / name for name in ("package", "out", "startup"))
    shutil.copytree(PACKAGES / "base", package)
    arguments = [package, "--export", out, *FAST] if command == "validate.py" else [out, package]
    earlier = "exported_base" if command == "validate.py" else "released_base"
    shutil.copytree(request.getfixturevalue(earlier), out)
    before = snapshot(out)
    edit = f"with open({str(package / file)!r}, 'a') as file: file.write({added!r})"
    done = run(command, *arguments, env=meanwhile(startup, "csv", edit))
    assert (package / file).read_bytes() == (PACKAGES / "base" / file).read_bytes() + added.encode()
    assert done.returncode == 2, done.stdout
    assert f"{file} was changed after it was checked" in done.stderr
    assert snapshot(out) == before
    assert sorted(os.listdir(tmp_path)) == ["out", "package", "startup"]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        ("open(path, 'a').write('x')", "was changed after it was checked"),
        ("os.rename(path, path + '.old'); os.symlink(path + '.old', path)", "is a link"),
        ("os.remove(path); os.mkfifo(path)", "is a pipe or a device"),
        ("os.remove(path); os.makedirs(path)", "is a folder"),
    ],
)
def test_table_that_is_another_when_the_page_is_written(edit: str, why: str, tmp_path: Path):
    """Catches a page with a table that nobody judged, or one that waits for a pipe."""
    package, out = copied(tmp_path), tmp_path / "out"
    settings = meanwhile(
        tmp_path / "startup", "parquet", f"path = {str(package / 'data/findings.csv')!r}; {edit}"
    )
    done = validate(package, "--export", out, *FAST, env=settings)
    assert (done.returncode, why in done.stderr) == (2, True), done.stderr
    assert "data/findings.csv was " in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["package", "startup"]


def test_release_carries_what_was_judged(tmp_path: Path):
    """Catches a file beside the tables that is read again, and was changed after it was checked."""
    changes = "# Changes\n\n## [1.2.3] - 2026-01-31\n\n- All of it.\n"
    package = build({"edits": [{"file": "CHANGELOG.md", "text": changes}]}, tmp_path)
    edit = f"open({str(package / 'CHANGELOG.md')!r}, 'w').write('x')"
    settings, out = meanwhile(tmp_path / "startup", "csv", edit), tmp_path / "out"
    done = run("release.py", out, package, env=settings)
    assert done.returncode == 0, done.stderr
    assert (package / "CHANGELOG.md").read_text() == "x"
    with zipfile.ZipFile(next(out.glob("*-csv.zip"))) as archive:
        assert archive.read("CHANGELOG.md").decode() == changes


@pytest.mark.parametrize("content", ["Für alle".encode("latin-1"), b"x" * (4 << 20) + b"x"])
def test_license_that_no_release_carries(content: bytes, tmp_path: Path):
    """Catches a release without a license that is there, or a reason that is not the true one."""
    package = build({"edits": []}, tmp_path)
    (package / "LICENSE").write_bytes(content)
    done = run("release.py", tmp_path / "out", package)
    assert done.returncode == 2, done.stdout
    assert "carry LICENSE: it is no text in UTF-8 of at most 4 MiB" in done.stderr
    assert not (tmp_path / "out").exists()


FORMAT = '''
"""A record a line."""

import json, os, re
from pipeline.formats import content

OWNS = re.compile(r"lines/(?P<table>[^/]+)\\.jsonl")
LIBRARIES = {"PyYAML": "yaml"}
NEEDS = {}


def write(package, folder):
    os.mkdir(os.path.join(folder, "lines"))
    for resource in package.resources:
        rows = content.records(package, resource.name)
        with open(os.path.join(folder, "lines", resource.name + ".jsonl"), "w") as file:
            file.writelines(json.dumps(row) + "\\n" for row in rows)
'''


def test_new_format_needs_its_module_and_one_name(tmp_path: Path):
    """Catches a second list of formats: of what may be replaced, packed, counted or imported."""
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "schemas/profile", tmp_path / "schemas/profile")
    room = scripts / "pipeline/formats"
    (room / "lines.py").write_text(FORMAT)
    text = (room / "registry.py").read_text()
    assert text.count("    json_records,\n") == text.count("json_records, nested") == 1
    text = text.replace("    json_records,\n", "    json_records,\n    lines,\n")
    text = text.replace("json_records, nested", "json_records, lines, nested")
    (room / "registry.py").write_text(text)
    out = tmp_path / "dist"
    for _ in range(2):
        done = run("validate.py", PACKAGES / "base", "--export", out, *FAST, scripts=scripts)
        assert done.returncode == 0, done.stderr
        assert "types.jsonl" in os.listdir(out / "lines")
    done = run("release.py", tmp_path / "release", PACKAGES / "base", scripts=scripts)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "release/manifest.json").read_text())
    assert manifest["tools"]["PyYAML"] == version("PyYAML")
    inside = {file["path"]: file.get("files") for file in manifest["files"]}
    (packed,) = (each for each in inside["base-1.2.3-lines.zip"] if each["path"] == "types.jsonl")
    assert packed["rows"] == 1
    assert "lines/types.jsonl" in [each["path"] for each in inside["base-1.2.3.zip"]]


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
    done = validate("--export", tmp_path / "file/dist", *FAST)
    assert done.returncode == 2
    assert "cannot write" in done.stderr
