"""The command line: exit codes, formats, limits, and what it says when it cannot run."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cases import broken, build, refresh, zipped
from commands import FAST, PACKAGES, ROOT, SCRIPT, SCRIPTS, issues, validate
from published import RESOURCES, SCHEMAS, rows

BASE = PACKAGES / "base"


def test_text_says_file_line_field_rule_and_repair(tmp_path: Path):
    """Catches a message that a person cannot act on."""
    done = validate(broken("count-exceeds-total/more-than-all", tmp_path), "--quick")
    first, repair, last = done.stdout.splitlines()
    assert done.returncode == 1
    assert first == (
        "data/findings.csv:2:n_events: error: 5 events, but 4 in total [count-exceeds-total]"
    )
    assert repair.strip() == "repair: check both counts in the paper"
    assert re.fullmatch(r"1 fault: checked 7 tables, 20 rows, \d+ cells with \d+ rules", last)


def test_last_line_counts_what_was_checked():
    """Catches a run that checked nothing and looks like a pass."""
    sizes = [(len(rows(name)), len(SCHEMAS[name]["fields"])) for name in RESOURCES]
    number, cells = sum(size for size, _ in sizes), sum(size * width for size, width in sizes)
    what = f"valid: checked {len(RESOURCES)} tables, {number:,} rows, {cells:,} cells"
    assert re.fullmatch(rf"{what} with [0-9]+ rules\n", validate("--quick").stdout)


def test_json_is_as_its_schema_says(tmp_path: Path):
    """Catches a report that breaks its documented form."""
    schema = json.loads((ROOT / "schemas/reports/report.schema.json").read_text(encoding="utf-8"))
    for package in (BASE, broken("row-order/two-swapped", tmp_path)):
        report = json.loads(validate(package, "--quick", "--format", "json").stdout)
        Draft202012Validator(schema).validate(report)


def test_github_annotations_name_the_file_from_the_working_folder(tmp_path: Path):
    """Catches annotations that GitHub cannot place, or that a message breaks."""
    package = broken("typographic-character/dash", tmp_path)
    done = validate(package, "--quick", "--format", "github", cwd=tmp_path)
    assert done.stdout.startswith(
        "::error file=package/data/types.csv,line=2,title=typographic-character onset::"
    )
    assert done.stdout.count("\n") == 1


def test_all_faults_in_stable_order(tmp_path: Path):
    """Catches a run that stops at the first fault, or lists them in another order each time."""
    package = broken("primary-key/part-empty", tmp_path)
    table = package / "data/types.csv"
    table.write_text(table.read_text().replace("partial", "some "))
    first, second = validate(package, "--quick").stdout, validate(package, "--quick").stdout
    assert first == second
    places = [line for line in first.splitlines() if "error:" in line]
    assert len({line.split(":")[0] for line in places}) == 2
    assert places == sorted(places, key=lambda line: (line.split(":")[0], int(line.split(":")[1])))


def test_limit_is_said(tmp_path: Path):
    """Catches faults that vanish in silence."""
    package = tmp_path / "package"
    shutil.copytree(BASE, package)
    with open(package / "data/papers.csv", "a", encoding="utf-8") as file:
        file.writelines("x,,,,,,,,,,,\n" for _ in range(300))
    done = validate(package, "--quick", "--rule", "required", "--limit", "2")
    assert done.stdout.count("300 of 302 cells are refused, the first on line 4") == 2
    assert "and 1 more [required]; --limit 0 shows all" in done.stdout
    assert "3 faults" in done.stdout
    done = validate(package, "--quick", "--rule", "required", "--limit", "0")
    assert done.stdout.count("[required]") == 900


def test_rule_and_skip(tmp_path: Path):
    """Catches a choice of rules that is not followed."""
    package = broken("primary-key-missing/not-first", tmp_path)
    assert issues(package, "--quick", "--rule", "row-order") == [
        "data/mappings.csv:4:object_id [row-order]"
    ]
    assert issues(package, "--quick", "--skip", "row-order", "--skip", "primary-key-missing") == []


def test_quick_needs_the_standard_library_alone():
    """Catches an import that slows the quick run or fails without the set-up."""
    done = subprocess.run(
        [sys.executable, "-P", "-S", str(SCRIPT), "--quick"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_missing_library_is_named():
    """Catches a traceback where the set-up was forgotten."""
    done = subprocess.run([sys.executable, "-P", "-S", str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 2
    assert "is not installed" in done.stderr
    assert "Traceback" not in done.stderr


def test_list_and_explain():
    """Catches a rule without sentence or repair."""
    lines = validate("--list-rules").stdout.splitlines()
    for line in lines:
        name, severity, sentence = line.split(None, 2)
        assert re.fullmatch("[a-z]+(-[a-z]+)*", name)
        assert severity in ("error", "note")
        assert sentence.endswith(".")
        assert len(sentence) > 15
    explained = validate("--explain", "row-order").stdout
    assert explained.startswith("row-order (error, keys)\nThe rows stand in the order")
    assert "repair: run scripts/validate.py --fix" in explained


def test_help_answers():
    """Catches an option that help does not know."""
    text = validate("--help").stdout
    options = "--export --fix --quick --since --format --limit --rule --skip --list-rules --explain"
    for option in options.split():
        assert option in text
    assert "exit code: 0 valid, 1 faults found, 2 could not run" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no data package"),
        (["README.md"], "not a data package"),
        (["--rule", "row-ordre"], "did you mean row-order?"),
        (["--explain", "zzz"], "there is no rule 'zzz'"),
        (["--limit", "many"], "'many' is not a number from 0"),
        (["--format", "xml"], "invalid choice"),
        (["--quick", "--rule", "frictionless"], "nothing to check"),
        (["--quick", "--export", "dist"], "needs every rule"),
        (["--rule", "id-vanished"], "id-vanished needs an earlier release"),
        (["--since", "nowhere"], "'nowhere' is no file or folder, and no git revision"),
        (["--export", ""], "needs the name of a folder"),
        (["--explain", ""], "there is no rule ''"),
    ],
)
def test_cannot_run(arguments: list[str], words: str):
    """Catches a wrong call that is not refused with exit code 2 and a reason."""
    done = validate(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_package_without_rows_is_an_error(tmp_path: Path):
    """Catches a run that checked nothing."""
    case = {"edits": []}
    package = build(case, tmp_path)
    for table in (package / "data").iterdir():
        table.write_text(table.read_text(encoding="utf-8").split("\n")[0] + "\n", encoding="utf-8")
    refresh(package)
    done = validate(package, "--quick", "--rule", "type")
    assert done.returncode == 2
    assert "nothing was checked" in done.stderr
    assert done.stdout == ""
    assert validate(package, "--quick", "--rule", "empty-table").returncode == 1


def test_reader_that_leaves_is_no_fault():
    """Catches a traceback when the output is cut, as by head."""
    command = [sys.executable, str(SCRIPT), "--list-rules"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()  # before anything is written
        assert process.stderr.read() == b""
    assert process.returncode == 2


@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("script", "code"),
    [("validate.py --quick", 0), (f"compare.py {ROOT} --check", 0), ("source_drift.py -", 2)],
)
def test_closed_stream_is_no_fault(script: str, code: int, stream: str):
    """Catches the exit code of a fault, or a traceback, where a scheduler closes the streams."""
    line = f"{sys.executable} {SCRIPTS}/{script} {stream}"
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "internal" not in done.stderr


def test_no_color_without_a_terminal(tmp_path: Path):
    """Catches escape codes in a log."""
    assert "\033" not in validate(broken("row-order/two-swapped", tmp_path), "--quick").stdout


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_color_on_a_terminal(tmp_path: Path):
    """Catches a terminal without colors, and their end."""
    import pty

    package = broken("row-order/two-swapped", tmp_path)
    output = b""

    def read(descriptor: int) -> bytes:
        nonlocal output
        chunk = os.read(descriptor, 1024)
        output += chunk
        return b""

    pty.spawn([sys.executable, str(SCRIPT), str(package), "--quick"], read)
    assert b"\033[31merror\033[0m" in output


def test_progress_only_on_a_terminal_and_after_a_while(monkeypatch: pytest.MonkeyPatch):
    """Catches progress in a log, flicker in a short run, and remains of it on the screen."""
    from pipeline import cli

    for terminal, seconds, expected in (
        (True, 3, "\r\033[Kreading ...\r\033[K"),
        (True, 1, ""),
        (False, 3, ""),
    ):
        stream = io.StringIO()
        stream.isatty = lambda terminal=terminal: terminal
        monkeypatch.setattr(sys, "stderr", stream)
        with cli.Progress() as progress:
            progress.start -= seconds
            progress.say("reading")
        assert stream.getvalue() == expected


@pytest.mark.parametrize("inside", ["", "release-1.2.3"])
def test_zip(tmp_path: Path, inside: str):
    """Catches a downloaded release that cannot be validated as it is."""
    assert issues(zipped(BASE, tmp_path / "release.zip", inside), *FAST) == []
    package = broken("row-order/two-swapped", tmp_path)
    found = issues(zipped(package, tmp_path / "broken.zip", inside))
    assert found == ["data/features.csv:4:feature_id [row-order]"]


def test_zip_is_not_fixed(tmp_path: Path):
    """Catches a repair that changes a download."""
    path = zipped(BASE, tmp_path / "release.zip")
    before = path.read_bytes()
    done = validate(path, "--fix")
    assert (done.returncode, path.read_bytes()) == (2, before)
    assert "not a zip" in done.stderr


def test_descriptor_as_argument():
    """Catches a path to the descriptor that is not understood."""
    assert issues(BASE / "datapackage.json") == []
