"""What changed between two versions: every planted change is found, and asks for the right step."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import marko
import pytest

from cases import build, edit
from commands import PACKAGES, ROOT, SCRIPTS, compare, comparison, comparison_in, run_each, said

BASE = PACKAGES / "base"
CHANGED = sorted((PACKAGES / "changed").iterdir())
FEATURES, WITHDRAWN = "data/features.csv", "data/withdrawn.csv"


def planted(name: str) -> list[dict]:
    """The edits of a case."""
    return json.loads((PACKAGES / f"changed/{name}.json").read_text(encoding="utf-8"))["edits"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[dict]]:
    """What the command finds of each case from the base to there and back, in one process."""
    folder = tmp_path_factory.mktemp("changed")
    news = [build(json.loads(path.read_text(encoding="utf-8")), folder / path.stem)
            for path in CHANGED]  # fmt: skip
    runs = ([*both, "--format", "json"] for new in news for both in ((BASE, new), (new, BASE)))
    found = list(map(comparison_in, run_each("compare.py", runs)))
    return {path: found[2 * number :][:2] for number, path in enumerate(CHANGED)}


@pytest.mark.parametrize("path", CHANGED, ids=lambda path: path.stem)
def test_change_and_its_step(path: Path, compared: dict[Path, list[dict]]):
    """Catches a change that is not found, is called another, or asks for another step.

    Each case is the base package with edits; `back` is the step from there back to the base.
    """
    case = json.loads(path.read_text(encoding="utf-8"))
    there, back = compared[path]
    assert [said(change) for change in there["changes"]] == case["changes"]
    steps = ["none", "patch", "minor", "major"]
    asked = {line.split()[0] for line in case["changes"]}
    assert there["step"] == max(asked, key=steps.index, default="none")
    assert back["step"] == case["back"]
    assert len(back["changes"]) == len(there["changes"])


def test_every_property_asks_for_a_step():
    """Catches a property whose change asks for no step that anyone chose, and one that is gone."""
    from pipeline.comparison import changes, steps

    package, table = (
        json.loads((ROOT / f"schemas/profile/{name}.json").read_text(encoding="utf-8"))
        for name in ("data-package", "table-schema")
    )
    field, constraints = (table["definitions"][name] for name in ("field", "constraints"))
    for profiles, known, apart in (
        ([package], steps.PACKAGE, changes.LABELS),
        ([package["definitions"]["resource"]], steps.RESOURCE, changes.APART),
        ([table, field, constraints], steps.SCHEMA, {*changes.APART, "constraints"}),
    ):
        named = {name for profile in profiles for name in profile["properties"]}
        assert named - apart == known.keys()


def versioned(version: str, *edits: dict) -> dict:
    """A case with edits of the base package and another version."""
    return {"edits": [edit("datapackage.json", "1.2.3", version), *edits]}


def test_first_and_last_day(tmp_path: Path):
    """Catches bounds that are no numbers and are compared as such."""
    place = '"example": "2001-02-03",\n      "constraints": {'
    first, second = (
        build({"edits": [edit("schemas/papers.json", place, f'{place}"minimum": "{day}",')]},
              tmp_path / day)
        for day in ("1990-01-01", "1980-01-01")
    )  # fmt: skip
    assert comparison(first, second)["step"] == "minor"
    assert comparison(second, first)["step"] == "major"


def test_title_that_stands_twice(tmp_path: Path):
    """Catches one change that is counted twice because descriptor and schema have it."""
    old, new = (
        build({"edits": [edit("schemas/types.json", '"title": "Types"', f'"title": "{title}"'),
                         edit("datapackage.json", '"name": "types"',
                              f'"name": "types", "title": "{title}"')]}, tmp_path / title)
        for title in ("Types", "Kinds")
    )  # fmt: skip
    found = comparison(old, new)["changes"]
    assert [said(change) for change in found] == ["patch table-changed types title"]


def test_package_with_itself():
    """Catches a difference that is none."""
    for package in (ROOT, BASE):
        found = comparison(package, package)
        assert (found["changes"], found["step"], found["enough"]) == ([], "none", True)
        assert found["smallest"] == found["old"]["version"]
        version = found["old"]["version"]
        same = f"nothing changed; the step from {version} to {version} is large enough\n"
        assert compare(package, package).stdout == same
    assert compare(ROOT).stdout == compare(ROOT, ROOT).stdout


def test_values_old_and_new(tmp_path: Path):
    """Catches a cell or a row that is reported with other texts than it has."""
    edits = [
        edit(FEATURES, "weakness,Weakness", "zeal,Weakness"),
        edit("data/types.csv", '"rest, lying"', "rest"),
    ]
    removed, added, changed = comparison(BASE, build({"edits": edits}, tmp_path))["changes"]
    row = {"name": "Weakness", "parent_id": "", "reviewed": "", "code": "WKN"}
    assert removed["old"] == {"feature_id": "weakness", **row}
    assert added["new"] == {"feature_id": "zeal", **row}
    assert (changed["old"], changed["new"]) == ("rest, lying", "rest")
    assert changed["key"] == {"type_id": "back_pain"}


@pytest.mark.parametrize(
    ("row", "retired", "replacement", "words"),
    [
        ("", False, None, "row removed, not retired"),
        ("features,weakness,\n", True, None, "row removed, retired without replacement"),
        ("features,weakness,pain\n", True, "pain", "row removed, retired, replaced by pain"),
    ],
)
def test_what_became_of_an_id(
    row: str, retired: bool, replacement: str | None, words: str, tmp_path: Path
):
    """Catches release notes that do not say which id stands for a removed one."""
    edits = [
        edit(FEATURES, "weakness,Weakness,,,WKN\n", ""),
        edit(WITHDRAWN, "papers,ache", f"{row}papers,ache"),
    ]
    new = build({"edits": edits}, tmp_path)
    change = comparison(BASE, new)["changes"][0]
    assert (change["step"], change["kind"]) == ("major", "row-removed")
    assert (change["retired"], change["replacement"]) == (retired, replacement)
    assert f"major  features weakness: {words}\n" in compare(BASE, new).stdout
    last = words.split(", ", 1)[1].replace("by pain", "by `pain`")
    assert f" | {last} |\n" in compare(BASE, new, "--format", "markdown").stdout


PATCH = edit(FEATURES, "weakness,Weakness", "weakness,Lameness")
MINOR = edit(FEATURES, "false,\n", "false,\nsoreness,Soreness,,,\n")
MAJOR = edit(FEATURES, "weakness,Weakness,,,WKN\n", "")
# From a version to another with a change; whether that is enough, and what is.
VERSIONS = [
    ("1.2.3", "1.2.3", None, "1.2.3", True),
    ("1.2.3", "1.2.4", None, "1.2.3", True),
    ("1.2.3", "1.2.2", None, "1.2.3", False),
    ("1.2.3", "1.2.3-rc.1", None, "1.2.3", False),
    ("1.2.3", "1.2.3", PATCH, "1.2.4", False),
    ("1.2.3", "1.2.4", PATCH, "1.2.4", True),
    ("1.2.3", "1.2.2", PATCH, "1.2.4", False),
    ("1.2.3", "1.2.10", MINOR, "1.3.0", False),
    ("1.2.3", "1.3.0", MINOR, "1.3.0", True),
    ("1.2.3", "1.3.0-rc.1", MINOR, "1.3.0", True),
    ("1.9.3", "1.10.0", MINOR, "1.10.0", True),
    ("1.2.3", "1.3.0", MAJOR, "2.0.0", False),
    ("1.2.3", "2.0.0", MAJOR, "2.0.0", True),
    ("1.2.3", "2.0.0-alpha", MAJOR, "2.0.0", True),
    ("0.1.0", "0.1.1", PATCH, "0.1.1", True),
    ("0.1.0", "0.1.1", MINOR, "0.2.0", False),
    ("0.1.0", "0.2.0", MINOR, "0.2.0", True),
    ("0.1.0", "0.1.9", MAJOR, "0.2.0", False),
    ("0.1.0", "0.2.0", MAJOR, "0.2.0", True),
    ("0.1.0", "1.0.0", MAJOR, "0.2.0", True),
    ("2.0.0-rc.1", "2.0.0-rc.1", MAJOR, "2.0.0", False),
    ("2.0.0-rc.9", "2.0.0-rc.10", MAJOR, "2.0.0", True),
    ("2.0.0-rc.1", "2.0.0-beta", MAJOR, "2.0.0", False),
    ("2.0.0-rc", "2.0.0-1", MAJOR, "2.0.0", False),
    ("2.0.0-rc.1", "2.0.0", MAJOR, "2.0.0", True),
]


def test_version_step(tmp_path: Path):
    """Catches a version that says too little and passes, or says enough and does not."""
    runs = []
    for number, (old, new, change, *_) in enumerate(VERSIONS):
        before = build(versioned(old), tmp_path / f"old-{number}")
        edits = [change] if change else []
        after = build(versioned(new, *edits), tmp_path / f"new-{number}")
        runs += [[before, after, *more] for more in (["--format", "json"], ["--check"], [])]
    told = run_each("compare.py", runs)
    each = iter(told)
    for old, new, _, smallest, enough in VERSIONS:
        found, done, plain = comparison_in(next(each)), next(each), next(each)
        assert (found["smallest"], found["enough"]) == (smallest, enough), (old, new)
        assert done.returncode == (0 if enough else 1), (old, new)
        if enough:
            assert done.stderr == ""
        else:
            assert f"from {old} to {new} is too small" in done.stderr
            assert done.stderr.endswith(f": at least {smallest}\n")
        assert plain.returncode == 0
    # By itself, a version that is too small says the same.
    alone, known = compare(*runs[-5]), told[-5]
    assert (alone.returncode, alone.stdout, alone.stderr) == (1, known.stdout, known.stderr)


def test_policy_of_the_changelog():
    """Catches a policy that is written down otherwise than it is checked."""
    policy = " ".join((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("##")[0].split())
    for words in (
        "a new major version removes or renames a table, a column or a row",
        "changes a type or a primary key, tightens a constraint or changes the license",
        "a minor one adds rows, columns or tables, or loosens a constraint",
        "a patch corrects values or prose",
        "While the major version is 0, a minor version does for what would need a major one",
    ):
        assert words in policy


def test_text_says_place_and_values(tmp_path: Path):
    """Catches a line from which nobody can tell what changed."""
    new = build({"edits": [*planted("larger-minimum"), PATCH, *planted("column-added")]}, tmp_path)
    *lines, last = compare(BASE, new).stdout.splitlines()
    assert lines == [
        'patch  features weakness name: value changed "Weakness" -> "Lameness"',
        "major  papers year: minimum 1900 -> 1950",
        "minor  withdrawn note: column added",
    ]
    summary, verdict = last.split("; ")
    assert summary == "1 value changed, 1 property changed, 1 column added"
    assert verdict == ("the step from 1.2.3 to 1.2.3 is too small for what breaks: at least 2.0.0")
    kinds = build({"edits": planted("table-removed")}, tmp_path / "kinds")
    lines = compare(BASE, kinds).stdout.splitlines()
    assert lines[:2] == [
        "minor  kinds: table added, with 1 row",
        "major  types: table removed, with 1 row",
    ]
    other = build({"edits": planted("primary-key")}, tmp_path / "other")
    (line,) = compare(BASE, other).stdout.splitlines()[:-1]
    assert line.endswith('primaryKey ["type_id"] -> ["type_id", "name"]; rows are not compared')


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base package with 120 more rows."""
    more = "".join(f"x{number:03},X {number},,,\n" for number in range(120))
    return build({"edits": [edit(FEATURES, ",,WKN\n", f",,WKN\n{more}")]},
                 tmp_path_factory.mktemp("many"))  # fmt: skip


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_limit_is_said(form: str, many: Path):
    """Catches changes that vanish in silence."""
    shown = compare(BASE, many, "--format", form).stdout
    assert ("x099" in shown, "x100" in shown) == (True, False)
    assert re.search("and 20 more", shown, re.IGNORECASE)
    assert "120 rows added" in shown
    assert "x119" in compare(BASE, many, "--format", form, "--limit", "0").stdout
    assert len(comparison(BASE, many, "--limit", "1")["changes"]) == 120


