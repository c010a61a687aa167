"""Writes issues for people and for machines."""

import os
from collections.abc import Callable, Iterable
from typing import TextIO

from pipeline.issue import Issue, visible, visible_json
from pipeline.package.table import Table
from pipeline.rules import Rule, cause_first

_RED, _YELLOW, _DIM, _PLAIN = "\033[31m", "\033[33m", "\033[2m", "\033[0m"
_SPEC = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


class Report:
    """The issues of one run in a stable order, at most `limit` of each rule (0: all).

    `hidden` counts those of each rule that were left out, `total` counts all, `notes` those that
    are no faults.
    """

    def __init__(self, root: str, rules: list[Rule], limit: int):
        self.root = root
        self.rules = rules
        self.limit = limit
        self.issues: list[Issue] = []
        self.hidden: dict[str, int] = {}
        self.total = self.notes = 0
        self.tables = self.rows = self.cells = 0

    def collect(self, issues: Iterable[Issue]) -> None:
        """Take the issues of the run, which come in no order; memory is bounded by the limit."""
        shown: dict[str, list[Issue]] = {}
        for issue in issues:
            self.total += 1
            self.notes += issue.severity == "note"
            first = shown.setdefault(issue.rule, [])
            first.append(issue)
            if self.limit and len(first) > 2 * self.limit:
                self._hide(first)
        for first in shown.values():
            self._hide(first)
            self.issues += first
        self.issues.sort(key=cause_first)

    def _hide(self, issues: list[Issue]) -> None:
        """Leave of the issues of one rule those that come first."""
        issues.sort(key=cause_first)
        if self.limit and (more := issues[self.limit :]):
            self.hidden[more[0].rule] = self.hidden.get(more[0].rule, 0) + len(more)
            del issues[self.limit :]

    def count(self, tables: Iterable[Table]) -> None:
        """Count what was read."""
        for table in tables:
            self.tables += 1
            self.rows += table.rows
            self.cells += table.rows * len(table.names)

    @property
    def failed(self) -> bool:
        """Whether there is an error among the issues."""
        return any(issue.severity == "error" for issue in self.issues)

    def path(self, issue: Issue) -> str:
        """The file of an issue as seen from the working folder, for tools that open it."""
        path = os.path.join(self.root, issue.path)
        near = os.path.relpath(path)
        return (path if near.startswith("..") else near).replace(os.sep, "/")


def text(report: Report, out: TextIO) -> None:
    """One line per issue, the repair once per rule, and a closing line with counts."""
    red, yellow, dim, plain = (_RED, _YELLOW, _DIM, _PLAIN) if out.isatty() else ("",) * 4
    hinted: set[str] = set()
    for issue in report.issues:
        place = f"{issue.path}:{issue.line}:" + (f"{issue.field}:" if issue.field else "")
        color = red if issue.severity == "error" else yellow
        what = f"{color}{issue.severity}{plain}: {visible(issue.message)} [{issue.rule}]"
        out.write(f"{visible(place)} {what}\n")
        if issue.rule not in hinted:
            hinted.add(issue.rule)
            out.write(f"    {dim}repair: {issue.repair}{plain}\n")
    for rule, number in sorted(report.hidden.items()):
        out.write(f"and {number:,} more [{rule}]; --limit 0 shows all\n")
    faults = report.total - report.notes
    verdict = f"{faults:,} fault{'s' * (faults != 1)}" if faults else "valid"
    if report.notes:
        verdict += f", {report.notes:,} note{'s' * (report.notes != 1)}"
    out.write(
        f"{verdict}: checked {report.tables:,} tables, {report.rows:,} rows, "
        f"{report.cells:,} cells with {len(report.rules):,} rules\n"
    )


def as_json(report: Report, out: TextIO) -> None:
    """One JSON object, as schemas/reports/report.schema.json describes it."""
    counts = {name: getattr(report, name) for name in ("tables", "rows", "cells")}
    result = {
        "valid": not report.failed,
        "total": report.total,
        "checked": {**counts, "rules": len(report.rules)},
        "issues": [issue._asdict() for issue in report.issues],
        "hidden": report.hidden,
    }
    out.write(f"{visible_json(result)}\n")


def github(report: Report, out: TextIO) -> None:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    for issue in report.issues:
        title = f"{issue.rule} {issue.field}".strip()
        message = f"{issue.message}. Repair: {issue.repair}"
        word = "notice" if issue.severity == "note" else issue.severity
        out.write(annotation(word, report.path(issue), issue.line, title, message))
    for rule, number in sorted(report.hidden.items()):
        out.write(f"::notice title={rule}::and {number} more\n")


def annotation(severity: str, path: str, line: int, title: str, message: str) -> str:
    """A workflow command of GitHub, which shows a message beside a line; `severity` is its word."""
    place = f"file={_property(path)},line={line},title={_property(title)}"
    return f"::{severity} {place}::{_data(message)}\n"


def _data(value: str) -> str:
    return visible(value).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def sarif(report: Report, out: TextIO) -> None:
    """A SARIF 2.1.0 log with the rules that ran and what they found."""
    index = {rule.id: number for number, rule in enumerate(report.rules)}
    driver = {
        "name": "validate.py",
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.sentence},
                "help": {"text": rule.repair},
                "defaultConfiguration": {"level": rule.severity},
                "properties": {"fixable": rule.fixable},
            }
            for rule in report.rules
        ],
    }
    results = [
        {
            "ruleId": issue.rule,
            "ruleIndex": index[issue.rule],
            "level": issue.severity,
            "message": {"text": f"{issue.field}: {issue.message}".removeprefix(": ")},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(report.path(issue))},
                        "region": {"startLine": issue.line},
                    }
                }
            ],
        }
        for issue in report.issues
    ]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    if report.hidden:
        run["properties"] = {"hidden": report.hidden}
    log = {"$schema": _SPEC, "version": "2.1.0", "runs": [run]}
    out.write(f"{visible_json(log)}\n")


def _uri(path: str) -> str:
    from urllib.parse import quote

    return ("file://" if path.startswith("/") else "") + quote(path, errors="surrogateescape")


WRITERS: dict[str, Callable[[Report, TextIO], None]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
