"""Hostile and broken input: a message and an exit code, never a traceback; nothing outside."""

import json
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cases import build, refresh
from commands import (
    FAST,
    PACKAGES,
    PATIENCE,
    ROOT,
    SCRIPT,
    issues,
    run_each,
    snapshot,
    validate,
)
from pipeline import files
from pipeline.issue import CannotRun

BASE = PACKAGES / "base"
FILES = sorted(str(p.relative_to(BASE)) for p in BASE.rglob("*") if p.is_file())


def mangled(name: str, change, folder: Path) -> Path:
    """The base package with one file changed by a function of its bytes."""
    package = folder / "package"
    shutil.copytree(BASE, package)
    path = package / name
    path.write_bytes(change(path.read_bytes()))
    return package


@pytest.mark.parametrize("name", FILES)
def test_random_bytes_truncations_and_flips(name: str, tmp_path: Path):
    """Catches a traceback on any damage to any file."""
    dice = random.Random(name)
    content = (BASE / name).read_bytes()
    changes = [
        lambda _: b"",
        lambda _: dice.randbytes(2000),
        lambda _: b"\0" * 100,
        lambda _: content.decode().encode("utf-16"),
        *(lambda _: content[: dice.randrange(len(content))] for _ in range(3)),
    ]
    for _ in range(6):
        at = dice.randrange(len(content))
        changes.append(lambda c, at=at: c[:at] + dice.randbytes(1) + c[at + 1 :])
    packages = [
        mangled(name, change, tmp_path / str(number)) for number, change in enumerate(changes)
    ]
    whole = validate(packages[0], *FAST)
    for number, done in enumerate(run_each("validate.py", ([each, *FAST] for each in packages))):
        assert number or (done.returncode, done.stdout, done.stderr) == (
            whole.returncode, whole.stdout, whole.stderr
        )  # fmt: skip
        # A letter changed in prose is no fault; everything else is.
        assert done.returncode in ((1, 2) if number < 7 else (0, 1, 2))
        assert done.stdout or done.stderr


VALUES = [None, True, 7, -1.5, "", "x", "\u0000", [], {}, [[]], [{}], {"x": []}, 10**400]


def _places(value: object, keys: tuple = ()) -> Iterator[tuple]:
    yield keys
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*keys, key))
    elif isinstance(value, list):
        for key, inner in enumerate(value):
            yield from _places(inner, (*keys, key))


@pytest.mark.parametrize("name", ["datapackage.json", "schemas/findings.json"])
def test_any_value_at_any_place_of_a_document(name: str, tmp_path: Path):
    """Catches a rule that trusts the shape of a descriptor or a schema."""
    text = (BASE / name).read_text(encoding="utf-8")
    places = [keys for keys in _places(json.loads(text)) if keys]
    dice = random.Random(name)
    packages = [tmp_path / str(number) for number in range(60)]
    for package, keys in zip(packages, dice.sample(places, 60), strict=True):
        document = json.loads(text)
        parent = document
        for key in keys[:-1]:
            parent = parent[key]
        parent[keys[-1]] = dice.choice(VALUES)
        shutil.copytree(BASE, package)
        (package / name).write_text(json.dumps(document), encoding="utf-8")
    validate(packages[0], "--quick")
    run_each("validate.py", ([package, "--quick"] for package in packages))
    run_each("validate.py", ([package, "--quick", "--fix"] for package in packages))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 50_000,
        "[" * 200_000 + "]" * 200_000,
        '{"resources": ' + "9" * 5000 + "}",
        '{"resources": NaN}',
        '"\\ud800"',
        "\ufeff{}",
        '{"resources": []}',
        '{"resources": [null, 1, "x", []]}',
        "{" + ",".join(f'"k{n}": {n}' for n in range(20_000)) + "}",
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_strange_descriptors(text: str, tmp_path: Path):
    """Catches JSON that breaks the reader."""
    (tmp_path / "datapackage.json").write_text(text, encoding="utf-8")
    done = validate(tmp_path)
    assert done.returncode in (1, 2)


