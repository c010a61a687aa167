"""Repairs: every mechanical fault goes, every value stays, and a second run finds nothing to do."""

import csv
import io
import json
import os
import random
import re
import shutil
import unicodedata
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path

import frictionless
import marko
import pytest

from cases import build
from commands import FAST, PACKAGES, ROOT, issues, run_each, snapshot, validate
from pipeline import fix
from pipeline.issue import CannotRun

BASE = PACKAGES / "base"
FIXABLE = sorted(
    rule["id"]
    for run in json.loads(validate(BASE, "--format", "sarif", *FAST).stdout)["runs"]
    for rule in run["tool"]["driver"]["rules"]
    if rule["properties"]["fixable"]
)


def cases(rule: str, *, only: list[str] | None = None) -> list[Path]:
    """The planted defects of a rule, or those with issues of certain rules alone."""
    found = sorted((PACKAGES / "invalid" / rule).iterdir())
    if only is None:
        return found
    return [path for path in found if rules_of(path) <= set(only)]


def rules_of(path: Path) -> set[str]:
    """The rules whose issues a case lists."""
    issues = json.loads(path.read_text(encoding="utf-8"))["issues"]
    return {line.rpartition("[")[2].rstrip("]") for line in issues}


def values(package: Path) -> list[list[str]]:
    """Every cell of every table, rows and columns sorted, white space folded."""
    tables = []
    for path in sorted((package / "data").rglob("*.csv")):
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [
                [" ".join(cell.split()) for cell in row] for row in csv.reader(file) if any(row)
            ]
        tables.append(sorted(sorted(row) for row in rows))
    return tables


