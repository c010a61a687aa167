"""Hostile input costs memory and time in proportion to its size, and a message."""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import PACKAGES, SCRIPTS
from pipeline.letters import normalize

BASE = PACKAGES / "base"


def copy(folder: Path) -> Path:
    """The base package in a new folder."""
    return Path(shutil.copytree(BASE, folder / "package"))


def limited(*arguments: object, mebibytes: int = 256) -> subprocess.CompletedProcess[str]:
    """Run validate.py --quick with so much memory to its name."""
    size = mebibytes << 20
    return subprocess.run(
        [sys.executable, SCRIPTS / "validate.py", "--quick", *map(str, arguments)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
    )


DOCUMENTS = {
    "deep": ("[" * 100_000 + "]" * 100_000, "nested more than 32 levels"),
    "deep-within-the-limit-of-python": ('{"a":' * 900 + "1" + "}" * 900, "nested more than 32"),
    "deep-and-wide": ("[" * 900 + "1," * 290_000 + "1" + "]" * 900, "nested more than 32 levels"),
    "wide": ("[" + "1," * 2_000_000 + "1]", "more than 100,000 values"),
    "many-lists": ("[" + "[]," * 1_390_000 + "[]]", "more than 100,000 values"),
    "many-objects": ("[" + "{}," * 1_390_000 + "{}]", "more than 100,000 values"),
    "long-text": (json.dumps({"name": "x" * 4_000_000}), "more than 100,000 characters"),
    "escapes": ('{"name": "' + "\\n" * 2_000_000 + '"}', "more than 100,000 characters"),
    "long-key": (json.dumps({"x" * 4_000_000: 1}), "more than 100,000 characters"),
    "one-key-again-and-again": ("{" + '"a":1,' * 690_000 + '"a":1}', "'a' stands twice"),
    "not-a-number": ('{\n"a": "NaN",\n"b": NaN}', ":3: error: is not JSON: NaN"),
    "infinite": ('{\n"a": [-Infinity]}', ":2: error: is not JSON: -Infinity"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("path", ["datapackage.json", "schemas/types.json"])
def test_strange_document_in_bounded_memory(path: str, name: str, tmp_path: Path):
    """Catches a document of at most 4 MiB that takes a hundred times as much to read."""
    package = copy(tmp_path)
    text, message = DOCUMENTS[name]
    (package / path).write_text(text, encoding="utf-8")
    done = limited(package)
    assert done.returncode == 1, done.stderr
    assert message in done.stdout
    assert len(done.stdout) < 10_000


def typed(package: Path, **constraints: object) -> None:
    """Give the field relief of the table types other constraints, and no other."""
    path = package / "schemas/types.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    (field,) = (each for each in schema["fields"] if each["name"] == "relief")
    field["constraints"] = {"required": False, **constraints}
    field.pop("categories", None)
    path.write_text(json.dumps(schema), encoding="utf-8")


def values(package: Path, texts: list[str]) -> None:
    """Give the table types a row for each of these texts in the field relief."""
    header = "type_id,name,onset,factor,relief\n"
    rows = (f"t{number:06},N{number},,,{text}\n" for number, text in enumerate(texts))
    (package / "data/types.csv").write_text(header + "".join(rows), encoding="utf-8")


@pytest.mark.parametrize("rule", ["enum", "pattern"])
def test_message_does_not_repeat_what_the_schema_lists(rule: str, tmp_path: Path):
    """Catches a message on one value that is as long as the schema."""
    package = copy(tmp_path)
    words = [f"v{number:05}" for number in range(13_000 if rule == "enum" else 140)]
    if rule == "enum":
        typed(package, enum=words)
    else:
        typed(package, pattern="^(" + "|".join(words) + ")$")
    values(package, [f"x{number:05}" for number in range(20_000)])
    done = limited(package, "--rule", rule)
    assert done.returncode == 1, done.stderr
    assert "v00000" in done.stdout
    assert "v00139" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 300


def cycle(package: Path, number: int) -> list[object]:
    """A chain with an edge from every row back to the first."""
    rows = [f"f{n},N{n},f{n + 1},," for n in range(number)]
    rows += [f"f{n},M{n},f0,," for n in range(1, number)]
    text = "\n".join(["feature_id,name,parent_id,reviewed,code", *rows])
    (package / "data/features.csv").write_text(text + "\n", encoding="utf-8")
    return ["validate.py", package, "--quick", "--rule", "cycle"]


def citation_file(package: Path, number: int) -> list[object]:
    """A CITATION.cff of nothing but titles."""
    (package / "CITATION.cff").write_text("title:\n" * number, encoding="utf-8")
    return ["validate.py", package, "--quick"]


def citation_file_as_yaml(package: Path, number: int) -> list[object]:
    """A CITATION.cff with many keywords and an address with which Python's engine would stray."""
    text = f'keywords: [{"a," * number}]\ncontact:\n- email: "{"@." * number} "\n'
    (package / "CITATION.cff").write_text(text, encoding="utf-8")
    return ["validate.py", package, "--rule", "citation-file"]


def empty_columns(package: Path, number: int) -> list[object]:
    """A table with many columns without name and values."""
    path = package / "data/types.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(f"{line}{',' * number}\n" for line in lines), encoding="utf-8")
    return ["validate.py", package, "--quick", "--fix"]


def authors(package: Path, number: int) -> list[object]:
    """A paper of many authors, of whom one stands twice."""
    letters = [chr(97 + n) for n in range(26)]
    names = [f"{a}{b}{c}{d}" for a in letters for b in letters for c in letters for d in letters]
    return ["validate.py", *in_authors(package, "; ".join([*names[:number], names[0]]))]


def marks(package: Path, number: int) -> list[object]:
    """A letter with many marks below and above, in the order that has to be turned around."""
    return ["validate.py", *in_authors(package, "Øst" + "\u0315" * number + "\u0316" * number)]


def marks_to_be_fixed(package: Path, number: int) -> list[object]:
    """The same, to be normalized by --fix."""
    return [*marks(package, number), "--fix"]


def in_authors(package: Path, text: str) -> list[object]:
    """Put a text in place of the authors of a paper."""
    path = package / "data/papers.csv"
    table = path.read_text(encoding="utf-8").replace("Øst C,Pain", f"{text},Pain")
    path.write_text(table, encoding="utf-8")
    return [package, "--quick"]


def guesses(package: Path, number: int) -> list[object]:
    """Many wrong values of a field with long ones."""
    typed(package, enum=[f"value-of-many-letters-{n:04}" for n in range(30)])
    values(package, [f"walue-uf-many-letters-{n:06}" for n in range(number)])
    return ["validate.py", package, "--quick", "--rule", "enum"]


def brackets(package: Path, number: int) -> list[object]:
    """A pattern of many brackets that do not end."""
    typed(package, pattern="^(?#" + "[" * number)
    return ["validate.py", package, "--quick"]


def repetitions(package: Path, number: int) -> list[object]:
    """A pattern with which Python's engine has to try every way to cut a text."""
    typed(package, pattern="^(([a-z]+)+|([a-z]|x)*)*$")
    values(package, ["a" * number + "!"])
    return ["validate.py", package, "--quick", "--rule", "pattern"]


def fields(package: Path, number: int) -> list[object]:
    """A schema with one field again and again."""
    path = package / "schemas/types.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["fields"] += [{"name": "relief", "type": "string"}] * number
    path.write_text(json.dumps(schema), encoding="utf-8")
    return ["validate.py", package, "--quick"]


def enumeration(package: Path, number: int) -> list[object]:
    """A field with many values."""
    typed(package, enum=[f"v{n}" for n in range(number)])
    return ["validate.py", package, "--quick"]


def quotes(package: Path, number: int) -> list[object]:
    """A table in which every cell is quoted without need."""
    path = package / "data/types.csv"
    path.write_text(path.read_text(encoding="utf-8") + '"a","b","c","d","e"\n' * number)
    return ["validate.py", package, "--quick", "--rule", "quoting"]


def changed_rows(package: Path, number: int) -> list[object]:
    """Two versions of a table of which every row is another."""
    other = Path(shutil.copytree(package, package.parent / "other"))
    values(package, ["partial"] * number)
    values(other, ["complete"] * number)
    return ["compare.py", package, other, "--format", "json"]


def page_of_marks(package: Path, number: int) -> list[object]:
    """A page with a letter that has many marks."""
    page = package / "page"
    page.write_text("A" + "\u0315" * number + "\u0316" * number + " b.", encoding="utf-8")
    return ["source_drift.py", page]


def page_in_another_order(package: Path, number: int) -> list[object]:
    """A page with all recorded sentences from the last to the first."""
    sentences = [f"S{n}." for n in range(number)]
    header = "passage_id,paragraph,sentence,sha256\n"
    names = ["passage_id", "paragraph", "sentence", "sha256"]
    kinds = ["string", "integer", "integer", "string"]
    listed = [{"name": n, "type": t} for n, t in zip(names, kinds, strict=True)]
    schema = {"fields": listed, "primaryKey": ["passage_id"]}
    (package / "schemas/source_passages.json").write_text(json.dumps(schema), encoding="utf-8")
    statements = {"fields": [{"name": n, "type": "string"} for n in ("statement_id", "passage_id")]}
    (package / "schemas/statements.json").write_text(json.dumps(statements), encoding="utf-8")
    (package / "data/statements.csv").write_text("statement_id,passage_id\n", encoding="utf-8")
    rows = (
        f"p{n},{n + 1},1,{hashlib.sha256(text.encode()).hexdigest()}\n"
        for n, text in enumerate(sentences)
    )
    (package / "data/source_passages.csv").write_text(header + "".join(rows), encoding="utf-8")
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    resource = {"path": "data/source_passages.csv", "schema": "schemas/source_passages.json"}
    descriptor["resources"].append({"name": "source_passages", **resource})
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    page = package / "page"
    page.write_text("\n\n".join(reversed(sentences)), encoding="utf-8")
    return ["source_drift.py", page, "--package", package, "--format", "json"]


def table(package: Path, name: str, rows: list[str], schema: dict[str, object]) -> None:
    """Add a table of texts with these rows, whose schema begins with the names of its fields."""
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    resource = {"name": name, "path": f"data/{name}.csv", "schema": f"schemas/{name}.json"}
    descriptor["resources"].append(resource)
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    (package / resource["schema"]).write_text(json.dumps(schema), encoding="utf-8")
    header = ",".join(field["name"] for field in schema["fields"])
    text = "".join(f"{line}\n" for line in [header, *rows])
    (package / resource["path"]).write_text(text, encoding="utf-8")


def texts(*names: str, **properties: object) -> dict[str, object]:
    """A schema of fields with texts, of which the first is the key."""
    listed = [{"name": name, "type": "string"} for name in names]
    return {"fields": listed, "primaryKey": [names[0]], **properties}


def to(resource: str, field: str, *fields: str) -> dict[str, object]:
    """A reference from some fields to those with the same names, or to one field."""
    return {"fields": list(fields), "reference": {"resource": resource, "fields": [field]}}


def chain_of_tables(package: Path, number: int) -> list[object]:
    """Tables of which each refers to the next, and has edges whose ends stand in the last."""
    for n in range(number):
        keys = [to(f"t{n + 1:05}", "b", "b"), to(f"t{n + 1:05}", "b", "c")]
        edges = [{"from": "b", "to": "c"}]
        schema = texts("a", "b", "c", foreignKeys=keys, acyclic=edges)
        table(package, f"t{n:05}", ["x,x,y"], schema)
    return ["validate.py", package, "--quick"]


def one_schema(package: Path, number: int) -> list[object]:
    """Tables with one schema, in which cells need evidence that nothing gives."""
    table(package, "t", ["x"], texts("a"))
    schema = {"fields": [{"name": "a", "type": "string", "evidence": True}], "primaryKey": ["a"]}
    (package / "schemas/t.json").write_text(json.dumps(schema), encoding="utf-8")
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    for n in range(number):
        place = f"data/t{n}.csv"
        (package / place).write_text("a\nx\n", encoding="utf-8")
        resource = {"name": f"t{n}", "path": place, "schema": "schemas/t.json"}
        descriptor["resources"].append(resource)
    path.write_text(json.dumps(descriptor), encoding="utf-8")
    return ["validate.py", package, "--quick"]


def retired_ids(package: Path, number: int) -> list[object]:
    """As many retired ids as there are rows in the table that they were in."""
    ids = [f"x{n:06}" for n in range(number)]
    table(package, "kept", ids, texts("a"))
    retires = {"resource": "table", "id": "id", "replacement": "replacement"}
    gone = [f"{each},kept,old-{each},{each}" for each in ids]
    table(package, "gone", gone, texts("k", "table", "id", "replacement", retires=retires))
    return ["validate.py", package, "--quick"]


def values_that_are_named(package: Path, number: int) -> list[object]:
    """An implication with as many values as the table has that the field refers to."""
    ids = [f"x{n:06}" for n in range(number)]
    because = [{"when": {"b": ids}, "never": {"a": ["x"]}, "because": "one excludes the other"}]
    schema = texts("a", "b", foreignKeys=[to("t", "a", "b")], implications=because)
    table(package, "t", [f"{each},{each}" for each in ids], schema)
    return ["validate.py", package, "--quick"]


def cells_that_are_named(package: Path, number: int) -> list[object]:
    """A wide table in which every field names cells of it."""
    table(package, "t", ["x,f1; f2" + ",f1" * (number - 1)], texts("a"))
    target = {"resource": "t", "field": "a", "by": "a"}
    fields = [{"name": f"f{n}", "type": "string", "namesCellsOf": target} for n in range(number)]
    schema = {"fields": [{"name": "a", "type": "string"}, *fields], "primaryKey": ["a"]}
    (package / "schemas/t.json").write_text(json.dumps(schema), encoding="utf-8")
    names = ["a", *(field["name"] for field in fields)]
    row = ["x", "f1; f2", *["f1"] * (number - 1)]
    (package / "data/t.csv").write_text(f"{','.join(names)}\n{','.join(row)}\n", encoding="utf-8")
    return ["validate.py", package, "--quick"]


def changed_properties(package: Path, number: int) -> list[object]:
    """Two versions of a descriptor in which a table has many properties."""
    other = Path(shutil.copytree(package, package.parent / "other"))
    for version in (package, other):
        path = version / "datapackage.json"
        descriptor = json.loads(path.read_text(encoding="utf-8"))
        descriptor["resources"][0] |= {f"p{n}": f"{version.name} {n}" for n in range(number)}
        path.write_text(json.dumps(descriptor), encoding="utf-8")
    return ["compare.py", package, other]


def export(package: Path, **cells: str) -> list[object]:
    """Compare the published papers with one paper as PubMed exports it, with these cells."""
    cells = {"PMID": "1", "TI": "A title.", "JT": "A journal", "AB": "None.", "SO": "x"} | cells
    path = package / "paper.nbib"
    path.write_text("".join(f"{tag:4}- {text}\n" for tag, text in cells.items()), encoding="utf-8")
    return ["papers.py", "check", path]


def title_of_initials(package: Path, number: int) -> list[object]:
    """A title that could end with an abbreviation, and does not."""
    return export(package, TI="a." * number + "x")


def bracket_of_a_journal(package: Path, number: int) -> list[object]:
    """A journal with a bracket that is not closed."""
    return export(package, JT="J (" + "a" * number)


def retracted_again(package: Path, number: int) -> list[object]:
    """A title that says many times that it was retracted, and never to the end."""
    return export(package, TI="(retracted article " * number)


def identifier_of_blanks(package: Path, number: int) -> list[object]:
    """An identifier with many blanks."""
    return export(package, LID="a" + " " * number + "b")


def continued_lines(package: Path, number: int) -> list[object]:
    """An abstract of many lines."""
    return export(package, AB="x\n" + "      as many words as stand on a line\n" * number)


def spelled_number(package: Path, number: int) -> list[object]:
    """A number in words that goes on and on."""
    return export(package, AB="hundred " * number)


def named_again(package: Path, number: int, width: int, same_file: bool) -> None:
    """A schema of many fields that is that of many tables, with a file each or one for all."""
    names = [f"f{n}" for n in range(width)]
    table(package, "t", [",".join("x" * width)] * 500, texts(*names))
    path = package / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    for n in range(number):
        place = "data/t.csv" if same_file else f"data/t{n}.csv"
        resource = {"name": f"t{n}", "path": place, "schema": "schemas/t.json"}
        descriptor["resources"].append(resource)
    path.write_text(json.dumps(descriptor), encoding="utf-8")


def many_keys(package: Path) -> None:
    """A table with more keys than anybody needs."""
    names = [f"f{n}" for n in range(40)]
    keys = [[a, b, c] for a in names for b in names for c in names if a < b < c]
    table(package, "t", ["x" + ",x" * 39], texts(*names, uniqueKeys=keys))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (lambda package: named_again(package, 5_000, 5, True), "is taken by an earlier resource"),
        (lambda package: named_again(package, 1_000, 2_000, False), "more than 1,000,000 values"),
        (many_keys, "has more than 100 entries; the standard allows it"),
    ],
    ids=["one-file", "one-schema", "many-keys"],
)
def test_a_file_that_stands_for_many(place: Callable[[Path], None], message: str, tmp_path: Path):
    """Catches a small package that is a large one when every name of a file counts as a file."""
    package = copy(tmp_path)
    place(package)
    done = limited(package)
    assert done.returncode == 1, done.stderr
    assert message in done.stdout


def processor(arguments: list[object]) -> float:
    """The seconds of the processor that a command takes, whatever it finds."""
    script, *others = arguments
    process = subprocess.Popen(
        [sys.executable, SCRIPTS / str(script), *map(str, others)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 1) or b"cannot" in output, output[-500:]
    assert b"internal fault" not in output, output[-500:]
    return usage.ru_utime


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not say it")
@pytest.mark.parametrize(
    ("place", "number"),
    [
        *((cycle, 12_000), (citation_file, 40_000), (empty_columns, 30_000), (authors, 12_000)),
        *((marks, 25_000), (marks_to_be_fixed, 25_000), (guesses, 10_000), (brackets, 24_000)),
        *((repetitions, 25_000), (fields, 2_000), (enumeration, 8_000), (quotes, 20_000)),
        *((changed_rows, 5_000), (page_of_marks, 15_000), (page_in_another_order, 3_000)),
        (citation_file_as_yaml, 6_000),
        *((chain_of_tables, 150), (one_schema, 1_000), (retired_ids, 3_000)),
        *((values_that_are_named, 4_000), (cells_that_are_named, 700)),
        *((changed_properties, 6_000), (title_of_initials, 10_000), (spelled_number, 20_000)),
        *((bracket_of_a_journal, 8_000), (retracted_again, 1_000), (identifier_of_blanks, 10_000)),
        *((continued_lines, 30_000),),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_time_grows_with_the_size(place: Callable, number: int, tmp_path: Path):
    """Catches quadratic time: four times as much takes less than eight times as long."""
    small, large = (place(copy(tmp_path / str(size)), size) for size in (number, 4 * number))
    # What disturbs a measurement makes it longer: the shortest of several says what is needed.
    once = four = float("inf")
    for _ in range(10):
        once, four = min(once, processor(small)), min(four, processor(large))
        if four < 8 * once:
            return
    pytest.fail(f"{number:,} take {once:.2f} s, {4 * number:,} take {four:.2f} s")


@settings(max_examples=100)
@given(st.text("aé\u0315\u0316\u0301\u0344\u0f73\u1100\u1161", min_size=201, max_size=300))
def test_many_marks_are_normalized_as_few(text: str):
    """Catches a text that is another one because its marks were sorted."""
    for form in ("NFC", "NFKD"):
        assert normalize(form, text) == unicodedata.normalize(form, text)
