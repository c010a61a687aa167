"""Build packages from the cases on disk, as tests/README.md describes them."""

import contextlib
import csv
import hashlib
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

from commands import PACKAGES


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


def broken(name: str, folder: Path) -> Path:
    """A package with the defect of a case."""
    case = json.loads((PACKAGES / f"invalid/{name}.json").read_text(encoding="utf-8"))
    return build(case, folder)


def zipped(folder: Path, path: Path, inside: str = "") -> Path:
    """A zip of a folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, os.path.join(inside, file.relative_to(folder)))
    return path
