"""From a paper to a row, and back: scripts/papers.py on exports that we made up.

A file in tests/papers/add is read into a copy of the package whose table of citations is empty;
the JSON file of its name has the rows and the remarks that must come of it. What is in
tests/papers/hostile must end with a message, and leave everything as it was.
"""

import contextlib
import csv
import json
import os
import re
import shutil
import subprocess
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from commands import ROOT, run, snapshot
from exports import nbib
from pipeline.formats import bibliography
from pipeline.issue import CannotRun
from pipeline.papers import reading
from pipeline.papers.cells import cells_of
from pipeline.papers.report import KINDS

PAPERS = ROOT / "tests" / "papers"
# A finding with some cells, an abstract, and what becomes of each number of the finding.
FIGURES = json.loads((PAPERS / "figures.json").read_text(encoding="utf-8"))
SCHEMA = ROOT / "schemas" / "reports" / "papers.schema.json"
ADDED = sorted(path for path in (PAPERS / "add").iterdir() if not path.name.endswith(".expected"))
FILES = ("citations.bib", "citations.csl.json", "citations.ris")
# What a format of a release has no field for.
UNSAID = {
    "citations.bib": {"study_design", "pii", "published_online"},
    "citations.csl.json": {"study_design", "pii"},
    "citations.ris": {"study_design", "pii", "published_online"},
}


