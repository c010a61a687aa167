"""The tables, joined: what the page says of each finding, claim, paper and feature.

Rows are those of the tables as texts, an empty cell is the empty text: a figure is shown with the
decimals that it has in the file.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from pipeline import authors
from pipeline.evidence.figures import (
    SHARES,
    Band,
    Figure,
    Panel,
    Row,
    Scale,
    at,
    band,
    extent,
    figure,
    panels,
)
from pipeline.package import Package

Tables = dict[str, list[Row]]
# The 95% interval of the counts of findings, in percent, by their ids.
Intervals = dict[str, tuple[float, float]]
# Of the stances of its findings, the one by which a claim is colored; any other comes after them.
_STRONGEST = ("contradicts", "qualifies", "supports", "extends", "states")
_DOWN_THE_SPINE = ("cervical", "thoracic", "lumbosacral")


class Feature(NamedTuple):
    """A clinical feature, those that it is a kind of, and its exact ontology terms."""

    id: str
    name: str
    row: Row
    path: list["Feature"]
    terms: list["Term"]


class Term(NamedTuple):
    """A term of an ontology."""

    id: str
    label: str
    address: str


class Paper(NamedTuple):
    """A paper, as it is named beside a figure, and the findings that it reports."""

    id: str
    label: str
    row: Row
    findings: list["Finding"]


class Claim(NamedTuple):
    """A claim, and the findings held against it: by stance, then highest first."""

    id: str
    row: Row
    paragraph: int
    feature: Feature
    paper: Paper | None
    findings: list["Finding"]

    @property
    def tally(self) -> list[tuple[str, int]]:
        """How many findings of each stance there are."""
        return list(Counter(each.stance for each in self.findings).items())

    @property
    def lead(self) -> str:
        """The strongest stance of its findings, empty without one."""
        found = dict(self.tally)
        return next((stance for stance in (*_STRONGEST, *found) if stance in found), "")

    @property
    def shares(self) -> list["Finding"]:
        """Its findings that may share the axis of percent."""
        return [each for each in self.findings if each.panel is SHARES]


class Finding(NamedTuple):
    """A finding with its figure, the band of its claim, and those on the same patients."""

    id: str
    row: Row
    feature: Feature
    paper: Paper
    panel: Panel | None
    figure: Figure | None
    band: Band | None
    claim: Claim | None
    cohort: list[str]

    @property
    def same(self) -> list[str]:
        """The other findings on the same patients."""
        return [other for other in self.cohort if other != self.id]

    @property
    def stance(self) -> str:
        """The stance, `none` where the finding relates to no claim."""
        return self.row["stance"] or "none"

    @property
    def word(self) -> str:
        """What tells its measure from the others of its panel."""
        return self.panel.measures[self.row["measure"]] if self.panel else ""

    @property
    def counts(self) -> str:
        """Events and total; a total that is no denominator stands in brackets."""
        events, total = (
            f"{int(self.row[name]):,}" if self.row[name] else "" for name in ("n_events", "n_total")
        )
        if events:
            return f"{events}/{total}"
        if not total:
            return ""
        return f"of {total}" if self.panel is SHARES else f"({total})"

    @property
    def origin(self) -> str:
        """Where its interval comes from, in a sentence."""
        if self.figure is None:
            return ""
        return {
            "paper": "95% interval as the paper gives it.",
            "wilson": "95% interval: Wilson, from "
            f"{self.row['n_events']} of {self.row['n_total']}.",
            "range": "Lowest and highest of the reported values; not an interval.",
            "": "None: the paper gives none, and no count was seen to compute one.",
        }[self.figure.origin]


class Marks(NamedTuple):
    """Where a figure is drawn on a scale, in percent of the width; empty texts draw nothing."""

    x: str
    low: str
    high: str
    width: str
    band: tuple[str, str] | None
    beyond: bool


def marks(finding: Finding, scale: Scale) -> Marks:
    """The marks of a finding that has a figure."""
    own = finding.figure
    assert own is not None
    band = finding.band
    held = (at(scale(band.low)), at(scale(band.high) - scale(band.low))) if band else None
    x = at(scale(own.number)) if own.point else ""
    if own.low is None or own.high is None:
        return Marks(x, "", "", "", held, False)
    low, high = scale(own.low), scale(own.high)
    return Marks(x, at(low), at(high), at(high - low), held, own.high > scale.high)


class Group(NamedTuple):
    """The figures of a panel on one feature, or on one region of a feature that is about regions.

    They stand in the order of their selections, then highest first.
    """

    id: str
    feature: Feature
    region: str
    findings: list[Finding]
    extent: str

    @property
    def band(self) -> Band | None:
        """What a claim that one of them is held against states itself."""
        return next((each.band for each in self.findings if each.band), None)


class Drawn(NamedTuple):
    """A panel with its groups and the scale that shows them."""

    panel: Panel
    scale: Scale
    groups: list[Group]

    @property
    def ticks(self) -> list[tuple[str, str]]:
        """Position and label of each tick."""
        suffix = "%" if self.panel.suffix == "%" else ""
        return [(at(self.scale(tick)), f"{tick:g}{suffix}") for tick in self.scale.ticks]


class Evidence:
    """The tables of a package, joined."""

    def __init__(
        self,
        descriptor: dict[str, Any],
        schemas: dict[str, Any],
        tables: Tables,
        intervals: Intervals,
    ):
        self.descriptor = descriptor
        self.schemas = schemas
        self.tables = tables
        self.intervals = intervals
        self._panels = panels(self.labels("findings", "measure"))
        self.conditions = self._by("conditions")
        self.regions = self._by("spinal_regions")
        self.tumors = self._by("primary_tumors")
        self.features = self._features()
        self.papers = self._papers()
        self.claims = {
            row["statement_id"]: Claim(
                row["statement_id"],
                row,
                int(re.sub(r"^p(\d{1,18})\d*s\d+$", r"\1", row["passage_id"])),
                self.features[row["feature_id"]],
                self.papers.get(row["citation_id"]),
                [],
            )
            for row in tables["statements"]
        }
        self.findings = self._findings()

    def _by(self, table: str) -> dict[str, Row]:
        """The rows of a table by its primary key of one field."""
        (key,) = self.schemas[table]["primaryKey"]
        return {row[key]: row for row in self.tables[table]}

    def labels(self, table: str, name: str) -> dict[str, str]:
        """The values of a field in their order, with what the schema says of each, if anything."""
        (found,) = (each for each in self.schemas[table]["fields"] if each["name"] == name)
        return {each["value"]: each.get("label", "") for each in found.get("categories", [])}

    def _features(self) -> dict[str, Feature]:
        """Features as a tree in depth-first order, roots by category as the schema lists them."""
        rows = self._by("clinical_features")
        categories = list(self.labels("clinical_features", "category"))
        children = defaultdict(list)
        for row in rows.values():
            children[row["parent_id"]].append(row)
        found: dict[str, Feature] = {}
        terms = self._terms()

        def visit(row: Row, path: list[Feature]) -> None:
            own = Feature(row["feature_id"], row["name"], row, path, terms[row["feature_id"]])
            found[own.id] = own
            for child in sorted(children[own.id], key=lambda each: each["name"]):
                visit(child, [*path, own])

        for root in sorted(
            children[""], key=lambda each: (_place(each["category"], categories), each["name"])
        ):
            visit(root, [])
        return found

    def _terms(self) -> dict[str, list[Term]]:
        """The ontology terms that mean exactly what a concept means, by concept."""
        found = defaultdict(list)
        for row in self.tables["ontology_mappings"]:
            address = self.address(row["object_id"])
            if row["predicate_id"] == "skos:exactMatch" and address:
                term = Term(row["object_id"], row["object_label"], address)
                found[row["subject_id"]].append(term)
        return found

    def address(self, term: str) -> str:
        """Where a term is described; empty for the mark that no term was found."""
        (object_id,) = (
            each
            for each in self.schemas["ontology_mappings"]["fields"]
            if each["name"] == "object_id"
        )
        prefix, _, local = term.partition(":")
        return object_id["uriPrefixes"][prefix] + local if prefix != "sssom" else ""

    def _papers(self) -> dict[str, Paper]:
        found = {}
        for row in self.tables["citations"]:
            family = authors.author(row["authors"].split("; ")[0]).family
            letter = re.sub(r".*\d", "", row["citation_id"])
            label = f"{family} {row['year']}{letter}"
            found[row["citation_id"]] = Paper(row["citation_id"], label, row, [])
        return found

    def _findings(self) -> dict[str, Finding]:
        rows = self.tables["findings"]
        shown_in = {measure: panel for panel in self._panels for measure in panel.measures}
        held = {
            (row["statement_id"], row["measure"]): band(row, shown_in[row["measure"]])
            for row in rows
            if row["stance"] == "states" and row["measure"] in shown_in
        }
        found = {}
        cohorts: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            panel = shown_in.get(row["measure"])  # none for what is said in words
            own = Finding(
                row["finding_id"],
                row,
                self.features[row["feature_id"]],
                self.papers[row["citation_id"]],
                panel,
                figure(row, panel.suffix, self.intervals.get(row["finding_id"])) if panel else None,
                held.get((row["statement_id"], row["measure"])),
                self.claims.get(row["statement_id"]),
                cohorts[row["cohort"] or row["finding_id"]],
            )
            found[own.id] = own
            own.paper.findings.append(own)
            if own.claim:
                own.claim.findings.append(own)
            own.cohort.append(own.id)
        stances = list(self.labels("findings", "stance"))
        for claim in self.claims.values():
            claim.findings.sort(key=lambda each: (_place(each.stance, stances), _highest(each)))
        return found

    @cached_property
    def panels(self) -> list[Drawn]:
        """The panels that have findings, each with its groups in the order of the features."""
        found = []
        for panel in self._panels:
            groups = self._groups(panel)
            ends = [
                end
                for group in groups
                for each in group.findings
                if each.figure
                for end in each.figure.ends
            ]
            if groups:
                found.append(Drawn(panel, panel.scale.reaching(ends), groups))
        return found

    def _groups(self, panel: Panel) -> list[Group]:
        by_feature: dict[str, list[Finding]] = defaultdict(list)
        for each in self.findings.values():
            if each.panel is panel:
                by_feature[each.feature.id].append(each)
        groups = []
        for feature in self.features.values():
            rows = by_feature[feature.id]
            # Where every row names a region, the region is a part of what was counted.
            of_region = bool(rows) and all(each.row["region_id"] for each in rows)
            for region in self.down_the_spine() if of_region else [""]:
                part = [each for each in rows if not of_region or each.row["region_id"] == region]
                if part:
                    part.sort(key=lambda each: (self._selection(each), _highest(each)))
                    name = f"{panel.id}-{feature.id}" + (f"-{region}" if region else "")
                    span = extent((f.figure for f in part if f.figure), panel.suffix)
                    groups.append(Group(name, feature, region, part, span))
        return groups

    def _selection(self, finding: Finding) -> int:
        """The place of its selection in the schema; where it cannot be told, behind the others."""
        selections = [*self.labels("findings", "selection"), ""]
        return _place(finding.row["selection"], selections)

    def down_the_spine(self) -> list[str]:
        """The regions from the neck downward."""
        order = {region: place for place, region in enumerate(_DOWN_THE_SPINE)}
        return sorted(self.regions, key=lambda region: order.get(region, len(order)))

    @property
    def in_words(self) -> list[Finding]:
        """The observations without a figure, in the order of the features."""
        order = list(self.features)
        found = [each for each in self.findings.values() if each.panel is None]
        return sorted(found, key=lambda each: (order.index(each.feature.id), each.id))

    @property
    def sides_from(self) -> list[Paper]:
        """The papers on which the sides of pain rest."""
        claims = (self.claims[row["statement_id"]] for row in self.tables["pain_laterality"])
        papers = {claim.paper.id: claim.paper for claim in claims if claim.paper}
        return list(papers.values())

    def used(self, name: str) -> list[str]:
        """The values that a field of the findings has, in the order of the alphabet."""
        return sorted({row[name] for row in self.tables["findings"]} - {""})

    def counted(self, name: str) -> list[tuple[str, int]]:
        """The values that a field of the findings has, each with its rows, the most first."""
        return Counter(row[name] for row in self.tables["findings"]).most_common()

    def extent(self, findings: Iterable[Finding]) -> str:
        """From the lowest to the highest of findings that share the axis of percent."""
        return extent((each.figure for each in findings if each.figure), SHARES.suffix)

    def asked_first(self) -> str:
        """The feature of which a claim states a figure: what a reader comes for."""
        stated = (each.feature.id for each in self.findings.values() if each.stance == "states")
        return next(stated, next(iter(self.features)))


def read(package: Package, intervals: Intervals | None = None) -> Evidence:
    """The tables of a package that were read and found valid, joined.

    With `intervals`, shares have those of their counts.
    """
    tables = {each.name: list(each.table.records()) for each in package.resources}
    schemas = {each.name: each.schema for each in package.resources}
    return Evidence(package.descriptor, schemas, tables, intervals or {})


def _place(value: str, values: list[str]) -> int:
    """Where a value stands among those that a schema lists; after them if it is none of these."""
    return values.index(value) if value in values else len(values)


def _highest(finding: Finding) -> tuple[bool, str, float, str]:
    """What puts findings of one measure together, the highest first, those in words last."""
    number = finding.figure.number if finding.figure else 0.0
    panel = finding.panel.id if finding.panel else ""
    return not panel, panel, -number, finding.id


def sign(stance: str) -> str:
    """By which sign and color a stance is drawn: its own, that of others, or that of none."""
    return stance if stance in (*_STRONGEST, "none") else "other" if stance else "none"
