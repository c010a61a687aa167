"""What came of reading papers, for people and for machines."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, TextIO

from pipeline.issue import visible, visible_json

# What is said, and how loudly. Warnings are what --strict fails on.
KINDS = {
    "added": "info",
    "completed": "info",
    "unchanged": "info",
    "left-empty": "notice",
    "new-journal": "notice",
    "refused": "warning",
    "differs": "warning",
    "can-be-completed": "notice",
    "not-in-export": "notice",
    "missing": "warning",
    "not-in-table": "notice",
    "retraction": "warning",
    "concern": "warning",
    "notice": "warning",
    "erratum": "notice",
    "figure-found": "info",
    "figure-unsure": "warning",
    "figure-not-found": "warning",
    "figure-elsewhere": "notice",
    "no-abstract": "notice",
}


class Remark(NamedTuple):
    """Something that came of comparing a paper with the tables.

    `path` and `line` are the place in a table, or in the file that was read where there is none.
    `ours` and `theirs` are two values side by side; `around` are the words around a figure.
    """

    kind: str
    path: str
    line: int
    message: str
    citation_id: str = ""
    finding_id: str = ""
    field: str = ""
    ours: str = ""
    theirs: str = ""
    around: str = ""

    @property
    def severity(self) -> str:
        """How loudly it is said: info, notice or warning."""
        return KINDS[self.kind]


class Report(NamedTuple):
    """The remarks of one run, and what a last line says of all."""

    command: str
    remarks: list[Remark]
    closing: str

    @property
    def warned(self) -> bool:
        """Whether there is anything that --strict fails on."""
        return any(remark.severity == "warning" for remark in self.remarks)

    def counts(self) -> dict[str, int]:
        """How many remarks there are of each kind that occurs."""
        found = Counter(remark.kind for remark in self.remarks)
        return {kind: found[kind] for kind in KINDS if found[kind]}


def text(report: Report, out: TextIO) -> None:
    """A line for each remark, and a closing line."""
    for remark in report.remarks:
        out.write(f"{visible(_line(remark))}\n")
    out.write(f"{report.closing}\n")


def _line(remark: Remark) -> str:
    place = f"{remark.path}:{remark.line}:" + (f"{remark.field}:" if remark.field else "")
    what = remark.message + (f': "{remark.around}"' if remark.around else "")
    which = " ".join(filter(None, (remark.citation_id, remark.finding_id)))
    return f"{place} {remark.severity}: {which + ': ' if which else ''}{what} [{remark.kind}]"


def as_json(report: Report, out: TextIO) -> None:
    """One JSON object, as schemas/reports/papers.schema.json describes it."""
    result = {
        "command": report.command,
        "warned": report.warned,
        "counts": report.counts(),
        "remarks": [{"severity": remark.severity} | remark._asdict() for remark in report.remarks],
    }
    out.write(f"{visible_json(result)}\n")


def github(report: Report, out: TextIO) -> None:
    """Workflow commands for what asks for a look."""
    from pipeline.report import annotation

    for remark in report.remarks:
        if remark.severity != "info":
            what = remark.message + (f': "{remark.around}"' if remark.around else "")
            which = " ".join(filter(None, (remark.citation_id, remark.finding_id)))
            title = f"{remark.kind} {remark.field}".strip()
            out.write(
                annotation(remark.severity, remark.path, remark.line, title, f"{which}: {what}")
            )
    out.write(f"{report.closing}\n")


WRITERS: dict[str, Callable[[Report, TextIO], None]] = {
    "text": text,
    "json": as_json,
    "github": github,
}
