"""Repairs what is mechanical, and nothing else: every value stays.

A table that cannot be parsed whole is left as it is. Files are written beside themselves and
renamed, so that an interruption leaves either the old one or the new one.
"""

import codecs
import csv
import hashlib
import io
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator

from pipeline import documents, rules
from pipeline.issue import CannotRun
from pipeline.package import Package, Resource


def fix(path: str) -> Iterator[tuple[str, str]]:
    """Repair the package at a path; yield each changed file and what was repaired in it."""
    package = Package(path)
    if package.document.error:
        return  # there is nothing to go by; validation says what is wrong
    for resource in package.resources:
        yield from _fix_table(resource)
    yield from _fix_descriptor(package)
    package = Package(path)
    for name, text in documents.render(package, rules.load()).items():
        if package.leaves(name):
            raise CannotRun(f"will not write {name}: it leads out of the package")
        if package.text(name) != text:
            write(os.path.join(package.root, name), text.encode())
            yield name, "generated anew"


def _fix_table(resource: Resource) -> Iterator[tuple[str, str]]:
    read = _read(resource)
    if read is None:
        return
    raw, (header, *body) = read
    done = ["byte-order-mark"] if raw.startswith(codecs.BOM_UTF8) else []
    places = [header.index(name) for name in resource.names]
    if header != resource.names:
        done.append("header")
    body = [[row[place] for place in places] for row in body]
    cleaned = [[clean(cell) for cell in row] for row in body]
    if cleaned != body:
        done.append("white space and normalization form in cells")
    key = [resource.names.index(name) for name in resource.primary_key]
    ordered = sorted(cleaned, key=lambda row: resource.in_order(tuple(row[k] for k in key)))
    if ordered != cleaned:
        done.append("row-order")
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([resource.names, *ordered])
    fixed = out.getvalue()
    if fixed.encode() == raw:
        return
    if b"\r" in raw and "\r" not in fixed:
        done.append("line-ending")
    write(_path(resource), fixed.encode())
    yield resource.path, ", ".join(done or ["quoting, blank lines or final line feed"])


def _path(resource: Resource) -> str:
    return os.path.join(resource.package.root, resource.path)


def _read(resource: Resource) -> tuple[bytes, list[list[str]]] | None:
    """The bytes of a table and its rows; None where it cannot be repaired whole."""
    try:
        if not os.path.isfile(_path(resource)):
            return None
        with open(_path(resource), "rb") as file:
            raw = file.read()
        rows = _parse(raw.decode("utf-8-sig"), resource)
    except (OSError, UnicodeDecodeError):
        return None
    return None if rows is None else (raw, rows)


def _parse(text: str, resource: Resource) -> list[list[str]] | None:
    """The rows, header first, or None where they do not fit the schema."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    rows = [row for row in rows if any(row)]
    while rows and len({*map(len, rows)}) == 1 and not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]  # a column without name and values
    names = sorted(resource.names)
    if "\0" in text or not rows or sorted(rows[0]) != names:
        return None
    return rows if all(len(row) == len(names) for row in rows) else None


def clean(cell: str) -> str:
    """A cell without white space at its ends or doubled inside, in normalization form C."""
    return re.sub("  +", " ", unicodedata.normalize("NFC", cell).strip())


def _fix_descriptor(package: Package) -> Iterator[tuple[str, str]]:
    document = package.document
    if document.duplicates:
        return  # writing it would lose one of the two values
    before = json.dumps(document.data)
    for resource in package.resources:
        if read := _read(resource):
            raw, rows = read
            resource.spec["bytes"] = len(raw)
            resource.spec["hash"] = f"sha256:{hashlib.sha256(raw).hexdigest()}"
            resource.spec["rows"] = len(rows) - 1
    done = []
    if json.dumps(document.data) != before:
        done.append("statistics")
    if len(package.resources) == len(package.specs):
        in_order = sorted(package.specs, key=lambda spec: spec["name"])
        if in_order != package.specs:
            document.data["resources"] = in_order
            done.append("resource-order")
    if done:
        text = json.dumps(document.data, ensure_ascii=False, indent=2) + "\n"
        write(os.path.join(package.root, document.path), text.encode())
        yield document.path, ", ".join(done)


def write(path: str, content: bytes) -> None:
    """Replace a file by one with this content at once, keeping its mode."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise CannotRun(f"will not write {path}: it is read-only")
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, os.stat(path).st_mode if os.path.exists(path) else 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