def papers(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run scripts/papers.py."""
    return run("papers.py", *arguments, **options)


def report(*arguments: object) -> dict:
    """What it says as JSON, which its documented form allows."""
    done = papers(*arguments, "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(found)
    return found


def remarks(found: dict) -> list[str]:
    """The remarks as line:field [kind] id, those on nothing but success left out."""
    return [
        "{line}:{field} [{kind}] {citation_id}".format(**each).strip()
        for each in found["remarks"]
        if each["kind"] not in ("added", "unchanged", "new-journal")
    ]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package."""
    folder = tmp_path / "package"
    folder.mkdir()
    shutil.copy(ROOT / "datapackage.json", folder)
    for name in ("data", "schemas"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture
def empty(package: Path) -> Path:
    """A copy of the package without a paper."""
    table = package / "data" / "citations.csv"
    table.write_text(table.read_text(encoding="utf-8").split("\n")[0] + "\n", encoding="utf-8")
    return package


def rows(package: Path) -> dict[str, dict[str, str]]:
    """The filled cells of each paper."""
    with (package / "data" / "citations.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["citation_id"]: {k: v for k, v in row.items() if v and k != "citation_id"}
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("path", ADDED, ids=lambda path: path.name)
def test_papers_are_added(path: Path, empty: Path):
    """Catches a cell that is read wrongly, and a paper that is not named when it is left out."""
    expected = json.loads(path.with_name(f"{path.name}.expected").read_text(encoding="utf-8"))
    found = report("add", path, "--package", empty)
    assert rows(empty) == expected["rows"]
    assert remarks(found) == expected["remarks"]


@pytest.mark.parametrize("name", FILES)
def test_release_comes_back(name: str, released: Path, empty: Path):
    """Catches a cell that is lost or changed on its way through a reference manager's format."""
    before = (ROOT / "data" / "citations.csv").read_text(encoding="utf-8")
    assert papers("add", released / name, "--package", empty).returncode == 0
    after = (empty / "data" / "citations.csv").read_text(encoding="utf-8")
    assert before.split("\n")[0] == after.split("\n")[0]

    def said(text: str) -> list[dict[str, str]]:
        parsed = csv.DictReader(text.splitlines())
        return [{k: v for k, v in row.items() if k not in UNSAID[name]} for row in parsed]

    assert said(after) == said(before)


@pytest.mark.parametrize("name", FILES)
def test_release_completes_nothing_here(name: str, released: Path, package: Path):
    """Catches a paper that is not recognized, or a cell that differs from itself."""
    before = snapshot(package)
    found = report("add", released / name, "--package", package)
    assert set(found["counts"]) == {"unchanged"}
    assert snapshot(package) == before


def some(*names: str) -> list[dict[str, str]]:
    """Papers of the package, all cells included."""
    with (ROOT / "data" / "citations.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["citation_id"] in names or not names]


def written(folder: Path, text: str, name: str = "export.nbib") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_empty_cells_are_filled_and_others_left_alone(package: Path, tmp_path: Path):
    """Catches a cell that is overwritten, and one that could have been filled and was not."""
    text = nbib(some("cole-2008"), VI="8", PMC="PMC99", DEP="20080422")
    found = report("add", written(tmp_path, text), "--package", package)
    before = rows(ROOT)["cole-2008"]
    after = before | {"pmcid": "PMC99", "published_online": "2008-04-22"}
    assert rows(package) == rows(ROOT) | {"cole-2008": after}
    (differing,) = (each for each in found["remarks"] if each["kind"] == "differs")
    assert (differing["field"], differing["ours"], differing["theirs"]) == ("volume", "7", "8")
    assert found["counts"] == {"differs": 1, "completed": 1}


def test_everything_else_in_the_table_stays(package: Path, tmp_path: Path):
    """Catches a table that is written in another form than validate.py --fix would."""
    paper = written(tmp_path, nbib(some("cole-2008"), TI="Of its own.", PMID="9", LID="", AID=""))
    assert papers("add", paper, "--package", package).returncode == 0
    before = (ROOT / "data" / "citations.csv").read_text(encoding="utf-8").splitlines()
    after = (package / "data" / "citations.csv").read_text(encoding="utf-8").splitlines()
    (new,) = set(after) - set(before)
    assert new.startswith("cole-2008b,")
    assert [line for line in after if line != new] == before
    fixed = run("validate.py", "--fix", "--quick", package)
    assert "data/citations.csv" not in fixed.stderr
    # A paper that nothing refers to, and whose study design nobody has said yet.
    assert "[unused-row]" in fixed.stdout
    assert "[required]" in fixed.stdout
    assert fixed.stdout.splitlines()[-1].startswith("2 faults")


def test_identifiers_of_two_papers_are_refused(package: Path, tmp_path: Path):
    """Catches cells of one paper that end up in the row of another."""
    before = snapshot(package)
    text = nbib(some("cole-2008"), PMID="2096606")  # that of bach-1990
    done = papers("add", written(tmp_path, text), "--package", package)
    assert done.returncode == 1
    assert "its identifiers are those of cole-2008 and bach-1990" in done.stdout
    assert snapshot(package) == before


def test_retracted_paper_is_named_even_where_it_is_there(package: Path, tmp_path: Path):
    """Catches a retraction that is passed over because the paper is known."""
    before = snapshot(package)
    text = nbib(some("cole-2008"), RIN="Lancet Neurol. 2009 Jan;8(1):1.", PMC="PMC99")
    done = papers("add", written(tmp_path, text), "--package", package)
    assert done.returncode == 1
    assert "cole-2008: refused: the paper was retracted (Lancet Neurol. 2009 Jan" in done.stdout
    assert snapshot(package) == before


def test_retracted_paper_can_be_allowed(empty: Path):
    """Catches a retraction that is allowed and then forgotten."""
    path = PAPERS / "add" / "refused.nbib"
    done = papers("add", path, "--package", empty, "--allow-retracted")
    assert done.returncode == 1
    assert "taken in: the paper was retracted" in done.stdout
    found = rows(empty)
    assert found["forger-2031"]["note"].startswith("Retracted: Fables. 2032 Feb;8(2):99.")
    assert found["worry-2031"]["note"].startswith("Expression of concern: Fables. 2032 Mar")
    assert not any(name.startswith("editor") for name in found)  # the notice itself


def test_dry_run_writes_nothing(empty: Path):
    """Catches a dry run that is none."""
    before = snapshot(empty)
    done = papers("add", PAPERS / "add" / "traps.nbib", "--package", empty, "--dry-run")
    assert "5 added" in done.stdout
    assert "nothing was written" in done.stdout
    assert snapshot(empty) == before


def test_id_that_was_retired_is_not_used_again(empty: Path):
    """Catches a new paper under an id that stands in other people's data for another one."""
    with (empty / "data" / "retired_ids.csv").open("a", encoding="utf-8") as file:
        file.write("citations,lecki-2031,,0.3.0,It was another paper.\n")
    papers("add", PAPERS / "add" / "traps.nbib", "--package", empty)
    assert "lecki-2031b" in rows(empty)
    assert "lecki-2031" not in rows(empty)


@pytest.mark.parametrize("path", sorted((PAPERS / "hostile").iterdir()), ids=lambda p: p.name)
def test_hostile_file_ends_with_a_message(path: Path, empty: Path):
    """Catches a file that ends in a traceback, or of which a half is written."""
    before = snapshot(empty)
    done = papers("add", PAPERS / "add" / "traps.ris", path, "--package", empty)
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "internal fault" not in done.stderr
    assert snapshot(empty) == before


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing.nbib", "No such file or directory"),
        (".", "is a folder"),
        (os.devnull, "is a pipe or a device"),
    ],
)
def test_what_is_no_file_is_said(name: str, why: str, empty: Path):
    """Catches a path that cannot be opened and is not named."""
    done = papers("add", name, "--package", empty)
    assert (done.returncode, done.stderr) == (2, f"papers.py: {name}: {why}\n")


def test_file_that_is_a_link(empty: Path, tmp_path: Path):
    """Catches a file that its user keeps behind a link, hidden, and cannot name."""
    (tmp_path / ".new.ris").symlink_to(PAPERS / "add" / "traps.ris")
    done = papers("add", tmp_path / ".new.ris", "--package", empty, "--dry-run")
    assert " added" in done.stdout, done.stderr


def test_table_that_is_not_in_order_is_left_alone(package: Path):
    """Catches a table with a defect that is written over."""
    table = package / "data" / "citations.csv"
    table.write_text(table.read_text(encoding="utf-8") + "ragged,row\n", encoding="utf-8")
    before = snapshot(package)
    done = papers("add", PAPERS / "add" / "traps.ris", "--package", package)
    assert done.returncode == 2
    assert f"data/citations.csv:{len(rows(package)) + 1}: " in done.stderr
    assert "[ragged-row]; validate and repair the package first" in done.stderr
    assert snapshot(package) == before


@pytest.mark.parametrize("text", ["abc", "NaN", "Infinity", "-", "(1/0)"])
def test_figure_that_is_none_is_named(text: str, package: Path, tmp_path: Path):
    """Catches a cell with a defect that looks like one of the command."""
    table = package / "data/findings.csv"
    with open(table, encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        row["value"] = text
    with open(table, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    every = nbib(some(*{row["citation_id"] for row in found}), AB="In all, 12% and 1,000 of them.")
    done = papers("check", written(tmp_path, every), "--package", package)
    assert done.returncode == 2
    assert "schemas/findings.json" in done.stderr or "data/findings.csv:2" in done.stderr
    assert "validate and repair it first" in done.stderr


@pytest.mark.parametrize("command", ["add", "check", "links"])
def test_field_that_is_not_there_is_named(command: str, package: Path, tmp_path: Path):
    """Catches a package of another kind that ends in an internal fault."""
    export = written(tmp_path, nbib(some("cole-2008")))
    for path in (*package.glob("schemas/*.json"), *package.glob("data/*.csv")):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("citation_id", "paper_id"), encoding="utf-8")
    assert run("validate.py", package, "--fix", "--quick").returncode == 0
    files = [] if command == "links" else [export]
    done = papers(command, *files, "--package", package)
    assert done.returncode == 2
    assert "no table of the package has the field 'citation_id'" in done.stderr


@settings(max_examples=300)
@given(st.data())
def test_broken_file_is_read_or_refused(data: st.DataObject):
    """Catches an input on which reading fails in another way than with a message."""
    raw = data.draw(st.sampled_from([path.read_bytes() for path in ADDED]))
    place = data.draw(st.integers(0, len(raw)))
    cut = data.draw(st.integers(0, 40))
    bits = [b"", b"{", b"}", b'"', b"\\", b"\n", b"null", b"[]", b"$", b"@", b"ER  - ", b", Jr"]
    with tempfile.NamedTemporaryFile() as file:
        file.write(raw[:place] + data.draw(st.sampled_from(bits)) + raw[place + cut :])
        file.flush()
        with contextlib.suppress(CannotRun):
            for record in reading.read(file.name):
                for text in cells_of(record).values():
                    assert text == text.strip() != ""
                    assert "\n" not in text


def test_ten_thousand_papers(empty: Path, tmp_path: Path):
    """Catches a paper that is lost, or an id that is given twice, where there are many."""
    model = some("cole-2008")[0] | {"pii": "", "issn": "", "pmcid": ""}
    many = [
        model
        | {"pmid": str(50_000_000 + n), "doi": f"10.9999/{n}", "title": f"Paper {n}"}
        | {"authors": f"{family(n // 20)} A"}
        for n in range(10_000)
    ]
    path = written(tmp_path, nbib(many))
    done = papers("add", path, "--package", empty)
    assert done.stdout.splitlines()[-1].startswith("10,000 added, 0 completed, 0 unchanged")
    found = rows(empty)
    assert len(found) == 10_000
    assert {row["title"] for row in found.values()} == {row["title"] for row in many}
    assert {name[-1] for name in found} == {"8", *"bcdefghijklmnopqrst"}
    again = papers("check", path, "--package", empty).stdout
    assert again.splitlines()[-1].startswith("10,000 of 10,000 papers are in the export; 0 cells")


def family(number: int) -> str:
    """A family name for each number."""
    return "Q" + "".join(chr(97 + number // 26**place % 26) for place in range(3))


def findings() -> list[dict[str, str]]:
    """The findings of the package."""
    with (ROOT / "data" / "findings.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def checked(path: Path, *options: str) -> dict:
    """What a check of this package against an export says."""
    return report("check", path, *options)


def test_paper_that_agrees_has_nothing_to_say(tmp_path: Path):
    """Catches a paper that is blamed for how PubMed spells it."""
    known = [row for row in some() if row["pmid"]]
    found = checked(written(tmp_path, nbib(known)))
    kinds = {"differs", "can-be-completed", "missing", "not-in-table", "retraction"}
    assert not kinds & found["counts"].keys()
    assert found["counts"]["not-in-export"] == len(some()) - len(known)


# What PubMed says of a paper instead of what is here, and what has to be said of it.
DIFFERENCES = [
    ("VI", "8", "volume [differs]"),
    ("PG", "459-67", "pages [differs]"),
    ("DP", "1999 May", "year [differs]"),
    ("LID", "10.9999/other [doi]", "doi [differs]"),
    ("TI", "Another title.", "title [differs]"),
    ("AU", "Other KS", "authors [differs]"),
    ("IS", "1999-9992 (Linking)", "issn [differs]"),
    ("JT", "Another journal", "journal [differs]"),
    ("PMID", "77", "pmid [differs]"),
    ("PMC", "PMC99", "pmcid [can-be-completed]"),
    ("RIN", "Lancet Neurol. 2009;8:1.", "[retraction]"),
    ("PT", "Retracted Publication", "[retraction]"),
    ("ECI", "Lancet Neurol. 2009;8:2.", "[concern]"),
    ("EIN", "Lancet Neurol. 2009;8:3.", "[erratum]"),
]


def test_planted_difference_is_found(tmp_path: Path):
    """Catches a cell of a paper that is not compared, and a retraction that is not seen."""
    filled = [
        row
        for row in some()
        if all(row[n] for n in ("volume", "pages", "doi", "pmid", "issn")) and not row["pmcid"]
    ]
    planted = list(zip(filled, DIFFERENCES, strict=False))
    assert len(planted) == len(DIFFERENCES)
    text = "\n".join(nbib([row], **{tag: value}) for row, (tag, value, _) in planted)
    found = checked(written(tmp_path, text))
    kinds = ("no-abstract", "missing", "not-in-export")
    said = [
        f"{each['field']} [{each['kind']}]".strip() + f" {each['citation_id']}"
        for each in found["remarks"]
        if each["kind"] not in kinds
    ]
    assert sorted(said) == sorted(
        f"{remark} {row['citation_id']}" for row, (_, _, remark) in planted
    )


def test_strict_fails_on_a_warning_alone(tmp_path: Path):
    """Catches a check that never fails, or always."""
    known = [row | {"abstract": "None."} for row in some() if row["pmid"]]
    path = written(tmp_path, nbib(known))
    assert papers("check", path).returncode == 0
    assert papers("check", path, "--strict").returncode == 1  # no figure is in such an abstract
    path = written(tmp_path, nbib(row | {"abstract": ""} for row in known))
    assert papers("check", path, "--strict").returncode == 0
    path = written(tmp_path, nbib(known[1:]))
    assert papers("check", path, "--strict").returncode == 1
    assert "is not in the export [missing]" in papers("check", path).stdout


def spelled(text: str, unit: str, style: str) -> str:
    """A number as a paper of a certain style prints it."""
    if style == "words" and text.isdigit():
        return f"{_words(int(text))}{' per cent' if unit == 'percent' else ''}"
    if style == "fraction" and unit == "percent" and 0 < float(text) <= 100:
        return str(Decimal(text) / 100)
    if style == "continental":
        text = text.replace(".", "·")
    if text.isdigit() and len(text) > 3:
        text = f"{int(text):,}" if style != "continental" else f"{int(text):,}".replace(",", " ")
    return f"{text}{' %' if style == 'continental' else '%'}" if unit == "percent" else text


def _words(number: int) -> str:
    ones = re.findall(
        r"\w+",
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen",
    )
    tens = re.findall(r"\w+", "_ _ twenty thirty forty fifty sixty seventy eighty ninety")
    if number < 20:
        return ones[number]
    if number < 100:
        return tens[number // 10] + (f"-{ones[number % 10]}" if number % 10 else "")
    if number < 1000:
        rest = f" and {_words(number % 100)}" if number % 100 else ""
        return f"{ones[number // 100]} hundred{rest}"
    rest = f" {_words(number % 1000)}" if number % 1000 else ""
    return f"{_words(number // 1000)} thousand{rest}"


@pytest.mark.parametrize("style", ["plain", "continental", "words", "fraction"])
def test_every_figure_is_found_in_an_abstract_that_prints_it(style: str, tmp_path: Path):
    """Catches a figure that is not found in one of the spellings of papers."""
    sentences: dict[str, list[str]] = {}
    expected = set()
    for row in findings():
        percent = "percent" in row["measure"] or row["measure"] == "post_test_probability"
        unit = "percent" if percent else "days" if row["measure"].endswith("days") else "plain"
        if row["derivation"].startswith("100 - "):
            wanted = [("derivation", row["derivation"][6:], unit)]
            wanted += [("n_total", row["n_total"], "count")] if row["n_total"] else []
        elif row["derivation"]:
            wanted = [("derivation", n, "count") for n in re.findall(r"\d+", row["derivation"])]
        else:
            wanted = [(f, row[f], unit) for f in ("value", "lower", "upper") if row[f]]
            wanted += [(f, row[f], "count") for f in ("n_events", "n_total") if row[f]]
        for field, text, kind in wanted:
            said = spelled(text, kind, style)
            suffix = " days" if kind == "days" else ""
            sentences.setdefault(row["citation_id"], []).append(f"We saw {said}{suffix} there.")
            expected.add((row["finding_id"], field, text))
    known = [
        row | {"abstract": " ".join(sentences.get(row["citation_id"], ["None."]))} for row in some()
    ]
    done = checked(written(tmp_path, nbib(row | {"pmid": row["pmid"] or "1"} for row in known)))
    found = {
        (each["finding_id"], each["field"], each["ours"])
        for each in done["remarks"]
        if each["kind"] == "figure-found"
    }
    assert expected - found == set()
    assert not {"figure-not-found", "figure-unsure", "no-abstract"} & done["counts"].keys()


def test_figures_in_abstracts(package: Path, tmp_path: Path):
    """Catches a spelling that is not known, and a number that is taken for another one."""
    table = package / "data" / "findings.csv"
    names = table.read_text(encoding="utf-8").split("\n")[0].split(",")
    known = [row for row in some() if row["pmid"]]
    rows_, exports, expected = [names], [], {}
    for number, (paper, case) in enumerate(zip(known, FIGURES, strict=False)):
        row = {"finding_id": f"f{number:03}", "citation_id": paper["citation_id"]}
        row |= {"measure": "percentage", "source_part": "abstract", **case["cells"]}
        rows_.append([row.get(name, "") for name in names])
        exports.append(nbib([paper], AB=case["abstract"].replace("\n", "\n      ")))
        expected[row["finding_id"]] = case
    assert len(expected) == len(FIGURES)
    table.write_text("".join(",".join(row) + "\n" for row in rows_), encoding="utf-8")
    found = report("check", written(tmp_path, "\n".join(exports)), "--package", package)
    told: dict[str, list[dict]] = {name: [] for name in expected}
    for each in found["remarks"]:
        if each["kind"].startswith("figure-"):
            told[each["finding_id"]].append(each)
    for name, case in expected.items():
        assert [e["kind"] for e in told[name]] == [f"figure-{v}" for v in case["verdicts"]], case
        for each in told[name]:
            assert each["around"] in case["abstract"].replace("\n", " ")
            assert bool(each["around"]) == (each["kind"] in ("figure-found", "figure-unsure"))


def test_nothing_of_an_abstract_is_written(empty: Path):
    """Catches words of an abstract, whose rights are others', in the package."""
    for path in ADDED:
        papers("add", path, "--package", empty)
    everything = b"".join(snapshot(empty).values())
    assert b"imagined 1,172" not in everything
    assert b"radicular pain" in (PAPERS / "add" / "traps.nbib").read_bytes()
    assert "Back pain was present" not in (empty / "data" / "citations.csv").read_text("utf-8")


def test_github_shows_what_asks_for_a_look(tmp_path: Path):
    """Catches an annotation that GitHub would not take, or that has no place in the package."""
    path = written(tmp_path, nbib(some("cole-2008"), VI="8"))
    lines = papers("check", path, "--format", "github").stdout.splitlines()
    place = next(n for n, row in enumerate(some(), 2) if row["citation_id"] == "cole-2008")
    start = f"::warning file=data/citations.csv,line={place},title=differs volume::cole-2008: '7'"
    assert any(line.startswith(start) for line in lines)
    assert not any(line.startswith("::info") for line in lines)


def test_every_kind_of_remark_is_documented():
    """Catches a kind that the documented form of the JSON does not have."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert schema["$defs"]["kind"]["enum"] == list(KINDS)


def test_links_name_every_paper():
    """Catches a paper that the query for PubMed or the list of DOIs leaves out."""
    found = json.loads(papers("links", "--format", "json").stdout)
    schema = (SCHEMA.parent / "links.schema.json").read_text(encoding="utf-8")
    Draft202012Validator(json.loads(schema)).validate(found)
    terms = found["pubmed_query"].split(" OR ")
    for row in some():
        if row["pmid"]:
            assert f"{row['pmid']}[pmid]" in terms
        elif row["doi"]:
            assert f'"{row["doi"]}"[doi]' in terms
        else:
            assert row["citation_id"] in found["without"]
        assert not row["doi"] or row["doi"] in found["dois"]
    shown = papers("links").stdout
    assert found["pubmed_query"] in shown.splitlines()
    assert set(found["dois"]) <= set(shown.splitlines())


NAMES = (
    "van der Invent JP; Brown AB III; Smith JP Jr; Ivanov II; Hinder V; Van den Brande R; "
    "O'Fable N; Kjær-Sørensen Å; Müller; EORTC 22952-26001 Study Group UK; AO Spine; De la O J; "
    "Team USA; Board J; others"
)
TITLE = r"{Names} of $x^2$ ~ \alpha, 100% #1 a_b & {} -- it's ``so''; \{ \textbf{b} and } alone"


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_name_comes_back(name: str, empty: Path, tmp_path: Path):
    """Catches a name or a sign that a format of the release turns into another."""
    rendered = dict(
        zip(FILES, (bibliography.bibtex, bibliography.csl_json, bibliography.ris), strict=True)
    )
    row = {"citation_id": "van-der-invent-2031", "type": "article-journal", "authors": NAMES}
    row |= {"title": TITLE, "journal": "Fables", "journal_abbreviation": "Fables", "year": 2031}
    papers("add", written(tmp_path, rendered[name]([row]), name), "--package", empty)
    found = rows(empty)["van-der-invent-2031"]
    assert (found["authors"], found["title"]) == (NAMES, TITLE)
