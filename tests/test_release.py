"""The release command: what it builds, that it builds it twice alike, and at once or not at all."""

import contextlib
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from cases import build, edit
from commands import FAST, PACKAGES, ROOT, SCRIPTS, issues, release, snapshot, validate
from moments import STEPS, Moments
from pipeline import rules
from pipeline.formats import sssom
from pipeline.issue import CannotRun
from pipeline.package import Package
from pipeline.package.field_types import FIELD_TYPES
from published import DESCRIPTOR, RESOURCES, SCHEMAS, VIEWS, copied, of_view, rows

NAME = f"spinal-metastases-{DESCRIPTOR['version']}"
# What a schema may say; it goes with the schemas.
PROFILES = ("profile/data-package", "profile/table-schema")
ZIPS = [f"{NAME}{kind}.zip" for kind in ("", "-csv", "-json", "-kgx", "-parquet")]
ALONE = [
    "citations.bib",
    "citations.csl.json",
    "citations.ris",
    "mappings.sssom.tsv",
    "spinal-metastases.sqlite",
]


def test_files(released: Path):
    """Catches an artifact that is missing or that nobody asked for."""
    others = ["SHA256SUMS", "croissant.json", "manifest.json", "spinal-metastases.html"]
    assert sorted(os.listdir(released)) == sorted([*ALONE, *ZIPS, *others])


def test_files_of_each_zip(released: Path):
    """Catches a format that lacks a table, and a zip with everything that lacks something."""
    beside = {"CHANGELOG.md", "CITATION.cff", "LICENSE", "data-dictionary.md"}
    csv = {"datapackage.json", *(f"data/{n}.csv" for n in RESOURCES)}
    csv |= {f"schemas/{name}.json" for name in (*RESOURCES, *PROFILES)}
    json_files = {f"{name}.json" for name in (*RESOURCES, *VIEWS, "spinal-metastases")}
    json_files |= {f"schemas/{name}" for name in json_files}
    parquet = {f"{name}.parquet" for name in (*RESOURCES, *VIEWS)}
    graph = {"nodes.jsonl", "edges.jsonl", "README.md"}
    everything = csv | {*ALONE, "index.html", "README.md"}
    for kind, names in (("json", json_files), ("kgx", graph), ("parquet", parquet)):
        everything |= {f"{kind}/{each}" for each in names}
    for name, inside in zip(ZIPS, (everything, csv, json_files, graph, parquet), strict=True):
        with zipfile.ZipFile(released / name) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == sorted(inside | beside)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_sums_pass_sha256sum(released: Path):
    """Catches a sum that is wrong, in another form, or missing."""
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=released, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    checked = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    assert checked == {*os.listdir(released)} - {"SHA256SUMS"}


