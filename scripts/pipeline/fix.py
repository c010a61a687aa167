"""Repairs what is mechanical, and nothing else: every value stays.

A table that cannot be parsed whole is left as it is. Only what was read or generated is replaced,
in the folders that there are.
"""

import codecs
import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline import documents, rules
from pipeline.files import read, replace
from pipeline.issue import CannotRun, show
from pipeline.letters import normalize
from pipeline.package import DESCRIPTOR, Package, Resource
from pipeline.package.table import is_header, written


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
        if package.text(name) != text:
            _generate(package, name, text)
            yield name, "generated anew"


def _generate(package: Package, name: str, text: str) -> None:
    """Write a document that is generated. Raises CannotRun where another one is in its place."""
    before = package.text(name)
    if before is None and os.path.lexists(os.path.join(package.root, name)):
        raise CannotRun(f"will not write {name}: it cannot be read; validation says why")
    if before is not None and not any(mark in before for mark in documents.MARKS):
        advice = "move it away, or delete it"
        raise CannotRun(f"will not write {name}: what is there was not generated; {advice}")
    replace(package.root, name, text.encode(), None if before is None else before.encode())


def _fix_table(resource: Resource) -> Iterator[tuple[str, str]]:
    found = _read(resource)
    if found is None:
        return
    raw, (header, *body) = found
    done = ["byte-order-mark"] if raw.startswith(codecs.BOM_UTF8) else []
    found_at = {name: place for place, name in enumerate(header)}
    places = [found_at[name] for name in resource.names]
    if header != resource.names:
        done.append("header")
    body = [[row[place] for place in places] for row in body]
    cleaned = [[clean(cell) for cell in row] for row in body]
    if cleaned != body:
        done.append("white space and normalization form in cells")
    ordered = resource.ordered(cleaned)
    if ordered != cleaned:
        done.append("row-order")
    fixed = written([resource.names, *ordered])
    if fixed == raw:
        return
    if b"\r" in raw and b"\r" not in fixed:
        done.append("line-ending")
    replace(resource.package.root, resource.path, fixed, raw)
    yield resource.path, ", ".join(done or ["quoting, blank lines or final line feed"])


def _read(resource: Resource) -> tuple[bytes, list[list[str]]] | None:
    """The bytes of a table and its rows; None where it cannot be repaired whole."""
    try:
        raw = read(resource.package.root, resource.path)
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
    if any("\r" in cell for row in rows for cell in row):
        return None  # a reader of lines would break the row there
    rows = [row for row in rows if any(map(str.strip, row))]
    if len({*map(len, rows)}) == 1:  # perhaps with columns without name and values at the end
        width = max(number for row in rows for number, cell in enumerate(row, 1) if cell)
        rows = [row[:width] for row in rows]
    names = sorted(resource.names)
    if "\0" in text or not rows or sorted(rows[0]) != names:
        return None
    if any(is_header(row, names) for row in rows[1:]):
        return None  # in the order of its key it would hide among the rows
    return rows if all(len(row) == len(names) for row in rows) else None


def clean(cell: str) -> str:
    """A cell without white space at its ends or doubled inside, in normalization form C."""
    return re.sub("  +", " ", normalize("NFC", cell).strip())


def _fix_descriptor(package: Package) -> Iterator[tuple[str, str]]:
    document = package.document
    if document.duplicates:
        return  # writing it would lose one of the two values
    before = json.dumps(document.data)
    for resource in package.resources:
        if found := _read(resource):
            raw, rows = found
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
        _refuse_rounding(document.text)
        replace(package.root, document.path, text.encode(), document.text.encode())
        yield document.path, ", ".join(done)


def _refuse_rounding(text: str) -> None:
    """Raise CannotRun for JSON with a number that would come out as another, or as none."""

    def exact(number: str) -> float:
        value = float(number)
        if Decimal(repr(value)) != Decimal(number):
            raise CannotRun(f"will not write {DESCRIPTOR}: the number {show(number)} would change")
        return value

    json.loads(text, parse_float=exact)