def test_notes_stay_below_what_github_takes(tmp_path: Path):
    """Catches notes that GitHub refuses, cut without a word, or without what would have fitted."""
    said = "".join(f"x{n:05},{'X ' * 60}{n},,,\n" for n in range(900))
    edits = [edit(FEATURES, ",,WKN\n", f",,WKN\n{said}"), edit(FEATURES, "Back pain,", "Ache,")]
    schema = json.loads((BASE / "schemas/types.json").read_text(encoding="utf-8"))
    columns = [
        schema["fields"][-2] | {"name": f"a_column_with_a_long_name_{n:04}"} for n in range(3_000)
    ]
    for field in columns:
        del field["requires"]
    schema["fields"] += columns
    edits.append({"file": "schemas/types.json", "text": json.dumps(schema)})
    types = (BASE / "data/types.csv").read_text(encoding="utf-8").splitlines()
    more = ("".join(f",{field['name']}" for field in columns), "," * len(columns))
    text = "".join(f"{line}{cells}\n" for line, cells in zip(types, more, strict=True))
    edits.append({"file": "data/types.csv", "text": text})
    new = build({"edits": edits}, tmp_path)
    notes = compare(BASE, new, "--format", "markdown", "--limit", "0").stdout
    assert len(notes.encode()) <= 125_000
    # Of the rows as many as fit, of the columns, which have no such bound, the title alone.
    assert "### `features`" in notes
    assert "And 8" in notes
    assert "`Back pain` | `Ache`" in notes
    assert "### `types`" not in notes
    assert notes.endswith("\nLeft out, for these notes would be too long: `types`.\n")


