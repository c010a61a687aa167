"""Run the commands as a user does."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "tests" / "cases"
SCRIPTS = ROOT / "scripts"
SCRIPT = SCRIPTS / "validate.py"
# The seconds after which a command hangs. All take few; this is no measure, on any machine.
PATIENCE = 1800
# Without the second opinion, where it is not what a test is about: importing it takes long.
FAST = ("--skip", "frictionless")


def validate(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run scripts/validate.py."""
    return run("validate.py", *arguments, **options)


def release(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run scripts/release.py."""
    return run("release.py", *arguments, **options)


def run(
    script: str, *arguments: object, cwd: Path = ROOT, scripts: Path = SCRIPTS, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run a script; a traceback on any of its outputs fails the test at once."""
    done = subprocess.run(
        [sys.executable, scripts / script, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        **options,
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.returncode in (0, 1, 2), done
    return done


# What a script does with its options, for each list of them that it is given.
_EACH = """
import contextlib, importlib, io, json, sys
sys.path.insert(0, sys.argv[1])
script = importlib.import_module(sys.argv[2].removesuffix(".py"))
from pipeline import cli

def work():
    return script.run(script.parser().parse_args(arguments))

for arguments in map(json.loads, sys.stdin):
    streams = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        code = cli.run(sys.argv[2], work)
    print(json.dumps([code, *(stream.getvalue() for stream in streams)]))
"""


def run_each(
    script: str, runs: Iterable[Iterable[object]], **options: object
) -> list[subprocess.CompletedProcess[str]]:
    """Run a script with each of these lists of arguments, all in one process.

    For many small packages, where starting Python would take most of the time. That the command
    itself does the same is tried beside it.
    """
    lines = [json.dumps(list(map(str, arguments))) + "\n" for arguments in runs]
    done = subprocess.run(
        [sys.executable, "-c", _EACH, SCRIPTS, script],
        cwd=ROOT,
        input="".join(lines),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        **options,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found = [
        subprocess.CompletedProcess(line, *json.loads(said))
        for line, said in zip(lines, done.stdout.splitlines(), strict=True)
    ]
    for each in found:
        assert "internal fault" not in each.stderr, (each.args, each.stderr)
        assert each.returncode in (0, 1, 2), each
    return found


def issues(*arguments: object) -> list[str]:
    """What the command finds, each as path:line:field [rule], sorted."""
    return issues_in(validate(*arguments, "--format", "json"))


def issues_in(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The same of a run with --format json."""
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    errors = [issue for issue in report["issues"] if issue["severity"] == "error"]
    assert report["valid"] == (done.returncode == 0) == (not errors)
    return sorted("{path}:{line}:{field} [{rule}]".format(**issue) for issue in report["issues"])


def compare(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command that compares two versions."""
    return run("compare.py", *arguments, cwd=cwd)


def comparison(*arguments: object, cwd: Path = ROOT) -> dict:
    """What that command says as JSON, which its documented form allows."""
    return comparison_in(compare(*arguments, "--format", "json", cwd=cwd))


def comparison_in(done: subprocess.CompletedProcess[str]) -> dict:
    """The same of a run with --format json."""
    from jsonschema import Draft202012Validator

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    schema = json.loads((ROOT / "schemas/reports/changes.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(found)
    return found


def by_node(node: Path, script: str, *arguments: object) -> dict:
    """What a script of the JavaScript clients prints as JSON."""
    done = subprocess.run(
        ["node", script, *map(str, arguments)], cwd=node, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def said(change: dict) -> str:
    """A change in one line: step, kind and place."""
    place = [change["table"], *(change["key"] or {}).values()]
    place += [change["column"], change["property"]]
    return " ".join([change["step"], change["kind"], *filter(None, place)])


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes; links with their target."""
    return {
        str(path.relative_to(folder)): (
            os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def npm_installed(name: str, folder: Path) -> None:
    """Copy a folder of tests with its npm packages; without npm a skip, in CI a failure."""
    if not shutil.which("npm") and not os.environ.get("CI"):
        pytest.skip("npm is not installed")
    source = ROOT / "tests" / name
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules"))
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(["npm", "ci", *options], cwd=folder, check=True, timeout=PATIENCE)