@pytest.mark.parametrize("rule", FIXABLE)
def test_what_names_fix_is_fixed(rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Catches a repair that is promised and not made, loses a value, or never ends."""
    packages = [
        build(json.loads(case.read_text(encoding="utf-8")), tmp_path / case.stem)
        for case in cases(rule, only=FIXABLE)
        # What a reader takes for the value depends on the writing that is repaired.
        if not (rule == "quoting" and "quote" in case.stem) and case.stem != "not-doubled"
    ]
    before = [values(package) for package in packages]
    first, *others = packages
    repairs = [
        validate(first, "--fix", *FAST),
        *run_each("validate.py", ([package, "--fix", *FAST] for package in others)),
    ]
    for package, old, done in zip(packages, before, repairs, strict=True):
        assert done.returncode == 0, done.stdout
        assert "fixed " in done.stderr
        if rule != "not-nfc":
            assert values(package) == old
    fixed = snapshot(tmp_path)
    for again in run_each("validate.py", ([package, "--fix", "--quick"] for package in packages)):
        assert again.stderr == ""
    assert snapshot(tmp_path) == fixed
    monkeypatch.chdir(first)
    assert frictionless.Package("datapackage.json").validate().valid


def test_quotes_that_are_not_doubled_keep_the_value(tmp_path: Path):
    """Catches a repair of quotes that changes what is between them."""
    case = PACKAGES / "invalid/quoting/not-doubled.json"
    package = build(json.loads(case.read_text(encoding="utf-8")), tmp_path)
    assert validate(package, "--fix").returncode == 0
    assert '"first ""symptom"""' in (package / "data/types.csv").read_text(encoding="utf-8")


NOT_WHOLE = ["encoding", "null-character", "csv-syntax", "ragged-row", "json-duplicate-key"]


@pytest.mark.parametrize("rule", NOT_WHOLE)
def test_what_cannot_be_repaired_whole_is_not_touched(rule: str, tmp_path: Path):
    """Catches half a repair."""
    packages = [
        build(json.loads(case.read_text(encoding="utf-8")), tmp_path / case.stem)
        for case in cases(rule)
    ]
    before = snapshot(tmp_path)
    for done in run_each("validate.py", ([package, "--fix"] for package in packages)):
        assert done.returncode == 1
    assert snapshot(tmp_path) == before


def test_fix_has_nothing_to_do_here():
    """Catches a repair of a valid package, and generated documents that are stale."""
    before = snapshot(ROOT / "data"), snapshot(ROOT / "docs"), snapshot(ROOT / "schemas")
    done = validate("--fix", "--quick")
    assert (done.returncode, done.stderr) == (0, "")
    assert before == (snapshot(ROOT / "data"), snapshot(ROOT / "docs"), snapshot(ROOT / "schemas"))


def test_fix_writes_only_inside_the_package(tmp_path: Path):
    """Catches a repair that follows a link out of the package."""
    outside = tmp_path / "outside.csv"
    shutil.copy(BASE / "data/types.csv", outside)
    outside.write_bytes(outside.read_bytes().replace(b"\n", b"\r\n"))
    before = outside.read_bytes()
    case = {"edits": [{"file": "data/types.csv", "link": str(outside)}], "refresh": False}
    package = build(case, tmp_path)
    assert validate(package, "--fix").returncode == 1
    assert outside.read_bytes() == before


def hook(package: Path) -> None:
    """A link from a generated document to a program of git."""
    (package / ".git/hooks").mkdir(parents=True)
    (package / ".git/hooks/pre-commit").write_text("#!/bin/sh\n")
    (package / "docs").mkdir()
    (package / "docs/rules.md").symlink_to("../.git/hooks/pre-commit")


def by_hand(package: Path) -> None:
    """A document of somebody else where a generated one would be."""
    (package / "docs").mkdir()
    (package / "docs/rules.md").write_text("by hand\n")


def schema_by_hand(package: Path) -> None:
    """A JSON Schema of somebody else with the name of a table."""
    (package / "schemas/json").mkdir()
    (package / "schemas/json/types.json").write_text('{"hand": "written"}\n')


def config(package: Path) -> None:
    """A table that is the configuration of git."""
    (package / ".git").mkdir()
    (package / ".git/config").write_text("[core]\n\tbare = false\n\tbare = false\n")
    path = package / "datapackage.json"
    path.write_text(path.read_text(encoding="utf-8").replace("data/types.csv", ".git/config"))


def folder_that_is_a_link(package: Path) -> None:
    """A folder of tables that lies elsewhere, and has something to repair."""
    (package / "data").rename(package.parent / "elsewhere")
    (package / "data").symlink_to("../elsewhere")
    table = package.parent / "elsewhere/types.csv"
    table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n"))


def number(text: str) -> Callable[[Path], None]:
    """A descriptor with a number that Python would write in another way, and old statistics."""

    def change(package: Path) -> None:
        path = package / "datapackage.json"
        descriptor = path.read_text(encoding="utf-8").replace('"rows": 3', '"rows": 4')
        path.write_text(descriptor.replace("{", f'{{"x": {text},', 1), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    "change",
    [
        hook,
        by_hand,
        schema_by_hand,
        config,
        folder_that_is_a_link,
        number("1e999"),
        number("12345678901234567890.123"),
        number("0.1000000000000000055511151231257827"),
        number("NaN"),
    ],
)
def test_what_is_not_repaired(change: Callable[[Path], None], tmp_path: Path):
    """Catches a repair that writes what it did not read, or that changes a value."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    change(package)
    before = snapshot(tmp_path)
    assert validate(package, "--fix", "--quick").returncode in (1, 2)
    after = snapshot(tmp_path)
    # What is generated anew beside it is no harm.
    made = ("package/docs/data-dictionary.md", "package/schemas/json/")
    assert {k: v for k, v in after.items() if k in before or not k.startswith(made)} == before


@pytest.mark.skipif(os.name != "posix", reason="needs modes and owners")
def test_mode_and_owner_stay(tmp_path: Path):
    """Catches a table that nobody else can read after a repair, or that belongs to another."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    table = package / "data/types.csv"
    table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n"))
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    os.chown(table, owner, -1)
    table.chmod(0o664)
    assert validate(package, "--fix", "--quick").returncode == 0
    status = table.stat()
    assert (status.st_uid, status.st_mode & 0o7777) == (owner, 0o664)
    assert table.read_bytes() == (BASE / "data/types.csv").read_bytes()


def test_a_document_that_is_too_long_is_not_cut(tmp_path: Path):
    """Catches a generated part that is renewed at the cost of what comes after it."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    block = "<!-- tables: generated by scripts/validate.py --fix -->\nold\n<!-- end of tables -->\n"
    (package / "README.md").write_text(block + "x\n" * 3_000_000)
    before = snapshot(package)
    validate(package, "--fix", "--quick")
    assert snapshot(package) == before


def test_many_faults_at_once(tmp_path: Path):
    """Catches repairs that get in each other's way."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    path = package / "data/features.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    text = "\r\n\r\n".join([header, *(row + "  " for row in reversed(rows))])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert issues(package, "--quick") != []
    done = validate(package, "--fix")
    assert done.returncode == 0
    assert snapshot(package) == snapshot(BASE)
    for word in ("byte-order-mark", "line-ending", "row-order", "white space"):
        assert word in done.stderr


def test_what_a_spreadsheet_leaves_behind(tmp_path: Path):
    """Catches a table that does not come back as it was from a round through a spreadsheet."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    path = package / "data/findings.csv"
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    padded = [[*row, "", ""] for row in (header, *reversed(rows))]
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([*padded, [""] * len(padded[0])])
    assert validate(package, "--fix").returncode == 0
    assert snapshot(package) == snapshot(BASE)


START, END = "<!-- tables: generated by scripts/validate.py --fix -->", "<!-- end of tables -->"


@pytest.mark.parametrize(
    "text",
    [f"{END}\nkeep\n{START}\n", f"{START}\nkeep\n", f"{START}\n{END}\nkeep\n{START}\n{END}\n"],
    ids=["turned", "half", "twice"],
)
def test_what_stands_around_the_marks_is_not_lost(text: str, tmp_path: Path):
    """Catches text that goes because the marks of a generated part are not one pair in order."""
    package = build({"edits": [{"file": "README.md", "text": text}]}, tmp_path)
    done = validate(package, "--fix", "--quick")
    assert done.returncode == 1
    assert "README.md:1: error: <!-- tables" in done.stdout
    assert (package / "README.md").read_text(encoding="utf-8") == text


def test_a_lone_return_in_a_cell_and_a_row_of_blanks(tmp_path: Path):
    """Catches a cell that becomes two rows, and a repair that needs two runs."""
    path = Path("data/types.csv")
    package = build({"edits": []}, tmp_path / "return")
    raw = (package / path).read_bytes().replace(b"first symptom", b'"first\rsymptom"')
    (package / path).write_bytes(raw)
    validate(package, "--fix", "--quick")
    assert (package / path).read_bytes() == raw
    package = build({"edits": []}, tmp_path / "blanks")
    (package / path).write_bytes((package / path).read_bytes() + b"  , ,   ,,\n")
    assert validate(package, "--fix").returncode == 0
    assert snapshot(package) == snapshot(BASE)


def test_descriptions_are_shown_as_they_are(tmp_path: Path):
    """Catches a description that breaks a generated document, or is shown as another text."""
    said = "A | b, <b>c</b> `d` *e* &amp;, [f](g)\nh <!-- end of tables -->, e.g. i."
    package = build({"edits": []}, tmp_path)
    path = package / "schemas/types.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["description"] = f"One row is {said}"
    schema["fields"][1]["description"] = said
    path.write_text(json.dumps(schema), encoding="utf-8")
    (package / "docs").mkdir()
    (package / "README.md").write_text(f"{START}\n{END}\nend\n", encoding="utf-8")
    assert validate(package, "--fix", "--quick").returncode == 0
    before = snapshot(package)
    assert validate(package, "--fix", "--quick").stderr == ""
    assert snapshot(package) == before
    converter = marko.Markdown(extensions=["gfm"])
    shown = " ".join(said.split())
    for name in ("README.md", "docs/data-dictionary.md"):
        html = converter((package / name).read_text(encoding="utf-8"))
        assert escape(shown.rstrip("."), quote=False) in html, name


SAID = [
    *("# a", "- a", "+ a", "* a", "> a", "1. a", "1) a", "---", "===", "~~~ a", "``` a", "| a |"),
    *("a | b", "a \\| b", "a\\", "\\*", "*a*", "__a__", "a_b_c", "~~a~~", "H~2~O", "``a``"),
    *("`a", "$a$"),
    *("[a](b)", "[a]: b", "![a](b)", "[^1]: a", "<b>a</b>", "<!-- a -->", "a < b", "&amp;"),
    *("a\nb", "a\rb", "a\n\nb", "<https://example.org>", "- [ ] a", "<details>", "5-year", "+1.5"),
]  # fmt: skip


@pytest.mark.parametrize("said", SAID)
def test_every_text_of_a_schema_is_shown_as_it_is(said: str, tmp_path: Path):
    """Catches markup in a description, an example, a label, a unit or a reason."""
    package = build({"edits": []}, tmp_path)
    (package / "docs").mkdir()
    path = package / "schemas/findings.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    shown = " ".join(said.split())
    schema["description"] = schema["implications"][0]["because"] = said
    schema["fields"][7] |= {"description": said, "unit": said, "example": shown}
    schema["fields"][4]["categories"][0]["label"] = said
    path.write_text(json.dumps(schema), encoding="utf-8")
    repaired(package)
    text = (package / "docs/data-dictionary.md").read_text(encoding="utf-8")
    text = re.search("\n## findings\n(.*?)\n## mappings", text, re.DOTALL)[1]
    html = marko.Markdown(extensions=["gfm"])(text)
    tags = {"p", "ul", "li", "code", "table", "thead", "tbody", "tr", "th", "td"}
    assert set(re.findall("<([a-z0-9]+)", html)) == tags
    plain = unescape(re.sub("<[^<>]*>", "", html))
    words = [" ".join(line.split()) for line in plain.splitlines()]
    assert words[0] == shown
    assert [f"{shown} Unit: {shown}.", shown] == words[(at := words.index("value") + 3) : at + 2]
    assert f"supports: {shown}" in words
    assert any(line.endswith(f"; {shown}") for line in words)


def cells(raw: bytes) -> object:
    """The values of a table by column, rows in any order; None where it cannot be parsed."""
    try:
        read = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    rows = [[re.sub("  +", " ", _composed(cell)) for cell in row] for row in read]
    rows = [row for row in rows if any(row)]
    width = max(map(len, rows), default=0)
    columns = zip(*(row + [""] * (width - len(row)) for row in rows), strict=True)
    names, *body = zip(*filter(any, columns), strict=True) if rows else [()]
    return sorted(names), sorted(sorted(zip(names, row, strict=True)) for row in body)


def _composed(cell: str) -> str:
    return unicodedata.normalize("NFC", cell.strip())


def kept(name: str, raw: bytes) -> object:
    """What a repair must leave of a file, which is all of it that is not generated."""
    if name.endswith(".csv"):
        return cells(raw) or raw
    if name == "datapackage.json":
        descriptor = json.loads(raw)
        for spec in filter(lambda spec: isinstance(spec, dict), descriptor["resources"]):
            for statistic in ("bytes", "hash", "rows"):
                spec.pop(statistic, None)
        return descriptor | {"resources": sorted(descriptor["resources"], key=str)}
    marks = rb"(<!-- (\w+): generated by scripts/validate.py --fix -->).*?(<!-- end of \2 -->)"
    return re.sub(marks, rb"\1\3", raw, flags=re.DOTALL)


def repaired(package: Path) -> list[tuple[str, str]]:
    """What a repair says that it did; nothing where it refuses to write."""
    try:
        return list(fix.fix(str(package)))
    except CannotRun:
        return []


def check_repair(package: Path) -> None:
    """A repair keeps every value and every other file, makes none, and leaves nothing to do."""
    before = snapshot(package)
    done = repaired(package)
    after = snapshot(package)
    assert {name for name, _ in done} == {name for name in after if before.get(name) != after[name]}
    generated = ("schemas/json/", "docs/rules.md", "docs/data-dictionary.md", "docs/figures/")
    for name in filter(lambda name: not name.startswith(generated), before.keys() | after.keys()):
        if before.get(name) != after[name]:
            assert kept(name, before[name]) == kept(name, after[name]), name
    if done:
        assert repaired(package) == []
        assert snapshot(package) == after


RULES = sorted({path.name for kind in ("invalid", "valid") for path in (PACKAGES / kind).iterdir()})


@pytest.mark.parametrize("rule", RULES)
def test_a_repair_of_any_case_keeps_every_value(rule: str, tmp_path: Path):
    """Catches a repair that loses or changes what it does not speak of, or needs two runs."""
    for path in sorted(PACKAGES.glob(f"*/{rule}/*.json")):
        if path.parts[-3] != "changed":
            package = build(json.loads(path.read_text(encoding="utf-8")), tmp_path / path.stem)
            check_repair(package)
            assert {each.name for each in package.parent.iterdir()} == {"package"}


MARKS = (
    *("\r", "\n", "\r\n", "\n\n", "\x0b", "\x1c", "\u2028"),
    *("\ufeff", "  ", "\t", "\u00a0", '"', '""', ",", "\0", "e\u0301", "="),
)


def rewritten(dice: random.Random, text: str) -> str:
    """A table with other line ends, with another end, in another order, or with a mark in it."""
    lines = text.split("\n")
    end = dice.choice(["", " ", ",", "\r", "\r\n\n", "\n,,\n"])
    places = [0, len(text), *(found.end() for found in re.finditer("[,\n]", text))]
    place = dice.choice(places)
    marked = text[:place] + dice.choice(MARKS) + text[place:]
    quoted = re.sub("(?m)(?<=,)([^,\n]+)$", r'"\1"', text)
    ended = dice.choice(["\r\n", "\r", "\n\n", "\n\r"]).join(lines)
    shuffled = "\n".join(dice.sample(lines, len(lines)))
    return dice.choice([ended, "\n".join(lines[:-1]) + end, shuffled, quoted, *[marked] * 6])


@pytest.mark.parametrize("seed", range(4))
def test_a_repair_of_any_writing_keeps_every_value(seed: int, tmp_path: Path):
    """Catches a line end, a quote or a blank in some place that costs a value or a row."""
    dice = random.Random(seed)
    tables = sorted((BASE / "data").iterdir())
    for number in range(40):
        package = build({"edits": []}, tmp_path / str(number))
        for table in dice.choices(tables, k=2):
            path = package / "data" / table.name
            path.write_bytes(rewritten(dice, path.read_bytes().decode()).encode())
        check_repair(package)