def test_same_output_twice(tmp_path: Path):
    """Catches an order that changes from run to run."""
    edits = [edit for what in ("row-added", "edge-removed", "maximum-removed", "title")
             for edit in planted(what)]  # fmt: skip
    new = build({"edits": edits}, tmp_path)
    for form in ("text", "markdown", "json"):
        first, second = (compare(BASE, new, "--format", form).stdout for _ in range(2))
        assert first == second


def rendered(text: str) -> str:
    """Markdown as HTML, by a renderer that is not ours."""
    return marko.Markdown(extensions=["gfm"]).convert(text)


def test_markdown_for_readers(tmp_path: Path):
    """Catches release notes without the table, the id, or the old and the new value."""
    edits = [MINOR, MAJOR, *planted("title"), *planted("larger-minimum"),
             edit("data/mappings.csv", ",Pain,1", ",Pain,0.9")]  # fmt: skip
    notes = compare(BASE, build(versioned("2.0.0", *edits), tmp_path), "--format", "markdown")
    expected = """\
## Changes from `1.2.3` to `2.0.0`

2 properties changed, 1 row removed, 1 row added, 1 value changed.

### The package

- `title`: `A small package` → `A tiny package`

### `features`

**Breaking.** 1 row removed:

| `feature_id` | `name` | id |
| --- | --- | --- |
| `weakness` | `Weakness` | not retired |

1 row added:

| `feature_id` | `name` |
| --- | --- |
| `soreness` | `Soreness` |

### `mappings`

1 value changed:

| `subject_id` | `object_id` | column | old | new |
| --- | --- | --- | --- | --- |
| `pain` | `HP:0012531` | `confidence` | `1` | `0.9` |

### `papers`

- **Breaking.** `minimum` of `year`: `1900` → `1950`
"""
    assert notes.stdout == expected
    assert rendered(notes.stdout).count("<table>") == 3