def test_manifest_tells_the_truth(released: Path, unpacked: Path):
    """Catches a number or a hash in the manifest that is not that of the file."""
    manifest = json.loads((released / "manifest.json").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "schemas/reports/manifest.schema.json").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(manifest)) == []
    assert manifest["package"]["version"] == DESCRIPTOR["version"]
    assert DESCRIPTOR["version"] in manifest["package"]["citation"]
    sizes = {name: (len(rows(name)), len(SCHEMAS[name]["fields"])) for name in RESOURCES}
    assert {t["name"]: (t["rows"], t["columns"]) for t in manifest["tables"]} == sizes
    views = {name: of_view(unpacked, name) for name in VIEWS}
    sizes |= {name: (len(records), len(records[0])) for name, records in views.items()}
    own = {"SHA256SUMS", "manifest.json"}
    assert {file["path"] for file in manifest["files"]} == {*os.listdir(released)} - own
    for file in manifest["files"]:
        content = (released / file["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            file["bytes"],
            file["sha256"],
        )
        if file["path"].endswith(".zip"):
            with zipfile.ZipFile(released / file["path"]) as archive:
                assert [inside["path"] for inside in file["files"]] == archive.namelist()
                for inside in file["files"]:
                    content = archive.read(inside["path"])
                    assert inside["bytes"] == len(content)
                    assert inside["sha256"] == hashlib.sha256(content).hexdigest()
                    place, name = os.path.split(inside["path"])
                    table, _, kind = name.partition(".")
                    of_one_table = kind in ("csv", "json", "parquet") and "schemas" not in place
                    expected = sizes.get(table) if of_one_table else None
                    expected = expected or (None, None)
                    assert (inside.get("rows"), inside.get("columns")) == expected, inside["path"]


def test_manifest_of_tables_that_are_called_as_other_files(tmp_path: Path):
    """Catches a descriptor or a description that is said to be a table."""
    package = tmp_path / "package"
    shutil.copytree(PACKAGES / "base", package)
    descriptor = json.loads((package / "datapackage.json").read_text())
    about = {"title": "Id", "description": "The key.", "example": "a"}
    field = {"name": "id", "type": "string", **about, "constraints": {"required": True}}
    for name in ("croissant", "datapackage"):
        place = {"path": f"data/{name}.csv", "schema": f"schemas/{name}.json"}
        descriptor["resources"].append({**descriptor["resources"][0], "name": name, **place})
        (package / place["path"]).write_text("id\na\n")
        schema = {"fields": [field], "primaryKey": ["id"]}
        (package / place["schema"]).write_text(json.dumps(schema))
    (package / "datapackage.json").write_text(json.dumps(descriptor))
    validate(package, "--fix", "--quick")
    done = release(tmp_path / "out", package)
    assert done.returncode == 0, done.stdout
    files = json.loads((tmp_path / "out/manifest.json").read_text())["files"]
    assert [file["path"] for file in files if "rows" in file] == []
    inside = {file["path"]: {f["path"] for f in file.get("files", []) if "rows" in f}
              for file in files}  # fmt: skip
    names = [resource["name"] for resource in descriptor["resources"]]
    assert inside["base-1.2.3-csv.zip"] == {f"data/{name}.csv" for name in names}
    assert inside["base-1.2.3-json.zip"] == {f"{name}.json" for name in names}
    assert len(inside["base-1.2.3.zip"]) == 3 * len(names)


@pytest.mark.parametrize("name", ZIPS[:2])
def test_zip_is_a_valid_package(released: Path, tmp_path: Path, name: str):
    """Catches a release that its own validator or frictionless refuses, packed or unpacked."""
    assert issues(released / name) == []
    with zipfile.ZipFile(released / name) as archive:
        archive.extractall(tmp_path)
    assert issues(tmp_path, *FAST) == []
    for target in (released / name, "datapackage.json"):
        done = subprocess.run(
            [sys.executable, "-m", "frictionless", "validate", str(target)],
            cwd=tmp_path,
            capture_output=True,
        )
        assert done.returncode == 0, done.stdout.decode()


def test_release_holds_the_tables_as_they_are(unpacked: Path):
    """Catches a table or a descriptor that the release changed."""
    for path in ("datapackage.json", "LICENSE", *(r["path"] for r in DESCRIPTOR["resources"])):
        assert (unpacked / path).read_bytes() == (ROOT / path).read_bytes()


ELSEWHEN = """
import time_machine
time_machine.travel("2031-07-04T23:59:00+00:00").start()
"""


def test_two_builds_on_two_days_are_the_same_bytes(released: Path, tmp_path: Path):
    """Catches a clock, a time zone, a path, a file mode, a hash seed or an order that leaks."""
    copy = tmp_path / "elsewhere"
    ignored = shutil.ignore_patterns(".*", "dist", "release", "tests", "node_modules")
    shutil.copytree(ROOT, copy, ignore=ignored)
    for path in copy.rglob("*"):
        os.utime(path, (1e9, 1e9))
        path.chmod(0o700)
    startup = tmp_path / "startup"
    startup.mkdir()
    (startup / "sitecustomize.py").write_text(ELSEWHEN)
    settings = {
        "HOME": str(tmp_path),
        "LC_ALL": "C",
        "PYTHONHASHSEED": "1",
        "PYTHONPATH": str(startup),
        "TMPDIR": str(startup),
        "TZ": "Pacific/Kiritimati",
    }
    done = release(
        tmp_path / "later", scripts=copy / "scripts", env={**os.environ, **settings}, umask=0o077
    )
    assert done.returncode == 0, done.stderr
    assert snapshot(tmp_path / "later") == snapshot(released)
    done = subprocess.run(
        [sys.executable, "-c", "import datetime; print(datetime.date.today())"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "2031-07-05\n"


def test_modes_and_times_in_the_zips(released: Path):
    """Catches an entry that is dated by the clock or cannot be read once it is unpacked."""
    year, month, day = map(int, DESCRIPTOR["created"][:10].split("-"))
    for name in ZIPS:
        with zipfile.ZipFile(released / name) as archive:
            for member in archive.infolist():
                assert member.date_time == (year, month, day, 0, 0, 0)
                assert member.external_attr >> 16 == 0o100644
                assert member.create_system == 3


def test_package_without_papers_and_mappings(released_base: Path):
    """Catches a release that only one package can have."""
    names = {*os.listdir(released_base)}
    assert {"base-1.2.3.zip", "base.sqlite", "croissant.json"} <= names
    assert not {*ALONE} & names
    assert issues(released_base / "base-1.2.3.zip") == []


def test_nothing_is_released_from_an_invalid_package(released_base: Path, tmp_path: Path):
    """Catches a release of something broken, and an older one that suffers from it."""
    package, out = tmp_path / "package", tmp_path / "out"
    shutil.copytree(PACKAGES / "base", package)
    shutil.copytree(released_base, out)
    before = snapshot(out)
    table = package / "data/types.csv"
    table.write_text(table.read_text().replace("partial", "some"))
    done = release(out, package)
    assert done.returncode == 1
    assert "data/types.csv" in done.stdout
    assert snapshot(out) == before
    assert sorted(os.listdir(tmp_path)) == ["out", "package"]


def test_release_replaces_only_a_release(released: Path, released_base: Path, tmp_path: Path):
    """Catches a release that deletes what is not its own, or leaves what was."""
    out = tmp_path / "out"
    shutil.copytree(released, out)
    assert release(out, PACKAGES / "base").returncode == 0
    assert snapshot(out) == snapshot(released_base)
    (out / "notes.txt").write_text("mine")
    before = snapshot(out)
    done = release(out, PACKAGES / "base")
    assert done.returncode == 2
    assert "it holds notes.txt" in done.stderr
    assert snapshot(out) == before
    assert os.listdir(tmp_path) == ["out"]


def test_folder_with_sums_of_another(tmp_path: Path):
    """Catches downloads that are deleted because SHA256SUMS lies beside them, as it often does."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "system.iso").write_bytes(b"mine")
    (out / "SHA256SUMS").write_text(f"{hashlib.sha256(b'mine').hexdigest()}  system.iso\n")
    before = snapshot(out)
    done = release(out, PACKAGES / "base")
    assert done.returncode == 2
    assert "will not replace" in done.stderr
    assert snapshot(out) == before


def test_link_to_a_folder_in_a_release(released_base: Path, tmp_path: Path):
    """Catches a link that is deleted because a folder behind it has no name of its own."""
    out = tmp_path / "out"
    shutil.copytree(released_base, out)
    (out / "mine").symlink_to(tmp_path)
    done = release(out, PACKAGES / "base")
    assert done.returncode == 2
    assert "it holds mine" in done.stderr
    assert (out / "mine").is_symlink()


def test_release_into_the_working_folder(tmp_path: Path):
    """Catches a count of the folder that was there before, which is gone by then."""
    for _ in range(2):
        done = release(".", PACKAGES / "base", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(f"built {len(os.listdir(tmp_path))} files in .\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], "needs the name of a folder"),
        ([ROOT], "will not write over the package itself"),
        ([ROOT / "README.md"], "it is no folder"),
        (["{tmp}/out", "{tmp}"], "no data package"),
        (["/proc/out"], "cannot write"),
    ],
)
def test_cannot_run(tmp_path: Path, arguments: list, words: str):
    """Catches a wrong call that is not refused with exit code 2 and a reason."""
    done = release(*(str(each).format(tmp=tmp_path) for each in arguments))
    assert done.returncode == 2
    assert words in done.stderr
    assert os.listdir(tmp_path) == []


def test_help_answers():
    """Catches a command that does not say what it is for."""
    done = release("--help")
    assert done.returncode == 0
    assert "SHA256SUMS" in done.stdout
    assert release("--nonsense").returncode == 2


def test_missing_library_is_named(capsys: pytest.CaptureFixture[str]):
    """Catches the advice to install what a validation needs where a release needs more."""
    from pipeline import cli

    def work() -> int:
        raise ModuleNotFoundError(name="pybtex")

    assert cli.run("release.py", work) == 2
    said = capsys.readouterr().err
    assert said == "release.py: pybtex is not installed; set up with make release\n"


@pytest.mark.parametrize(
    ("found", "instead", "words"),
    [
        (
            '"spinal-metastases": "urn:x-spinal-metastases:"',
            '"spinal-metastases": "urn:x-spinal-metastases:", "ours": "urn:x-ours:"',
            "needs one prefix in uriPrefixes",
        ),
        ("skos:exactMatch", "our:exactMatch", "nothing says what the prefix our stands for"),
        ('"maximum": 1', '"maximum": 2', "cannot be written as SSSOM: 1 validation error"),
    ],
)
def test_mappings_that_sssom_refuses(tmp_path: Path, found: str, instead: str, words: str):
    """Catches an internal fault, and a row that is lost or that nobody else can read."""
    package = copied(tmp_path)
    schema = package / "schemas/ontology_mappings.json"
    table = package / "data/ontology_mappings.csv"
    schema.write_text(schema.read_text(encoding="utf-8").replace(found, instead), encoding="utf-8")
    rows = table.read_text(encoding="utf-8").replace(found, instead)
    if "maximum" in found:
        rows = rows.replace(",0.99,", ",1.5,", 1)
    table.write_text(rows, encoding="utf-8")
    assert validate(package, "--fix", *FAST).returncode == 0
    read = Package(str(package))
    rules.readable(read, "the package")
    with pytest.raises(CannotRun, match=words):
        sssom.write(read, str(tmp_path))
    assert os.listdir(tmp_path) == ["package"]
    if "validation error" in words:  # one of them by the command
        done = release(tmp_path / "out", package)
        assert done.returncode == 2, done.stdout
        assert words in done.stderr
        assert os.listdir(tmp_path) == ["package"]


def test_schema_in_the_place_of_an_artifact(tmp_path: Path):
    """Catches a zip that looks whole, in which one file took the place of another."""
    schema = edit(
        "datapackage.json", '"schema": "schemas/types.json"', '"schema": "json/types.json"'
    )
    package = build({"edits": [schema]}, tmp_path)
    (package / "json").mkdir()
    (package / "schemas/types.json").rename(package / "json/types.json")
    done = release(tmp_path / "out", package)
    assert done.returncode == 2, done.stdout
    assert "a release has its own json/types.json" in done.stderr
    assert os.listdir(tmp_path) == ["package"]


def test_nul_in_a_schema(tmp_path: Path):
    """Catches a character that SQLite refuses and that is taken for a fault of this program."""
    nul = edit("schemas/types.json", '"title": "Types"', '"title": "Ty\\u0000pes"')
    done = release(tmp_path / "out", build({"edits": [nul]}, tmp_path))
    assert done.returncode == 2
    assert "the database refuses a schema" in done.stderr


def test_name_that_no_file_can_have(tmp_path: Path):
    """Catches a package whose long name ends a release as an internal fault."""
    long = edit("datapackage.json", '"name": "base"', f'"name": "{"a" * 300}"')
    done = release(tmp_path / "out", build({"edits": [long]}, tmp_path))
    assert done.returncode == 1, done.stderr
    assert "[name-portable]" in done.stdout
    assert os.listdir(tmp_path) == ["package"]


def test_link_in_the_place_of_a_document(tmp_path: Path):
    """Catches a release that publishes a file from elsewhere, or one that is hidden."""
    package = tmp_path / "package"
    shutil.copytree(PACKAGES / "base", package)
    (package / ".hidden").write_text("secret")
    (package / "LICENSE").symlink_to(".hidden")
    done = release(tmp_path / "out", package)
    assert done.returncode == 1, done.stderr
    assert "'LICENSE' is a link [path-unsafe]" in done.stdout
    assert os.listdir(tmp_path) == ["package"]


def test_long_numbers(tmp_path: Path):
    """Catches a number of as many digits as are allowed that a format refuses or changes."""
    shutil.copytree(PACKAGES / "base", tmp_path / "package")
    package = tmp_path / "package"
    about = {"title": "X", "description": "X.", "constraints": {"required": True}}
    fields = [
        {"name": "id", "type": "string", "example": "a", **about},
        {"name": "whole", "type": "integer", "example": "1", **about},
        {"name": "decimal", "type": "number", "example": "1", **about},
    ]
    schema = {"description": "One row is a thing.", "fields": fields, "primaryKey": ["id"]}
    (package / "schemas/numbers.json").write_text(json.dumps(schema))
    texts = [
        ("a", "9007199254740991", "0.000000000000001"),
        ("b", "-9007199254740991", "100000000000000"),
        ("c", "0", "0.1"),
    ]
    values = [(key, int(whole), float(decimal)) for key, whole, decimal in texts]
    lines = ["id,whole,decimal", *map(",".join, texts), ""]
    (package / "data/numbers.csv").write_text("\n".join(lines))
    descriptor = json.loads((package / "datapackage.json").read_text())
    place = {"path": "data/numbers.csv", "schema": "schemas/numbers.json"}
    descriptor["resources"].append({**descriptor["resources"][0], "name": "numbers", **place})
    (package / "datapackage.json").write_text(json.dumps(descriptor))
    validate(package, "--fix", "--quick")
    done = release(tmp_path / "out", package)
    assert done.returncode == 0, done.stdout + done.stderr
    with contextlib.closing(sqlite3.connect(tmp_path / "out/base.sqlite")) as connection:
        assert connection.execute("select * from numbers").fetchall() == values
    with zipfile.ZipFile(tmp_path / "out/base-1.2.3-parquet.zip") as archive:
        frame = pd.read_parquet(io.BytesIO(archive.read("numbers.parquet")))
    assert list(frame.itertuples(index=False, name=None)) == values


def test_year_that_no_zip_can_name(tmp_path: Path):
    """Catches a day that the rules allow and that ends a release as an internal fault."""
    day = edit("datapackage.json", "2026-01-31T", "9999-01-31T")
    done = release(tmp_path / "out", build({"edits": [day]}, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(tmp_path / "out/base-1.2.3.zip") as archive:
        assert {member.date_time[:3] for member in archive.infolist()} == {(2107, 1, 31)}


def test_papers_without_what_a_reference_needs(tmp_path: Path):
    """Catches a traceback on another table of that name."""
    package = tmp_path / "package"
    shutil.copytree(PACKAGES / "base", package)
    for path in (package / "datapackage.json", *(package / "schemas").iterdir()):
        path.write_text(path.read_text().replace('"papers"', '"citations"'))
    retired = package / "data/withdrawn.csv"
    retired.write_text(retired.read_text().replace("papers,", "citations,"))
    validate(package, "--fix", "--quick")
    done = release(tmp_path / "out", package)
    assert done.returncode == 2
    assert "papers.json has no field type, which the format bibliography needs" in done.stderr
    assert os.listdir(tmp_path) == ["package"]


def test_allowed_numbers(tmp_path: Path):
    """Catches a format in which the allowed values of a number are texts."""
    place = '"example": "0.9",\n      "constraints": {'
    allowed = ["0.5", "0.7", "0.9", "0.99", "1"]
    known = f'{place}"enum": {json.dumps(allowed)},'
    package = build({"edits": [edit("schemas/mappings.json", place, known)]}, tmp_path)
    done = release(tmp_path / "out", package)
    assert done.returncode == 0, done.stdout + done.stderr
    with contextlib.closing(sqlite3.connect(tmp_path / "out/base.sqlite")) as connection:
        found = connection.execute("select distinct reviewed from features").fetchall()
        assert sorted(found, key=str) == [(0,), (1,), (None,)]
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            connection.execute("update mappings set confidence = 0.6")


def test_kill_leaves_the_old_release_or_the_new(released_base: Path, tmp_path: Path):
    """Catches a mixture of two releases after a kill at some step."""
    other = build({"edits": [edit("data/types.csv", "first symptom", "last symptom")]}, tmp_path)
    command = (SCRIPTS / "release.py", "out", other)
    killed = Moments(tmp_path, *command, events=(*STEPS, "open"))
    out, old = tmp_path / "out", snapshot(released_base)
    shutil.copytree(released_base, out)
    number = killed.count()
    new = snapshot(out)
    found = []
    for moment in (1, number // 4, number // 2, 3 * number // 4, number):
        shutil.rmtree(out)
        shutil.copytree(released_base, out)
        assert killed.run(moment, by="SIGKILL").returncode == -signal.SIGKILL
        found.append(snapshot(out))
        assert found[-1] in (old, new), moment
    assert (found[0], found[-1]) == (old, new)
    assert old != new


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interruption_leaves_nothing_behind(tmp_path: Path, by: str):
    """Catches temporary folders that stay where a scheduler or a closed terminal ends a build."""
    command = (SCRIPTS / "release.py", "out", PACKAGES / "base")
    interrupted = Moments(tmp_path, *command, events=("os.mkdir",))
    before = sorted(path.name for path in tmp_path.rglob("*"))
    done = interrupted.run(10, by=by)  # some folders are there by then
    assert (done.returncode, done.stderr) == (2, "release.py: interrupted\n")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("size", [0, 2_000, 15_000, 30_000, 100_000, 200_000])
def test_file_that_cannot_be_written_whole(released_base: Path, tmp_path: Path, size: int):
    """Catches a release with half a file, where the system stops every file at a size."""
    out = tmp_path / "out"
    shutil.copytree(released_base, out)
    before = snapshot(out)
    # Whatever measures the coverage could not write either.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
    done = release(out, preexec_fn=limit, env=environment)
    assert done.returncode == 2, done.stderr
    assert "release.py: " in done.stderr or "validate.py: " in done.stderr
    assert snapshot(out) == before
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("size", [40, 80, 160])
def test_full_disk(tmp_path: Path, size: int):
    """Catches a release with files missing or cut, where the disk (in KiB) is really full."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"]).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    command = [sys.executable, SCRIPTS / "release.py", "out", PACKAGES / "base"]
    script = f"""
        mount -t tmpfs -o size={size}k tmpfs "$0" && cd "$0" && mkdir out && cd out || exit 9
        echo old | tee croissant.json manifest.json old-1.0.0-csv.zip && sha256sum * > SHA256SUMS
        cd ..
        "$@"; echo "exit $?"; sha256sum --quiet -c out/SHA256SUMS --ignore-missing; ls -A . out
    """
    done = subprocess.run(
        [*unshare, "sh", "-c", script, tmp_path, *command],
        capture_output=True,
        text=True,
    )
    assert "No space left on device" in done.stderr or "disk is full" in done.stderr
    assert "nothing changed" in done.stderr
    assert "Traceback" not in done.stderr
    old = ["SHA256SUMS", "croissant.json", "manifest.json", "old-1.0.0-csv.zip"]
    assert done.stdout.split()[-9:] == ["exit", "2", ".:", "out", "out:", *old]


def test_a_folder_that_cannot_change_places(tmp_path: Path):
    """Catches a mount point of the same disk, of which nobody says what to do about it."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"]).returncode:
        pytest.skip("this system lets nobody mount a folder")
    command = [sys.executable, SCRIPTS / "release.py", "out", PACKAGES / "base"]
    script = 'cd "$0" && mkdir out && mount --bind out out || exit 9; "$@"; echo "exit $?"; ls -A'
    done = subprocess.run(
        [*unshare, "sh", "-c", script, tmp_path, *command], capture_output=True, text=True
    )
    assert "it is a mount point or in use, name a new folder inside it; nothing" in done.stderr
    assert done.stdout.split()[-3:] == ["exit", "2", "out"]


# A text of each type, what it is in JSON and SQLite, and what Croissant calls it.
OF_TYPES = {
    "boolean": ("true", True, 1, "sc:Boolean"),
    "date": ("2024-06-07", "2024-06-07", "2024-06-07", "sc:Date"),
    "integer": ("12", 12, 12, "sc:Integer"),
    "number": ("75.8", 75.8, 75.8, "sc:Float"),
    "string": ("rest", "rest", "rest", "sc:Text"),
    "year": ("2024", 2024, 2024, "sc:Integer"),
}


def test_field_of_every_type(tmp_path: Path):
    """Catches a type of a field that some format does not know."""
    assert OF_TYPES.keys() == FIELD_TYPES.keys()
    table, kinds = PACKAGES / "base/data/types.csv", [*OF_TYPES]
    header, row = table.read_text(encoding="utf-8").splitlines()
    cells = [f"{row},{','.join(text for text, *_ in OF_TYPES.values())}"]
    schema = json.loads((PACKAGES / "base/schemas/types.json").read_text(encoding="utf-8"))
    schema["fields"] += [
        {
            "name": f"a_{kind}",
            "type": kind,
            "title": kind.title(),
            "description": "Any.",
            "example": OF_TYPES[kind][0],
            "constraints": {"required": True},
        }
        for kind in kinds
    ]
    names = [f"a_{kind}" for kind in kinds]
    edits = [
        {"file": "data/types.csv", "text": "\n".join([",".join([header, *names]), *cells, ""])},
        {"file": "schemas/types.json", "text": json.dumps(schema)},
    ]
    out = tmp_path / "release"
    done = release(out, build({"edits": edits}, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(out / "base-1.2.3.zip") as everything:
        (record,) = json.loads(everything.read("json/types.json"))
        values = pq.read_table(io.BytesIO(everything.read("parquet/types.parquet"))).to_pylist()[0]
    with closing(sqlite3.connect(out / "base.sqlite")) as database:
        (stored,) = database.execute(f"select {', '.join(names)} from types")
    croissant = json.loads((out / "croissant.json").read_text(encoding="utf-8"))
    named = {each["name"]: each["dataType"] for s in croissant["recordSet"] for each in s["field"]}
    assert [record[name] for name in names] == [value for _, value, *_ in OF_TYPES.values()]
    assert [str(values[name]) for name in names] == [str(record[name]) for name in names]
    assert [*stored] == [value for _, _, value, _ in OF_TYPES.values()]
    assert [named[name] for name in names] == [name for *_, name in OF_TYPES.values()]