def limited(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command with half a gibibyte of memory to its name."""
    size = 512 << 20
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
        timeout=PATIENCE,
    )


@pytest.mark.parametrize(
    "content",
    [
        "x," * 400_000 + "x\n",
        ",".join(f"c{n}" for n in range(50_000)) + "\n" + "," * 49_999 + "\n",
        "feature_id,name,parent_id,reviewed,code\n" + "x" * 3_000_000 + ",,,,\n",
        'feature_id,name,parent_id,reviewed,code\n"' + "x\n" * 3_000_000,
        "\n" * 1_000_000,
        "\r" * 1_000_000,
        '"' * 1_000_001,
    ],
    ids=["wide", "columns", "field", "quote", "blank", "returns", "quotes"],
)
def test_huge_tables_in_bounded_memory(content: str, tmp_path: Path):
    """Catches a table that takes memory without bound."""
    package = mangled("data/features.csv", lambda _: content.encode(), tmp_path)
    done = limited(package, "--quick")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr


def archive(path: Path, members: dict[str, bytes], mode: int = 0o644) -> Path:
    """A zip with these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return path


@pytest.mark.parametrize(
    "name",
    ["../escape.txt", "/escape.txt", "a/../../escape.txt", "C:/escape.txt", "..\\escape.txt"],
)
def test_zip_that_leads_out(name: str, tmp_path: Path):
    """Catches a zip that writes outside of the folder it is unpacked to."""
    members = {"datapackage.json": b"{}", name: b"x"}
    done = validate(archive(tmp_path / "bad.zip", members), cwd=tmp_path)
    assert done.returncode == 2
    assert "leads out" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["bad.zip"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("\x00../etc", "has a character that names must not have"),
        ("a\x00.csv", "has a character that names must not have"),
        ("a\x1b[31m.csv", "has a character that names must not have"),
        ("a\u009b31m.csv", "has a character that names must not have"),
        ("a\n::error::b", "has a character that names must not have"),
        ("", "is no name"),
        ("a/" * 40 + "x", "is more than 32 folders deep"),
        ("a/" * 40, "is more than 32 folders deep"),
        ("n" * 300, "File name too long"),
        ("datapackage.json/x", "cannot unpack"),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_zip_with_a_name_that_nobody_could_write(name: str, words: str, tmp_path: Path):
    """Catches a name that ends in a traceback, commands a terminal, or cannot be removed again."""
    stand_in = "x" * max(len(name.encode()), 1)
    if not name.isascii():
        stand_in = f"\u00e4{stand_in[2:]}"  # so that the zip says UTF-8
    path = archive(tmp_path / "bad.zip", {"datapackage.json": b"{}", stand_in: b"x"})
    raw = path.read_bytes()
    path.write_bytes(raw.replace(stand_in.encode(), name.encode()))
    if not name:
        entries(path, [b"datapackage.json", b""])
    (tmp_path / "temporary").mkdir()
    done = validate(path, "--quick", env={**os.environ, "TMPDIR": str(tmp_path / "temporary")})
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    assert os.listdir(tmp_path / "temporary") == []


def entries(path: Path, names: list[bytes]) -> Path:
    """A zip that is nothing but a list of names, with their number where 64 bits are needed."""
    listing = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 45, 3, 45, *[0] * 8, len(name), *[0] * 6) + name
        for name in names
    )
    count, size = len(names), len(listing)
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, 0)
    end += struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    path.write_bytes(listing + end)
    return path


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([b"%07d" % number for number in range(1_000_000)], "more than 10,000 files"),
        ([b"%07d" % number for number in range(10_001)], "more than 10,000 files"),
        ([b"%07d/" % number for number in range(10_001)], "more than 10,000 files"),
        ([b"%d/a/b/c/d/e/f/g/h/x" % number for number in range(5_000)], "10,000 folders"),
    ],
    ids=["a million", "files", "folders", "folders of files"],
)
def test_zip_of_many_names(names: list[bytes], words: str, tmp_path: Path):
    """Catches a list of names that is read before it is counted, and folders that nobody counts."""
    size = 100 << 20
    done = validate(
        entries(tmp_path / "many.zip", names),
        "--quick",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_zip_with_a_link(tmp_path: Path):
    """Catches a link in a zip, by which a later member would leave."""
    path = archive(tmp_path / "bad.zip", {"datapackage.json": b"/etc/passwd"}, 0o120777)
    done = validate(path)
    assert done.returncode == 2
    assert "is a link" in done.stderr


def test_zip_bomb(tmp_path: Path):
    """Catches a zip that unpacks without bound."""
    path = archive(tmp_path / "bomb.zip", {"datapackage.json": b" " * (200 << 20)})
    done = limited(path)
    assert done.returncode == 2
    assert "would grow" in done.stderr


def test_zip_that_lies_about_its_size(tmp_path: Path):
    """Catches trust in the sizes that a zip declares."""
    path = archive(tmp_path / "liar.zip", {"datapackage.json": b" " * 5_000_000})
    raw = path.read_bytes()
    path.write_bytes(raw.replace((5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert limited(path).returncode == 2


def test_zip_with_a_damaged_stream(tmp_path: Path):
    """Catches a download whose compressed bytes are damaged."""
    path = archive(tmp_path / "release.zip", {"datapackage.json": bytes(range(256)) * 40})
    raw = bytearray(path.read_bytes())
    raw[60:90] = b"\xff" * 30
    path.write_bytes(raw)
    done = validate(path)
    assert done.returncode == 2
    assert "cannot unpack" in done.stderr


def test_zip_with_two_packages(tmp_path: Path):
    """Catches a package that is chosen by chance."""
    members = {"a/datapackage.json": b"{}", "b/datapackage.json": b"{}"}
    done = validate(archive(tmp_path / "two.zip", members))
    assert done.returncode == 2
    assert "several packages: a/datapackage.json, b/datapackage.json" in done.stderr


def test_names_cannot_command_a_terminal(tmp_path: Path):
    """Catches control characters that reach the terminal, and lines that are forged."""
    package = mangled("data/types.csv", bytes, tmp_path)
    (package / "data/x\n::error file=a::\x1b[31m.csv").write_text("x")
    for form in ("text", "github"):
        done = validate(package, "--quick", "--format", form)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        assert not any(line.startswith("::error file=a") for line in done.stdout.splitlines())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip at all"])
def test_zip_that_is_none(content: bytes, tmp_path: Path):
    """Catches a damaged download that is not called one."""
    path = tmp_path / "release.zip"
    path.write_bytes(content)
    done = validate(path)
    assert done.returncode == 2
    assert "cannot unpack" in done.stderr


def test_nothing_is_asked_of_the_network_or_read_outside(tmp_path: Path):
    """Catches a URL that is fetched, and a path that is opened outside of the package."""
    startup = tmp_path / "startup"
    startup.mkdir()
    (startup / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def hook(event, args):\n"
        "    if event.startswith('socket.'):\n"
        "        os.write(2, b'NETWORK')\n"
        "    if event == 'subprocess.Popen':\n"
        "        os.write(2, b'ANOTHER VALIDATOR')\n"
        "    if event == 'open' and isinstance(args[0], str) and 'hostname' in args[0]:\n"
        "        os.write(2, b'OUTSIDE')\n"
        "sys.addaudithook(hook)\n"
    )
    cases = [*(PACKAGES / "invalid").glob("path-unsafe/*")]
    packages = []
    for case in [*cases, *(PACKAGES / "invalid").glob("descriptor-unsupported/*")]:
        planted = json.loads(case.read_text(encoding="utf-8"))
        if not any(issue.startswith("datapackage.json") for issue in planted["issues"]):
            continue  # frictionless may read this one
        packages.append(build(planted, tmp_path / case.stem))
    before = snapshot(tmp_path)
    # Without bytecode of the hook, which would be one file more.
    hooked = {**os.environ, "PYTHONPATH": str(startup), "PYTHONDONTWRITEBYTECODE": "1"}
    # Whatever the hook sees is on the error stream of the one process, which is empty.
    for done in run_each("validate.py", ([package] for package in packages), env=hooked):
        assert done.returncode == 1
        assert done.stderr == ""
    assert snapshot(tmp_path) == before
    # The hook does see the other validator where it is asked.
    seen = validate(BASE, env=hooked)
    assert (seen.returncode, seen.stderr) == (0, "ANOTHER VALIDATOR")


def test_folder_in_place_of_a_file(tmp_path: Path):
    """Catches a traceback where a file cannot be opened."""
    package = mangled("data/types.csv", bytes, tmp_path)
    for name in ("data/types.csv", "schemas/papers.json"):
        (package / name).unlink()
        (package / name).mkdir()
    done = validate(package)
    assert done.returncode == 1
    assert "'data/types.csv' cannot be read" in done.stdout
    assert "schemas/papers.json:1: error: cannot be read" in done.stdout


@pytest.mark.parametrize("name", ["datapackage.json", "CHANGELOG.md", "schemas/types.json"])
def test_links_out_of_the_package_are_not_read(name: str, tmp_path: Path):
    """Catches a document that is read through a link from outside."""
    package = mangled("data/types.csv", bytes, tmp_path)
    outside = tmp_path / "secret"
    outside.write_text("## [9.9.9] - 2020-01-01 secret")
    (package / name).unlink(missing_ok=True)
    (package / name).symlink_to(outside)
    done = validate(package, *FAST)
    assert done.returncode == (2 if name == "datapackage.json" else 1)
    assert "9.9.9" not in done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["data/types.csv", "schemas/types.json", "README.md"])
def test_a_pipe_is_not_waited_for(name: str, tmp_path: Path):
    """Catches a run that hangs on a file that never ends."""
    package = mangled("data/types.csv", bytes, tmp_path)
    (package / name).unlink(missing_ok=True)
    os.mkfifo(package / name)
    assert validate(package, "--quick", "--fix").returncode == 1


def test_table_of_many_blocks(tmp_path: Path):
    """Catches rows that are lost or misplaced between the blocks in which a table is read."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    path = package / "data/features.csv"
    rows = [f"z{number:06},Name {number},pain,," for number in range(100_000)]
    rows[70_000] = rows[70_000].replace("pain", "ache")
    rows[99_999] = rows[99_999].replace("pain", "itch")
    path.write_text(path.read_text(encoding="utf-8") + "\n".join(rows) + "\n", encoding="utf-8")
    refresh(package)
    found = issues(package, "--quick", "--rule", "foreign-key", "--rule", "statistics")
    assert found == [
        "data/features.csv:100004:parent_id [foreign-key]",
        "data/features.csv:70005:parent_id [foreign-key]",
    ]


def test_no_damage_ends_in_an_internal_fault():
    """Catches a traceback, or a message that blames the program, on packages damaged at random."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests/fuzz.py", "--count", "12"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_that_grows_is_not_read_without_end(tmp_path: Path):
    """Catches a table that somebody writes faster than it is read."""
    (tmp_path / "table.csv").write_bytes(b"a\n" * 100_000)
    with files.opened(str(tmp_path), "table.csv") as file:
        assert file.read(10) == b"a\n" * 5
        with (tmp_path / "table.csv").open("ab") as other:
            other.write(b"b\n" * 100_000)
        with pytest.raises(CannotRun, match=r"table\.csv grew while it was read"):
            file.read(1 << 20)


@pytest.mark.parametrize("name", ["docs/notes", "data/types.csv"])
def test_line_without_end_in_bounded_memory(name: str, tmp_path: Path):
    """Catches a line of hundreds of mebibytes that is read at once to look for conflict markers."""
    package = Path(shutil.copytree(BASE, tmp_path / "package"))
    (package / "docs").mkdir()
    with (package / name).open("wb") as file:
        file.truncate(600 << 20)
    done = limited(package, "--quick")
    assert done.returncode == 1, done.stderr
    assert "memory" not in done.stderr


def test_marks_of_a_merge_behind_a_long_line(tmp_path: Path):
    """Catches a mark that is missed, or found within a line, where one is longer than a block."""
    package = Path(shutil.copytree(BASE, tmp_path / "package"))
    long = "x" * ((2 << 20) - 1) + "<<<<<<< here\n"
    (package / "CONTRIBUTING.md").write_text(f"{long}>>>>>>> there\n", encoding="utf-8")
    done = limited(package, "--quick", "--rule", "conflict-marker")
    assert "CONTRIBUTING.md:2: error: the line begins with >>>>>>>" in done.stdout
