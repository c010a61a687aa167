"""Planted defects: every case on disk, judged by what the command prints.

A new case is a new file below tests/cases: no code. A case in invalid/<rule>/ is the base
package with a defect, and lists exactly the issues that it must bring; one in valid/<rule>/ pins
something that the rule must accept. With `since`, it is compared with an earlier release. One
defect of each rule is run through the command by itself, all else through `run_each`.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import frictionless
import pytest

from cases import build, options
from commands import FAST, PACKAGES, issues, issues_in, run_each, validate

CASES = [
    path for kind in ("invalid", "valid") for path in sorted((PACKAGES / kind).rglob("*.json"))
]
# So many that starting Python for them does not matter, and so few that two processes of a run of
# the tests seldom judge the same.
TOGETHER = 60


def _cases(kind: str) -> list:
    names = {path: str(path.relative_to(PACKAGES).with_suffix("")) for path in CASES}
    return [pytest.param(p, id=n) for p, n in names.items() if n.startswith(f"{kind}/")]


@pytest.fixture(scope="module")
def found() -> Iterator[Callable[[Path], tuple[Path, list[str]]]]:
    """The package of a case and what the rules of ours find in it; many cases at once."""
    known: dict[Path, tuple[Path, list[str]]] = {}

    def find(path: Path) -> tuple[Path, list[str]]:
        if path not in known:
            at = CASES.index(path) // TOGETHER * TOGETHER
            cases = CASES[at : at + TOGETHER]
            runs = [_arguments(each, Path(folder, str(n))) for n, each in enumerate(cases, at)]
            done = run_each("validate.py", ([*run, *FAST, "--format", "json"] for run in runs))
            packages = (run[0] for run in runs)
            known.update(zip(cases, zip(packages, map(issues_in, done), strict=True), strict=True))
        return known[path]

    # Gone with the last case: what is left to the end is deleted while nothing else is at work.
    with tempfile.TemporaryDirectory() as folder:
        yield find


def _arguments(path: Path, folder: Path) -> list:
    """What the command is given for a case: its package, and what it is compared with."""
    case = json.loads(path.read_text(encoding="utf-8"))
    return [build(case, folder), *options(case, folder)]


def test_base_is_valid():
    """Catches a defect in the base, which every case would inherit."""
    assert issues(PACKAGES / "base") == []


@pytest.mark.parametrize("path", _cases("invalid"))
def test_defect_is_found(path: Path, found: Callable, tmp_path: Path):
    """Catches a rule that does not fire, fires elsewhere, or fires with others."""
    expected = json.loads(path.read_text(encoding="utf-8"))["issues"]
    rules = {line.rpartition(" ")[2] for line in expected}
    assert f"[{path.parent.name}]" in rules
    # One case of each rule is run by itself, and with frictionless, which then has no say.
    if path == min(path.parent.glob("*.json")) or "[frictionless]" in rules:
        assert issues(*_arguments(path, tmp_path)) == sorted(expected)
    else:
        assert found(path)[1] == sorted(expected)


@pytest.mark.parametrize("path", _cases("valid"))
def test_good_is_accepted(path: Path, found: Callable, monkeypatch: pytest.MonkeyPatch):
    """Catches a rule that is stricter than it says, and what frictionless would not accept."""
    package, ours = found(path)
    assert ours == []
    monkeypatch.chdir(package)
    report = frictionless.Package("datapackage.json").validate()
    assert report.valid, report.to_summary()


def test_every_rule_has_a_case_and_every_case_a_rule():
    """Catches a rule that nothing proves, and a case whose rule is gone."""
    listed = validate("--list-rules").stdout
    rules = {line.split()[0] for line in listed.splitlines()}
    assert rules == {path.name for path in (PACKAGES / "invalid").iterdir()}
    assert rules >= {path.name for path in (PACKAGES / "valid").iterdir()}


def test_no_case_is_there_twice():
    """Catches a case that proves what another one does."""
    known: dict[str, Path] = {}
    for param in (*_cases("invalid"), *_cases("valid")):
        (path,) = param.values
        case = json.loads(path.read_text(encoding="utf-8"))
        assert known.setdefault(json.dumps(case, sort_keys=True), path) == path
