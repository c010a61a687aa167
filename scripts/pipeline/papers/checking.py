"""Compares the papers of the package with an export, and the figures of findings with abstracts."""

import re
from collections.abc import Iterable, Iterator

from pipeline import rules
from pipeline.issue import show
from pipeline.package import Package, Resource
from pipeline.papers import Record
from pipeline.papers.adding import TABLE, Papers, Row, same
from pipeline.papers.cells import cells_of, events
from pipeline.papers.numbers import COUNT, DAYS, PERCENT, PLAIN, Abstract, Figure
from pipeline.papers.report import Remark

FINDINGS = "findings"
# The arithmetic that derives a value has its own numbers; the value itself is nowhere to be found.
_COVERED = ("value", "n_events", "n_total")
_COUNTS = ("n_events", "n_total")


class Checking:
    """The papers of a package beside those of an export; `remarks` says where they differ."""

    def __init__(self, package: Package):
        self.citations = rules.opened(package, TABLE)
        self.findings = rules.opened(package, FINDINGS) if package.resource(FINDINGS) else None
        self.rows = list(self.citations.table.records())
        lines = self.citations.table.lines
        self.lines = {row["citation_id"]: n for row, n in zip(self.rows, lines, strict=True)}
        self.papers = Papers(self.rows)
        self.abstracts: dict[str, str] = {}
        self.seen: set[str] = set()
        self.found: list[Remark] = []

    def take(self, records: Iterable[Record]) -> None:
        """Take in the papers of an export; only those of the package are kept."""
        for record in records:
            cells = cells_of(record)
            try:
                rows = self.papers.like(cells)
            except ValueError as error:
                self.found.append(_of_export("not-in-table", record, str(error)))
                continue
            for row in rows:
                self._compare(row, record, cells)
            if not rows:
                what = f"is not among the papers: {show(record.title)}"
                self.found.append(_of_export("not-in-table", record, what))

    def _compare(self, row: Row, record: Record, cells: Row) -> None:
        name = row["citation_id"]
        self.seen.add(name)
        if record.abstract:
            self.abstracts.setdefault(name, record.abstract)
        for event in events(record):
            what = {
                "retraction": "was retracted",
                "concern": "has an expression of concern",
                "erratum": "has a correction",
                "notice": "is a notice about a paper, not the paper",
            }[event.kind]
            self._say(event.kind, name, f"{what}: {event.text}")
        for field, theirs in cells.items():
            ours = row.get(field)
            if ours == "":
                what = f"is empty; the export has {show(theirs)}: scripts/papers.py add fills it in"
                self._say("can-be-completed", name, what, field, "", theirs)
            elif ours is not None and not same(field, ours, theirs, record):
                what = f"{show(ours)} here, {show(theirs)} in the export"
                self._say("differs", name, what, field, ours, theirs)

    def _say(
        self, kind: str, name: str, message: str, field: str = "", ours: str = "", theirs: str = ""
    ) -> None:
        place = (self.citations.path, self.lines[name])
        self.found.append(
            Remark(kind, *place, message, name, field=field, ours=ours, theirs=theirs)
        )

    def remarks(self) -> list[Remark]:
        """Everything that was found, in the order of the tables; of figures as well."""
        for row in self.rows:
            name = row["citation_id"]
            if name not in self.seen:
                with_pmid = row.get("pmid")
                kind = "missing" if with_pmid else "not-in-export"
                what = "is not in the export" + ("" if with_pmid else ", and has no PMID")
                self._say(kind, name, what)
        figures = list(_figures(self.findings, self.abstracts)) if self.findings else []
        return [*sorted(self.found, key=lambda r: (r.path, r.line)), *figures]


def _of_export(kind: str, record: Record, message: str) -> Remark:
    return Remark(kind, record.file, record.line, message)


def _figures(findings: Resource, abstracts: dict[str, str]) -> Iterator[Remark]:
    """What became of each number of each finding."""
    units = _units(findings)
    read: dict[str, Abstract] = {}
    table = findings.table
    for row, line in zip(table.records(), table.lines, strict=True):
        paper, finding = row["citation_id"], row["finding_id"]
        wanted = list(figures_of(row, units.get(row["measure"], PLAIN)))
        if paper not in abstracts:
            if wanted:
                what = f"not looked for, since the export has no abstract of it: {_listed(wanted)}"
                yield Remark("no-abstract", findings.path, line, what, paper, finding)
            continue
        abstract = read.setdefault(paper, Abstract(abstracts[paper]))
        elsewhere = row.get("source_part") not in (None, "", "abstract")
        for field, figure in wanted:
            kind, what, around = _verdict(figure, abstract, elsewhere, row)
            yield Remark(
                kind, findings.path, line, what, paper, finding, field, figure.text, around=around
            )


def _listed(wanted: list[tuple[str, Figure]]) -> str:
    return ", ".join(f"{field} {figure.text}" for field, figure in wanted)


def _verdict(figure: Figure, abstract: Abstract, elsewhere: bool, row: Row) -> tuple[str, str, str]:
    hit = abstract.find(figure)
    if hit and hit.sure:
        return "figure-found", f"{figure.text} is in the abstract", hit.around
    if elsewhere:
        what = f"{figure.text} was read elsewhere, as source_part says: {row['source_part']}"
        return "figure-elsewhere", what, ""
    if hit:
        unit = {PERCENT: "a percentage", DAYS: "a number of days", COUNT: "a count"}
        what = f"{figure.text} may be in the abstract, but not as {unit.get(figure.unit, 'it is')}"
        return "figure-unsure", what, hit.around
    return "figure-not-found", f"{figure.text} is not in the abstract", ""


def _units(findings: Resource) -> dict[str, str]:
    """The unit of each measure, as its label in the schema says it."""
    found = {}
    for category in findings.field("measure").get("categories", []):
        label = category.get("label", "")
        for words, unit in (("in percent", PERCENT), ("in days", DAYS)):
            if words in label:
                found[category["value"]] = unit
    return found


def figures_of(row: Row, unit: str) -> Iterator[tuple[str, Figure]]:
    """The numbers of a finding that its paper should have, each with its column.

    Of a derivation its operands: they take the place of the value, and of both counts where it
    divides them.
    """
    derivation = row.get("derivation", "")
    complement = derivation.removeprefix("100 - ") if derivation.startswith("100 - ") else ""
    covered = set(_COVERED if derivation and not complement else _COVERED[:1] if complement else ())
    if complement:
        yield "derivation", Figure(complement, unit)
    elif derivation:
        for operand in dict.fromkeys(re.findall(r"\d+", derivation)):
            yield "derivation", Figure(operand, COUNT)
    for field in ("value", "lower", "upper", *_COUNTS):
        if row.get(field) and field not in covered:
            kind = COUNT if field in _COUNTS else unit
            yield field, Figure(row[field], kind, is_bound=field in ("lower", "upper"))
