"""Drift of the source page: made-up sentences, recorded in a made-up package."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import PATIENCE, ROOT, snapshot
from pipeline import source_page
from published import rows

# The page as it was recorded: its sentences as their hashes are made, by paragraph.
RECORDED = {
    (1, 1): "Apples are a common fruit.",
    (1, 2): "They ripen in fall, e.g. in September.",
    (1, 3): "Some caf\u00e9s (see Table 1) serve them raw.",
    (2, 1): "Apart from pears, no fruit keeps longer.",
    (3, 1): "Cider needs juice.",
    (3, 2): "More than 95% of it is water.",
}
PAGE = """
Fruit in fall

Apples are a common **fruit**. They ripen in fall,
e.g. in September. Some cafe\u0301s (see Table 1)  serve them *raw* \u00b9\u207e.

Apart from pears, no fruit keeps longer.

Cider needs juice. More than 95% of it is water \u00b2\u207e\u00b3\u207e.

\u00b9\u207e

Smith J. Fruit. 2001.

\u00b2\u207e

Jones K. Juice. 2002.

Last update: **2020/01/02 03:04**
"""


def digest(sentence: str) -> str:
    """The hash of a sentence that is normalized already."""
    return hashlib.sha256(sentence.encode()).hexdigest()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with the recorded sentences; two statements rest on each, none on p2s1."""
    folder = tmp_path / "package"
    (folder / "data").mkdir(parents=True)
    (folder / "schemas").mkdir()
    passages = ["passage_id,paragraph,sentence,sha256"]
    statements = ["statement_id,passage_id"]
    for (paragraph, sentence), text in RECORDED.items():
        name = f"p{paragraph}s{sentence}"
        passages.append(f"{name},{paragraph},{sentence},{digest(text)}")
        if name != "p2s1":
            statements += [f"a-{name},{name}", f"b-{name},{name}"]
    resources = []
    for table, lines in (("source_passages", passages), ("statements", statements)):
        (folder / f"data/{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        fields = [{"name": name, "type": "string"} for name in lines[0].split(",")]
        (folder / f"schemas/{table}.json").write_text(json.dumps({"fields": fields}))
        resources.append(
            {"name": table, "path": f"data/{table}.csv", "schema": f"schemas/{table}.json"}
        )
    (folder / "datapackage.json").write_text(json.dumps({"resources": resources}))
    return folder


def drift(package: Path, page: str | bytes, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a page that comes from standard input."""
    raw = page.encode() if isinstance(page, str) else page
    command = [sys.executable, ROOT / "scripts/source_drift.py", "-", "--package", package]
    done = subprocess.run([*command, *arguments], input=raw, capture_output=True, timeout=PATIENCE)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


def found(package: Path, page: str) -> list[tuple]:
    """What has drifted: status, passage, and place on the page of today."""
    done = drift(package, page, "--format", "json")
    report = json.loads(done.stdout)
    result = [
        (
            each["status"],
            each["passage_id"],
            each["found"] and (each["found"]["paragraph"], each["found"]["sentence"]),
        )
        for each in report["sentences"]
        if each["status"] != "unchanged"
    ]
    assert report["drift"] == bool(result) == bool(done.returncode)
    assert sum(report["counts"].values()) == len(report["sentences"])
    assert report["counts"]["unchanged"] == len(report["sentences"]) - len(result)
    return result


BROWSER = re.sub(
    "[\u00b9\u00b2\u00b3]\u207e",
    lambda mark: {"\u00b9": "1)", "\u00b2": "2)", "\u00b3": "3)"}[mark[0][0]],
    PAGE.replace("*", ""),
)
WIKI = """====== Fruit in fall ======
Apples are a common [[fruit]]. They ripen in [[season|fall]],\\\\
e.g. in September. Some caf\u00e9s (see Table 1) serve them //raw// ((Smith J. //Fruit.// 2001.
{{pubmed>12}})).

===== Other =====

Apart from **pears**, no fruit keeps longer.