def test_markdown_of_tables_and_columns(tmp_path: Path):
    """Catches a table or a column that is added or removed and is not named."""
    for what, line in (
        ("table-removed", "### `types`\n\n- **Breaking.** table removed, with 1 row\n"),
        ("table-removed", "### `kinds`\n\n- table added, with 1 row\n"),
        ("column-removed", "- **Breaking.** `code`: column removed\n"),
        ("column-added", "- `note`: column added\n"),
        ("columns-in-another-order", "- order of columns changed: `[\"feature_id\", "),
        ("cell-emptied", "| `back_pain` | `reviewed` | `true` | *empty* |\n"),
        ("maximum-removed", "- `maximum` of `paragraph`: `9` → *empty*\n"),
        ("primary-key", '`["type_id"]` → `["type_id", "name"]`; rows are not compared\n'),
    ):  # fmt: skip
        new = build({"edits": planted(what)}, tmp_path / f"{what}{len(line)}")
        assert line in compare(BASE, new, "--format", "markdown").stdout


HOSTILE = [
    "a | b", "a \\| b", "`code` | x", "``", "` `` `", "<script>alert(1)</script>", "</code><b>x",
    "![x](http://x.example/y.png)", "[x](javascript:y)", "@somebody and #1 www.x.example",
    "**bold** _it_", "\\", "a\\", " padded ", "&lt;b&gt; &amp;", "line\nbreak\n\n# Title",
    "~~x~~", "\x1b[31m", "\u202e", "é|ü", "--> <!-- x",
]  # fmt: skip


