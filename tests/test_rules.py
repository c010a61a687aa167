"""Planted defects: every case on disk, run through the command and judged by what it prints.

A new case is a new file below tests/cases: no code. A case in invalid/<rule>/ is the base
package with a defect, and lists exactly the issues that it must bring; one in valid/ pins
something that must be accepted. With `since`, it is compared with an earlier release.
"""

import json
from pathlib import Path

import pytest

from cases import build, options
from commands import PACKAGES, issues, validate


def _cases(folder: str) -> list:
    paths = sorted((PACKAGES / folder).rglob("*.json"))
    return [pytest.param(p, id=str(p.relative_to(PACKAGES).with_suffix(""))) for p in paths]


def test_base_is_valid():
    """Catches a defect in the base, which every case would inherit."""
    assert issues(PACKAGES / "base") == []


@pytest.mark.parametrize("path", _cases("invalid"))
def test_defect_is_found(path: Path, tmp_path: Path):
    """Catches a rule that does not fire, fires elsewhere, or fires with others."""
    case = json.loads(path.read_text(encoding="utf-8"))
    assert any(line.endswith(f"[{path.parent.name}]") for line in case["issues"])
    found = issues(build(case, tmp_path), *options(case, tmp_path))
    assert found == sorted(case["issues"])


@pytest.mark.parametrize("path", _cases("valid"))
def test_good_is_accepted(path: Path, tmp_path: Path):
    """Catches a rule that is stricter than it says."""
    case = json.loads(path.read_text(encoding="utf-8"))
    assert issues(build(case, tmp_path), *options(case, tmp_path)) == []


def test_every_rule_has_a_case_and_every_case_a_rule():
    """Catches a rule that nothing proves, and a case whose rule is gone."""
    listed = validate("--list-rules").stdout
    rules = {line.split()[0] for line in listed.splitlines()}
    assert rules == {path.name for path in (PACKAGES / "invalid").iterdir()}