Cider needs juice. More than 95% of it is water ((Jones K. http://juice.example 2002.))((Roe.)).

~~DISCUSSION~~
"""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(PAGE, id="as recorded"),
        pytest.param(PAGE.replace("\n", "\r\n"), id="Windows"),
        pytest.param(PAGE.replace("\n", "\r"), id="old Mac"),
        pytest.param("\ufeff" + PAGE, id="byte-order mark"),
        pytest.param(PAGE.replace("\n\n", "\n \u00a0\t\n\n"), id="blank lines with white space"),
        pytest.param(PAGE.replace("Fruit in fall\n", ""), id="no heading"),
        pytest.param(PAGE.partition("\n\u00b9\u207e\n")[0], id="no references"),
        pytest.param(PAGE.replace("\u00b9\u207e\n\nSmith", "References\n\nSmith"), id="a title"),
        pytest.param(BROWSER, id="browser"),
        pytest.param(BROWSER.replace("2)3)", "[2] [3]"), id="other marks"),
        pytest.param(
            re.sub(r"\n\n+", "\n", BROWSER.replace("fall,\n", "fall, ")), id="no blank lines"
        ),
        pytest.param(BROWSER.replace("common", "com\u00admon\u200b"), id="invisible characters"),
        pytest.param("Trace: fruit\n\n" + PAGE, id="navigation"),
        pytest.param(PAGE.replace("fruit", "_fruit_"), id="another emphasis"),
        pytest.param(PAGE.replace("ri", "ri\u200e"), id="directions of writing"),
        pytest.param(re.sub("(?m)^(?=.)", "> ", PAGE), id="quoted in a mail"),
        pytest.param(PAGE.replace("common", "com-\nmon"), id="hyphens at line ends"),
        pytest.param(PAGE.replace("\n", "\u2028"), id="line separators"),
        pytest.param(PAGE.replace("\n\n", "\f"), id="form feeds"),
        pytest.param(WIKI, id="source of the wiki"),
    ],
)
def test_what_a_curator_pastes_is_recognized(package: Path, page: str):
    """Catches drift that is none: another way to copy the same page."""
    done = drift(package, page)
    assert done.stdout.splitlines()[-1] == "6 unchanged, 0 moved, 0 changed, 0 gone, 0 new"
    assert done.returncode == 0


def test_changed_sentence_is_named_with_its_statements(package: Path):
    """Catches a change that a curator cannot follow to the rows to review."""
    done = drift(package, PAGE.replace("95%", "96%"))
    new = "More than 96% of it is water."
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "changed: p3s2, paragraph 3, sentence 2; review a-p3s2, b-p3s2",
        f"    {new}",
        f"    sha256 {digest(new)}",
        "left out as a heading: 'Fruit in fall'",
        "left out as references and footer: 5 paragraphs",
        "5 unchanged, 0 moved, 1 changed, 0 gone, 0 new",
    ]


def test_json_has_hashes_and_no_wording(package: Path):
    """Catches wording of the page in a file that somebody commits."""
    done = drift(package, PAGE.replace("95%", "96%"), "--format", "json")
    assert "water" not in done.stdout
    changed = json.loads(done.stdout)["sentences"][-1]
    assert changed == {
        "status": "changed",
        "passage_id": "p3s2",
        "recorded": {"paragraph": 3, "sentence": 2, "sha256": digest(RECORDED[3, 2])},
        "found": {
            "paragraph": 3,
            "sentence": 2,
            "sha256": digest("More than 96% of it is water."),
        },
        "statements": ["a-p3s2", "b-p3s2"],
    }


CIDER = "Cider needs juice. "


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(CIDER, "", [("gone", "p3s1", None), ("moved", "p3s2", (3, 1))], id="gone"),
        pytest.param(
            CIDER,
            CIDER + "It keeps. ",
            [("moved", "p3s2", (3, 3)), ("new", None, (3, 2))],
            id="new between",
        ),
        pytest.param(
            "of it is water",
            "is water. It flows",
            [("changed", "p3s2", (3, 2)), ("new", None, (3, 3))],
            id="changed and new",
        ),
        pytest.param(
            "Apart from pears, no fruit keeps longer.\n\nCider needs juice.",
            "Cider needs pears.",
            [("changed", "p2s1", (2, 1)), ("gone", "p3s1", None), ("moved", "p3s2", (2, 2))],
            id="two become one",
        ),
        pytest.param(
            "Apart from pears, no fruit keeps longer.",
            "",
            [("gone", "p2s1", None), ("moved", "p3s1", (2, 1)), ("moved", "p3s2", (2, 2))],
            id="a paragraph less",
        ),
        pytest.param(
            CIDER, CIDER + CIDER, [("moved", "p3s2", (3, 3)), ("new", None, (3, 2))], id="twice"
        ),
        pytest.param(
            "longer.\n\nCider",
            "longer. Cider",
            [("moved", "p3s1", (2, 2)), ("moved", "p3s2", (2, 3))],
            id="paragraphs joined",
        ),
        pytest.param(
            "e.g. in",
            "esp. In",
            [("changed", "p1s2", (1, 2)), ("moved", "p1s3", (1, 4)), ("new", None, (1, 3))],
            id="split after an abbreviation",
        ),
        pytest.param(
            "raw* \u00b9\u207e.",
            "raw* \u00b9\u207e. Or baked?",
            [("new", None, (1, 4))],
            id="question",
        ),
    ],
)
def test_drift(package: Path, old: str, new: str, expected: list[tuple]):
    """Catches a kind of drift that is taken for another."""
    assert PAGE.count(old) == 1
    assert found(package, PAGE.replace(old, new)) == expected


def test_sentence_that_changed_places_has_moved(package: Path):
    """Catches a sentence that is called gone although it stands elsewhere."""
    page = PAGE.replace(CIDER, "").replace("Apples", CIDER + "Apples")
    assert ("moved", "p3s1", (1, 1)) in found(package, page)
    text = drift(package, page).stdout
    line = "moved: p3s1, paragraph 3, sentence 1, now paragraph 1, sentence 1; renumber it for "
    assert line + "a-p3s1, b-p3s1" in text


def test_another_page_has_changed_into_nothing(package: Path):
    """Catches sentences of another page that are called changes of this one."""
    found_here = found(package, "Bananas are yellow. They bend.")
    assert [status for status, _, _ in found_here] == ["gone"] * 6 + ["new"] * 2
    text = drift(package, "Bananas are yellow. They bend.").stdout
    assert "gone: p2s1, paragraph 2, sentence 1; review no statement" in text
    assert "new: paragraph 1, sentence 2; no statement rests on it" in text


def test_text_cannot_command_a_terminal(package: Path):
    """Catches an escape code of the page that reaches the terminal."""
    done = drift(package, PAGE.replace("water", "\033[31mwater"))
    assert "\033" not in done.stdout
    assert r"\x1b[31mwater" in done.stdout


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (b"", "no sentence in standard input"),
        (b" \n\r\n\t\n", "no sentence in standard input"),
        (b"Only a heading", "no sentence in standard input"),
        (b"PK\x03\x04\0\0", "is no plain text"),
        ("Fruit.".encode("utf-16"), "is no plain text"),
        (b"Fruit.\nCaf\xe9s.", "is not in UTF-8 on line 2"),
        (b"<!DOCTYPE html>\n<p>Fruit.</p>", "looks like HTML"),
        (b"<p>Fruit is <b>good</b>.</p>", "looks like HTML"),
        (b"<br>Fruit is good.<br/>", "looks like HTML"),
        ("Fruit.\nCaf\ufffd is good.".encode(), "has a character on line 2 that a program"),
        (b"Fruit. " * 40_000, "is larger than 262,144 bytes"),
    ],
)
def test_page_that_is_none(package: Path, page: bytes, words: str):
    """Catches a page that cannot be read and passes, or ends in a traceback."""
    done = drift(package, page)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_page_in_a_file(package: Path, tmp_path: Path):
    """Catches a file that is not read, and one that is written."""
    (tmp_path / "page.txt").write_text(PAGE, encoding="utf-8")
    before = snapshot(tmp_path)
    command = [sys.executable, ROOT / "scripts/source_drift.py", "--package", package]
    done = subprocess.run([*command, tmp_path / "page.txt"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert snapshot(tmp_path) == before
    for name, words in (
        *(("nowhere", "No such file"), ("package", "is a folder")),
        (os.devnull, "is a pipe or a device"),
    ):
        done = subprocess.run([*command, tmp_path / name], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("datapackage.json", '"statements"', '"claims"', "table statements: there is none"),
        (
            "datapackage.json",
            '"source_passages"',
            '"pages"',
            "table source_passages: there is none",
        ),
        ("datapackage.json", "{", "", "datapackage.json:1: "),
        ("data/source_passages.csv", "sha256", "md5", "data/source_passages.csv:1: "),
        ("schemas/source_passages.json", '"sha256"', '"md5"', "has no field sha256"),
        ("schemas/source_passages.json", '"string"', '"any"', "[schema-unsupported]; validate"),
        ("data/source_passages.csv", "p1s1,1,1,", "p1s1,one,1,", "'one'"),
        ("data/source_passages.csv", "p1s1,1,1,", "p1s1,1,", "data/source_passages.csv:2: "),
        ("data/statements.csv", "a-p1s1", "a-\udcff", "data/statements.csv:2: "),
        ("data/source_passages.csv", r"\np[^$]*", "\n", "source_passages has no rows"),
    ],
)
def test_package_without_passages(package: Path, file: str, old: str, new: str, words: str):
    """Catches a package with nothing to compare that looks like a page without drift."""
    path = package / file
    text, count = re.subn(old, lambda _: new, path.read_text(encoding="utf-8"), count=1)
    assert count == 1
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    done = drift(package, PAGE)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_table_that_is_a_pipe(package: Path):
    """Catches a run that hangs on a file that never ends."""
    (package / "data/statements.csv").unlink()
    os.mkfifo(package / "data/statements.csv")
    done = drift(package, PAGE)
    assert done.returncode == 2
    assert "'data/statements.csv' cannot be read [file-missing]" in done.stderr


def test_package_of_this_repository_is_the_default():
    """Catches a default that is not the package beside the script."""
    command = [sys.executable, ROOT / "scripts/source_drift.py", "-"]
    done = subprocess.run(command, input="Fruit.", capture_output=True, text=True)
    assert done.returncode == 1
    recorded = len(rows("source_passages"))
    last = f"0 unchanged, 0 moved, 0 changed, {recorded} gone, 1 new"
    assert done.stdout.splitlines()[-1] == last


def test_help_says_what_the_exit_codes_mean():
    """Catches a help that leaves a script guessing."""
    command = [sys.executable, ROOT / "scripts/source_drift.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "exit code: 0 the page is as recorded, 1 it has changed, 2 could not run" in done.stdout


@given(st.text(alphabet="aBe\u0301\u00e9.*1) \t\n\u00a0\u2000\u00b9\u2070\u2074\u2079\u207e"))
def test_hash_is_the_one_that_the_guide_describes(sentence: str):
    """Catches a normalization that is done otherwise than docs/curation.md says."""
    guide = (ROOT / "docs/curation.md").read_text(encoding="utf-8")
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", guide, re.DOTALL)[1], names)
    mine = source_page.sha256_of(source_page.normalized(sentence))
    assert mine == names["passage_hash"](sentence)


@pytest.mark.parametrize(
    "text",
    [
        "Don\u2019t say \u201cripe\u201d.",
        "Don&#8217;t&nbsp;say &ldquo;ripe&rdquo;.",
        "Don`t say \u201eripe\u201c.",
        "Don\u2032t say \u00abripe\u00bb.",
    ],
)
def test_quotes_and_entities(text: str):
    """Catches drift where a word processor or a converter only changed the quotes."""
    known = {digest('Don\'t say "ripe".')}
    assert [each.sha256 for each in source_page.read(text, known).sentences] == [*known]


@pytest.mark.parametrize(
    ("recorded", "printed"),
    [
        ("It is first, and e-mail... ends.", "It is \ufb01rst, and e\u2011mail\u2026 ends."),
        ("A caf\u00e9 is good.", "A caf\u00e9 is good.".encode().decode("cp1252")),
    ],
)
def test_what_a_program_made_of_letters(recorded: str, printed: str):
    """Catches drift where only letters and dashes were set for print, or bytes misread."""
    text = source_page.decoded(printed.encode(), "page.txt")
    found = source_page.read(text, {digest(recorded)}).sentences
    assert [each.sha256 for each in found] == [digest(recorded)]
