"""What frictionless is given, and that it cannot keep the command or the machine busy."""

import json
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cases import build, edit, refresh
from commands import PATIENCE, SCRIPT, SCRIPTS, validate

PROCESS = SCRIPTS / "pipeline/rules/frictionless_process.py"


def busy(folder: Path) -> Path:
    """A package that our rules find valid, and that keeps frictionless busy without end."""
    package = build({"edits": [edit("data/types.csv", '"rest, lying"', "a" * 60)]}, folder)
    path = package / "schemas/types.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    (factor,) = (field for field in schema["fields"] if field["name"] == "factor")
    factor["constraints"]["pattern"] = "^((a+)+b|a+)$"
    factor["example"] = "aaa"
    path.write_text(json.dumps(schema, indent=2), encoding="utf-8")
    assert validate(package, "--quick").returncode == 0
    return package


@pytest.mark.parametrize("options", [(), ("--rule", "frictionless")], ids=["all", "alone"])
def test_a_broken_table_is_not_given_to_frictionless(options: tuple[str, ...], tmp_path: Path):
    """Catches a table of 20 KB that takes minutes and gigabytes, though our rules know at once."""
    package = build({"edits": []}, tmp_path)
    with open(package / "data/types.csv", "a", encoding="utf-8") as file:
        file.write("a" + "," * 20_000 + "\n")
    refresh(package)
    done = validate(package, *options)
    assert done.returncode == (2 if options else 1)
    assert ("not asked" in done.stderr) if options else ("20001 cells" in done.stdout)


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip of a table of 300 MiB."""
    path = tmp_path_factory.mktemp("bomb") / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("t.csv", b"\0" * (300 << 20))
    return path


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zip", "t.xlsx", "t.jsonl", "t.parquet", "t"])
def test_no_other_parser_is_asked(name: str, bomb: Path, tmp_path: Path):
    """Catches a table that frictionless would unpack without bound, or read as something else."""
    case = {"edits": [edit("datapackage.json", "data/types.csv", f"data/{name}")]}
    package = build(case, tmp_path)
    shutil.copy(bomb, package / "data" / name)
    (package / "data/types.csv").unlink()
    done = validate(package)
    assert done.returncode == 1
    assert "[descriptor-unsupported]" in done.stdout
    assert f"data/{name}" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such bound")
def test_frictionless_has_a_bound_of_time(tmp_path: Path):
    """Catches a process that nothing ends."""
    arguments = [sys.executable, "-P", PROCESS, busy(tmp_path) / "datapackage.json", "3", "4" * 10]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process.stdin.write(b"go\n")
    process.stdin.flush()
    assert process.wait(PATIENCE) in (-signal.SIGXCPU, -signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only a process that is not busy")
def test_frictionless_ends_with_its_parent(tmp_path: Path):
    """Catches a process that is at work for nobody."""
    child = [sys.executable, "-P", str(PROCESS), str(busy(tmp_path) / "datapackage.json")]
    code = (
        "import os, subprocess, sys\n"
        f"child = subprocess.Popen({[*child, '1000000', '4' * 10]}, stdin=-1, stdout=-3)\n"
        "child.stdin.write(b'go\\n')\n"
        "child.stdin.flush()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    # The child inherits the pipe, which ends when it does.
    subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, timeout=PATIENCE)


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such bound")
@pytest.mark.parametrize("kibibytes", [40_000, 100_000, 300_000])
def test_too_little_memory_is_no_fault_of_the_package(kibibytes: int, tmp_path: Path):
    """Catches an exit code that says that the package is wrong."""
    package = build({"edits": []}, tmp_path)
    command = f"ulimit -v {kibibytes}; exec {sys.executable} {SCRIPT} {package}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode in (0, 2), done.stdout
    assert done.returncode == 0 or "memory" in done.stderr or "failed" in done.stderr


def test_letters_of_the_terminal_are_not_those_of_the_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Catches an answer that is written in the encoding that a terminal was given."""
    monkeypatch.setenv("PYTHONIOENCODING", "utf-16")
    done = validate(build({"edits": []}, tmp_path))
    assert done.returncode == 0, done.stderr
