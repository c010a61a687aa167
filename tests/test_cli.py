"""How every command ends: never with the exit code of a fault where there is none."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from commands import PACKAGES, ROOT, SCRIPTS, run
from moments import STEPS, Moments

BASE = PACKAGES / "base"
COMMANDS = sorted(path.name for path in SCRIPTS.glob("*.py"))
# What each command does in a moment.
WORK = {
    "benchmark.py": ["--help"],
    "compare.py": [BASE, BASE],
    "papers.py": ["links"],
    "release.py": ["out", BASE],
    "source_drift.py": ["page"],
    "validate.py": ["--quick", BASE],
}


def test_every_command_is_tried():
    """Catches a command that nothing here looks at."""
    assert list(WORK) == COMMANDS


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("streams", ["stderr", "stdout"])
@pytest.mark.parametrize("script", COMMANDS)
def test_full_stream(script: str, streams: str):
    """Catches a message that cannot be written and is taken for a fault."""
    for arguments in (["--help"], ["--nonsense"], ["nowhere", "nowhere"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, SCRIPTS / script, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=full if streams == "stdout" else subprocess.PIPE,
                stderr=full if streams == "stderr" else subprocess.PIPE,
            )
        helped = arguments == ["--help"] and streams == "stderr"
        assert done.returncode == (0 if helped else 2)


@pytest.mark.parametrize("script", COMMANDS)
def test_reader_of_the_messages_has_left(script: str):
    """Catches a message that nobody reads and is taken for a fault."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, SCRIPTS / script, "--nonsense"], stderr=write)
    os.close(write)
    assert done.returncode == 2


@pytest.mark.parametrize("script", COMMANDS)
@pytest.mark.parametrize("option", ["-OO", "variable"])
def test_without_docstrings(script: str, option: str, tmp_path: Path):
    """Catches sentences of rules that are gone, and documents that are emptied with them."""
    optimized = ["-OO"] if option == "-OO" else []
    variable = {} if optimized else {"PYTHONOPTIMIZE": "2"}
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    (package / "docs").mkdir()
    options = ["--fix", package] if script == "validate.py" else ["--help"]
    done = subprocess.run(
        [sys.executable, *optimized, SCRIPTS / script, *options],
        env={**os.environ, **variable},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"{script}: .* docstrings: .*\n", done.stderr)
    assert os.listdir(package / "docs") == []


def test_optimized_python_does_the_same():
    """Catches an assertion that a command relies on."""
    done = run("validate.py", "--quick", env={**os.environ, "PYTHONOPTIMIZE": "1"})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mebibytes", [16, 24, 32, 64])
