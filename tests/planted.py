"""Run scripts/validate.py as a user does, on packages built from the cases on disk."""

import contextlib
import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "tests" / "packages"
SCRIPTS = ROOT / "scripts"
SCRIPT = SCRIPTS / "validate.py"


def validate(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run scripts/validate.py."""
    return run("validate.py", *arguments, cwd=cwd)


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
        timeout=300,
        **options,
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.returncode in (0, 1, 2), done
    return done


def issues(*arguments: object) -> list[str]:
    """What the command finds, each as path:line:field [rule], sorted."""
    done = validate(*arguments, "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert report["valid"] == (done.returncode == 0) == (not report["issues"])
    return sorted("{path}:{line}:{field} [{rule}]".format(**issue) for issue in report["issues"])


def compare(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command that compares two versions."""
    return run("compare.py", *arguments, cwd=cwd)


def comparison(*arguments: object, cwd: Path = ROOT) -> dict:
    """What that command says as JSON, which its documented form allows."""
    from jsonschema import Draft202012Validator

    done = compare(*arguments, "--format", "json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    schema = json.loads((ROOT / "docs/changes.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(found)
    return found


def said(change: dict) -> str:
    """A change in one line: step, kind and place."""
    place = [change["table"], *(change["key"] or {}).values()]
    place += [change["column"], change["property"]]
    return " ".join([change["step"], change["kind"], *filter(None, place)])


def build(case: dict, folder: Path, base: Path = PACKAGES / "base") -> Path:
    """Copy a package and apply the edits of a case to it.

    An edit names a file and has `find` and `replace` (`times` over), or `text`, `link` or
    `delete`. Lone surrogates stand for bytes that are not UTF-8. The statistics in the descriptor
    are then brought up to date, unless the case says otherwise or edits the descriptor itself.
    """
    package = folder / "package"
    shutil.copytree(base, package)
    for edit in case["edits"]:
        path = package / edit["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if edit.get("delete"):
            path.unlink()
        elif "link" in edit:
            path.unlink(missing_ok=True)
            path.symlink_to(edit["link"])
        elif "text" in edit:
            path.write_bytes(edit["text"].encode("utf-8", "surrogateescape"))
        else:
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            assert text.count(edit["find"]) == 1, f"{edit['find']!r} is not there just once"
            text = text.replace(edit["find"], edit["replace"] * edit.get("times", 1))
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
    edited = {edit["file"] for edit in case["edits"]}
    if case.get("refresh", "datapackage.json" not in edited):
        refresh(package)
    return package


def edit(file: str, find: str, replace: str) -> dict:
    """An edit for a case that is made in a test."""
    return {"file": file, "find": find, "replace": replace}


def options(case: dict, folder: Path) -> list[object]:
    """The options of a case: with `since`, the base with these edits is the earlier release."""
    if "since" not in case:
        return []
    return ["--since", build({"edits": case["since"]}, folder / "earlier")]


def refresh(package: Path) -> None:
    """Bring the statistics of the tables up to date, by means of nothing under test."""
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    for resource in descriptor["resources"]:
        file = package / resource["path"]
        if file.is_file():
            raw = file.read_bytes()
            resource["bytes"] = len(raw)
            resource["hash"] = f"sha256:{hashlib.sha256(raw).hexdigest()}"
            text = raw.decode("utf-8", "replace")
            with contextlib.suppress(csv.Error):
                rows = list(csv.reader(io.StringIO(text, newline="")))
                resource["rows"] = len([row for row in rows if any(row)]) - 1
    text = json.dumps(descriptor, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes; links with their target."""
    return {
        str(path.relative_to(folder)): (
            os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