class Page(HTMLParser):
    """Notes every tag, and the text of every cell."""

    def __init__(self):
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Note the tag; only a cell may have attributes."""
        self.tags.add(tag)
        assert tag in ("th", "td") or not attrs
        if tag == "td":
            self.cells.append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        """Note where a cell ends."""
        self.inside &= tag != "td"

    def handle_data(self, data: str) -> None:
        """Note the text of a cell."""
        if self.inside:
            self.cells[-1] += data


def test_cells_are_no_markup(tmp_path: Path):
    """Catches a cell that breaks its table or brings markup of its own into release notes."""
    quoted = ['"' + text.replace('"', '""') + '"' for text in HOSTILE]
    edits = [
        edit(FEATURES, ",,WKN\n", ",,WKN\n" + "".join(
            f"x{number:02},{text},,,\n" for number, text in enumerate(quoted))),
        edit("data/types.csv", "first symptom", quoted[0]),
        edit("data/papers.csv", "Journal of Pain,30A", f"{quoted[2]},30A"),
    ]  # fmt: skip
    notes = compare(BASE, build({"edits": edits}, tmp_path), "--format", "markdown").stdout
    assert "\x1b" not in notes
    assert "\u202e" not in notes

    reader = Page()
    reader.feed(rendered(notes))
    assert reader.tags <= {"h2", "h3", "p", "code", "em", "table", "thead", "tbody", "tr", "th",
                           "td", "strong"}  # fmt: skip
    shown = [cell.strip() for cell in reader.cells]
    for text in HOSTILE:
        visible = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
        assert visible.strip() in shown
    # Two columns a row, and nothing that ran over into another cell.
    assert sum(1 for cell in shown if re.fullmatch(r"x\d\d", cell)) == len(HOSTILE)


def test_needs_the_standard_library_alone():
    """Catches an import that fails without the set-up."""
    command = [sys.executable, "-P", "-S", SCRIPTS / "compare.py", BASE, BASE]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_answers():
    """Catches an option, an exit code or an example that help does not know."""
    text = compare("--help").stdout
    for word in ("--format", "--check", "--limit", "OLD", "NEW", "examples:", "HEAD~1"):
        assert word in text
    assert "exit code: 0 compared, 1 with --check" in text