def test_little_memory(mebibytes: int):
    """Catches an end for lack of memory that is taken for a fault, wherever it comes."""
    size = mebibytes << 20
    done = subprocess.run(
        [sys.executable, SCRIPTS / "validate.py", BASE, "--quick"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
        capture_output=True,
        text=True,
    )
    # Below some size not even Python starts, and whoever starts it says so.
    assert done.returncode != 1 or (
        "Traceback" not in done.stderr and "pipeline" not in done.stderr
    )
    if done.returncode == 1:
        assert "Fatal Python error" in done.stderr or "shared object" in done.stderr
    assert done.returncode != 0 or done.stdout.startswith("valid")


@pytest.mark.parametrize("mebibytes", [100, 300, 500])
@pytest.mark.parametrize("script", ["validate.py", "release.py"])
def test_little_memory_of_an_export(script: str, mebibytes: int, tmp_path: Path):
    """Catches a library that ends the process with 1 where it gets no memory."""
    size = mebibytes << 20
    out = tmp_path / "out"
    arguments = [out, BASE] if script == "release.py" else [BASE, "--export", out]
    done = run(
        script,
        *arguments,
        *(["--skip", "frictionless"] if script == "validate.py" else []),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
    )
    assert done.returncode == 2
    assert "memory" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("mebibytes", [140, 180, 220, 260])
@pytest.mark.parametrize("script", ["validate.py", "compare.py"])
def test_little_memory_for_a_large_table(script: str, mebibytes: int, tmp_path: Path):
    """Catches a library for large tables that ends the process, with 1, where it gets no memory."""
    package = Path(shutil.copytree(BASE, tmp_path / "package"))
    rows = (f"t{number:06},N{number},onset,,partial\n" for number in range(150_000))
    header = "type_id,name,onset,factor,relief\n"
    (package / "data/types.csv").write_text(header + "".join(rows), encoding="utf-8")
    size = mebibytes << 20
    done = run(
        script,
        package,
        *(["--quick", "--rule", "ragged-row"] if script == "validate.py" else [package]),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
    )
    assert done.returncode in (0, 2), done.stderr
    assert "internal fault" not in done.stderr


def test_working_folder_that_is_gone(tmp_path: Path):
    """Catches a folder that somebody removed, for which a file of the package is blamed."""
    line = f"cd {tmp_path}; rmdir {tmp_path}; {sys.executable} {SCRIPTS}/validate.py --quick"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "validate.py: the working folder is gone; change to one that is there\n"


@pytest.mark.parametrize("script", COMMANDS)
def test_interruption_from_the_first_import_on(script: str, tmp_path: Path):
    """Catches a Ctrl-C in the first milliseconds that ends in a traceback, or like a fault."""
    (tmp_path / "page").write_text("x")
    interrupted = Moments(tmp_path, SCRIPTS / script, "--help", events=("import", *STEPS))
    number = interrupted.count()
    assert number > 20
    for at in (1, 2, 3, 4, number // 4, number // 2, number - 1):
        done = interrupted.run(at)
        # The imports that make the guard come before it can say anything.
        said = f"{script}: interrupted\n" if done.stderr or at > 4 else ""
        assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.parametrize(
    ("script", "every"), [("validate.py", 3), ("compare.py", 3), ("release.py", 20)]
)
def test_interruption_of_a_step_that_writes(script: str, every: int, tmp_path: Path):
    """Catches what an interruption leaves behind, and a second one that stops the cleaning up."""
    arguments: dict[str, list[object]] = {
        "validate.py": [BASE, "--skip", "frictionless", "--export", "made/new/out"],
        "release.py": ["made/new/out", BASE],
        "compare.py": [zipped(tmp_path), BASE],
    }
    interrupted = Moments(tmp_path, SCRIPTS / script, *arguments[script])
    before = sorted(os.listdir(tmp_path))
    number = interrupted.count()
    shutil.rmtree(tmp_path / "made", ignore_errors=True)
    for at in range(1, number + 1, every):
        by = ("SIGINT", "SIGTERM", "SIGHUP")[at % 3]
        done = interrupted.run(at, at + 1, at + 2, by=by)
        # It may have ended before there was anything to clean up, or when all was done.
        if done.returncode not in (0, -getattr(signal, by)):
            assert done.returncode == 2
            assert done.stderr.splitlines()[-1:] == [f"{script}: interrupted"]
        if (tmp_path / "made/new/out").exists():  # it was whole by then
            assert at > number // 2
            assert os.listdir(tmp_path / "made/new") == ["out"]
            shutil.rmtree(tmp_path / "made")
        assert sorted(os.listdir(tmp_path)) == before
        assert os.listdir(tmp_path / "temporary") == []


def zipped(folder: Path) -> str:
    """The base package as a zip."""
    return shutil.make_archive(str(folder / "old"), "zip", BASE)


def test_report_of_a_message(tmp_path: Path):
    """Catches a report that is only half written and passes for a whole one."""
    with open(tmp_path / "report", "wb") as file:
        done = subprocess.run(
            [sys.executable, SCRIPTS / "validate.py", "--quick", "--format", "json"],
            stdout=file,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20)),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert (tmp_path / "report").stat().st_size <= 20


AT_ONCE = """\
both = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, both)
for each in both:
    os.kill(os.getpid(), each)
signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
"""
IN_A_CLASS = """\
class Named:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)
class Owner:
    name = Named()
"""


@pytest.mark.parametrize("work", [AT_ONCE, IN_A_CLASS], ids=["at-once", "in-a-class"])
def test_interruption_is_called_one(work: str):
    """Catches a traceback for a second signal, and an interruption that Python calls otherwise."""
    code = f"import os, signal\nfrom pipeline import cli\nwork = {work!r}\n"
    code += "raise SystemExit(cli.run('x.py', lambda: exec(work, {'os': os, 'signal': signal})))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (2, "x.py: interrupted\n")
