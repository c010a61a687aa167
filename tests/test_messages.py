"""One fault is at most three messages, and the first names the cause.

Systematic faults of the real package, each alone, and the planted ones. As there are thousands, the
rules judge them in this process, and a run has every STEPth of each kind: STEP=1 has them all.
"""

import copy
import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cases import build, edit, refresh
from commands import ROOT, issues
from pipeline import rules
from pipeline.package import Package
from published import DESCRIPTOR, RESOURCES, SCHEMAS

MOST = 3
STEP = int(os.environ.get("STEP", "40"))
TYPES = ("boolean", "date", "integer", "number", "string", "year")
CONSTRAINTS = [
    *(("pattern", each) for each in ("^zzz$", "^.*[A-Z].*$", "abc", "(")),
    *(("enum", each) for each in (["zzz"], [])),
    *(("minimum", each) for each in (1_000_000, "x")),
    *(("maximum", -1), ("minLength", 500), ("maxLength", 1), ("unique", True), ("required", True)),
]

# The new text of files by their path, None where a file is deleted.
Edits = dict[str, str | None]


def table(name: str) -> list[list[str]]:
    """The header and the rows of a table."""
    with open(ROOT / RESOURCES[name]["path"], encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def written(name: str, rows: list[list[str]]) -> Edits:
    """A table with other rows."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return {RESOURCES[name]["path"]: text.getvalue()}


def as_json(value: object) -> str:
    """A JSON document as the package writes it."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def filled() -> Iterator[tuple[str, list[list[str]]]]:
    """The tables that have rows."""
    for name in RESOURCES:
        if len(rows := table(name)) > 1:
            yield name, rows


def cells() -> Iterator[tuple[str, Edits]]:
    """One cell of one row is another: empty, mistyped, out of range."""
    for name, rows in filled():
        for place, field in enumerate(rows[0]):
            used = [number for number, row in enumerate(rows) if number and row[place]] or [1]
            for number in {used[0], used[len(used) // 2], used[-1]}:
                old = rows[number][place]
                swapped = old[1:2] + old[:1] + old[2:]
                for new in ("", "zzz", f"{old}x", old[:-1], swapped, "-5", "99999999", f" {old}"):
                    other = copy.deepcopy(rows)
                    other[number][place] = new
                    yield f"{name}.{field}, row {number}: {new[:20]!r}", written(name, other)


def lines() -> Iterator[tuple[str, Edits]]:
    """A row is gone, there twice, elsewhere, too short, too long or shifted."""
    for name, rows in filled():
        for number in {1, len(rows) // 2, len(rows) - 1}:
            row, above, below = rows[number], rows[:number], rows[number + 1 :]
            places = {
                "gone": [*above, *below],
                "twice": [*above, row, row, *below],
                "first": [rows[0], row, *above[1:], *below],
                "short": [*above, row[:-1], *below],
                "long": [*above, [*row, "x"], *below],
                "shifted": [*above, ["", *row[:-1]], *below],
                "blank": [*above, [""], row, *below],
            }
            for what, other in places.items():
                yield f"{name}, row {number} {what}", written(name, other)


def columns() -> Iterator[tuple[str, Edits]]:
    """A column is gone, named otherwise, in another place, empty or in capitals."""
    for name, rows in filled():
        for place, field in enumerate(rows[0]):

            def changed(new: Any, place: int = place, rows: list = rows) -> list[list[str]]:
                return [rows[0], *([*r[:place], new(r[place]), *r[place + 1 :]] for r in rows[1:])]

            header = [*rows[0][:place], f"{field}x", *rows[0][place + 1 :]]
            yield f"{name}.{field} renamed", written(name, [header, *rows[1:]])
            yield f"{name}.{field} gone", written(name, [r[:place] + r[place + 1 :] for r in rows])
            moved = [[*r[:place], *r[place + 1 :], r[place]] for r in rows]
            yield f"{name}.{field} moved", written(name, moved)
            yield f"{name}.{field} empty", written(name, changed(lambda _: ""))
            yield f"{name}.{field} in capitals", written(name, changed(str.upper))
            yield f"{name}.{field} padded", written(name, changed(" {}".format))


def files() -> Iterator[tuple[str, Edits]]:
    """A table is saved in another form, cut, or gone."""
    for name, rows in filled():
        path = RESOURCES[name]["path"]
        text = (ROOT / path).read_text(encoding="utf-8")
        forms: dict[str, str | None] = {
            "without a header": text.partition("\n")[2],
            "with two headers": f"{text.partition(chr(10))[0]}\n{text}",
            "for Windows": text.replace("\n", "\r\n"),
            "with semicolons": text.replace(",", ";"),
            "with a mark": f"\ufeff{text}",
            "with a quote": f'{text[: len(text) // 2]}"{text[len(text) // 2 :]}',
            "with blanks": text.replace(",", " ,"),
            "with blank lines": text.replace("\n", "\n\n"),
            "cut": text[: len(text) // 2],
            "empty": "",
            "gone": None,
        }
        for what, form in forms.items():
            yield f"{name} {what}", {path: form}
        yield f"{name} without rows", written(name, rows[:1])
        yield f"{name} from the last row on", written(name, [rows[0], *rows[:0:-1]])


def changed_schemas(name: str) -> Iterator[tuple[str, dict]]:
    """Copies of a schema in which one property is another."""

    def copied() -> tuple[dict, list[dict]]:
        schema = copy.deepcopy(SCHEMAS[name])
        return schema, schema["fields"]

    for place, field in enumerate(SCHEMAS[name]["fields"]):
        for kind in TYPES:
            schema, fields = copied()
            fields[place]["type"] = kind
            yield f"{field['name']} of type {kind}", schema
        for key, value in CONSTRAINTS:
            schema, fields = copied()
            fields[place]["constraints"][key] = value
            yield f"{field['name']} with {key} {value}", schema
        for number, value in enumerate(field["constraints"].get("enum", [])):
            schema, fields = copied()
            del fields[place]["constraints"]["enum"][number]
            yield f"{field['name']} without the value {value}", copy.deepcopy(schema)
            if "categories" in field:
                del fields[place]["categories"][number]
                yield f"{field['name']} without the category {value}", schema
        for key in field:
            for what, value in (("a number", 7), ("a list", ["x"])):
                schema, fields = copied()
                fields[place][key] = value
                yield f"{field['name']} with {what} as {key}", schema
            schema, fields = copied()
            fields[place][f"{key}x"] = fields[place].pop(key)
            yield f"{field['name']} with {key} mistyped", schema
        schema, fields = copied()
        del fields[place]
        yield f"{field['name']} gone", copy.deepcopy(schema)
        fields.append(copy.deepcopy(field))
        yield f"{field['name']} moved", copy.deepcopy(schema)
        fields[-1]["name"] += "_x"
        yield f"{field['name']} renamed", schema


def schemas() -> Iterator[tuple[str, Edits]]:
    """A property of a schema has another value, another name, or is gone."""
    for name, resource in RESOURCES.items():
        for what, schema in changed_schemas(name):
            yield f"{name}: {what}", {resource["schema"]: as_json(schema)}
        for key in SCHEMAS[name]:
            others = {**SCHEMAS[name]}
            value = others.pop(key)
            for what, more in (("", {}), ("x", {f"{key}x": value}), ("7", {key: 7})):
                yield f"{name}: {key} {what}", {resource["schema"]: as_json({**others, **more})}
        for number, link in enumerate(SCHEMAS[name].get("foreignKeys", [])):
            for key, value in (("resource", "zzz"), ("fields", ["zzz"])):
                schema = copy.deepcopy(SCHEMAS[name])
                schema["foreignKeys"][number]["reference"][key] = value
                what = f"{name}: {link['fields'][0]} refers to {key} zzz"
                yield what, {resource["schema"]: as_json(schema)}
        text = (ROOT / resource["schema"]).read_text(encoding="utf-8")
        for what, form in (("cut", text[: len(text) // 2]), ("empty", ""), ("gone", None)):
            yield f"{name}: schema {what}", {resource["schema"]: form}


def descriptors() -> Iterator[tuple[str, Edits]]:
    """A property of the descriptor or of a resource has another value, another name, or is gone."""
    ways: list[list[str | int]] = [[key] for key in DESCRIPTOR]
    ways += [
        ["resources", number, key]
        for number, resource in enumerate(DESCRIPTOR["resources"])
        for key in resource
    ]
    for way in ways:
        for what in ("gone", "mistyped", "number", "text", "list"):
            descriptor = copy.deepcopy(DESCRIPTOR)
            at: Any = descriptor
            for key in way[:-1]:
                at = at[key]
            value = at.pop(way[-1])
            new = {"mistyped": (f"{way[-1]}x", value), "number": (way[-1], 7)}
            new |= {"text": (way[-1], "zzz"), "list": (way[-1], ["x"])}
            at.update([new[what]] if what in new else [])
            yield f"{way} {what}", {"datapackage.json": as_json(descriptor)}
    for number, resource in enumerate(DESCRIPTOR["resources"]):
        descriptor = copy.deepcopy(DESCRIPTOR)
        del descriptor["resources"][number]
        yield f"{resource['name']} gone", {"datapackage.json": as_json(descriptor)}
        descriptor["resources"] += [resource, resource]
        yield f"{resource['name']} twice", {"datapackage.json": as_json(descriptor)}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the real package with its documents."""
    folder = tmp_path_factory.mktemp("messages") / "package"
    for name in ("data", "schemas", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("CHANGELOG.md", "CITATION.cff", "LICENSE", "README.md", "datapackage.json"):
        shutil.copy(ROOT / name, folder)
    return folder


def found(package: Path, edits: Edits) -> list[str]:
    """What a quick run says of the package with these edits, the first message first."""
    chosen = [each for each in rules.load().values() if each.quick and each.kind != "release"]
    before = {path: (package / path).read_bytes() for path in edits}
    for path, text in edits.items():
        if text is None:
            (package / path).unlink()
        else:
            (package / path).write_text(text, encoding="utf-8", newline="")
    try:
        issues = sorted(rules.run(Package(str(package)), chosen), key=rules.cause_first)
    finally:
        for path, raw in before.items():
            (package / path).write_bytes(raw)
    return [f"{each.path}:{each.line}: {each.message} [{each.rule}]" for each in issues]


@pytest.mark.parametrize(
    "kind", [cells, lines, columns, files, schemas, descriptors], ids=lambda kind: kind.__name__
)
def test_one_fault_is_said_in_three_messages(kind: Any, package: Path):
    """Catches what follows from a fault and is said beside it, and a first message elsewhere."""
    assert found(package, {}) == []
    wordy: dict[str, list[str]] = {}
    for name, edits in list(kind())[::STEP]:
        said = found(package, edits)
        (path,) = edits
        # A change that is right is only said of what is generated from it.
        words = (Path(path).stem, name.split()[0], "[stale-document]")
        if len(said) > MOST or (said and not any(word in said[0] for word in words)):
            wordy[name] = said
    assert wordy == {}


def test_what_is_not_said_is_found_when_the_cause_is_repaired(tmp_path: Path):
    """Catches a fault that is lost, since another one stood in its cell or beside it."""
    year = edit("data/papers.csv", "Pain \u2013 a review,2010", "Pain \u2013 a review,-500")
    pattern = edit("schemas/statements.json", "^s[0-9]{2}$", "^(s[0-9]{2}")
    cell = edit("data/statements.csv", "\ns03,", "\nx03,")
    package = build({"edits": [year]}, tmp_path / "cell")
    assert issues(package, "--quick") == ["data/papers.csv:3:year [type]"]
    papers = package / "data/papers.csv"
    papers.write_text(papers.read_text(encoding="utf-8").replace("-500", "2011"), encoding="utf-8")
    refresh(package)
    assert "data/papers.csv:3:citation_id [citation-id]" in issues(package, "--quick")
    package = build({"edits": [pattern, cell]}, tmp_path / "schema")
    found = issues(package, "--quick")
    assert found
    assert all(issue.startswith("schemas/") for issue in found)
    schema = package / "schemas/statements.json"
    text = schema.read_text(encoding="utf-8")
    schema.write_text(text.replace("^(s[0-9]{2}", "^s[0-9]{2}$"), encoding="utf-8")
    assert "data/statements.csv:4:statement_id [pattern]" in issues(package, "--quick")
