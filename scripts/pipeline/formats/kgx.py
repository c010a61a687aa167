"""What a knowledge graph can carry of the package, in KGX after the Biolink Model.

Conditions and features are nodes; what studies saw in patients, what causes what, and what is a
kind of what are edges. A row whose meaning the model would change is left out, and README.md beside
the graph counts such rows by reason.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pipeline import files
from pipeline.formats import content, metadata
from pipeline.issue import CannotRun
from pipeline.package import Package
from pipeline.package.typed import Record

OWNS = re.compile(r"kgx/(nodes\.jsonl|edges\.jsonl|README\.md)")
LIBRARIES: dict[str, str] = {}
NEEDS: dict[str, tuple[str, ...]] = {
    "causal_relations": ("cause_id", "relation", "effect_id", "statement_id"),
    "citations": ("citation_id", "pmid", "doi"),
    "clinical_features": ("feature_id", "name", "category", "parent_id", "description"),
    "conditions": ("condition_id", "name", "abbreviation", "parent_id", "description"),
    "findings": (
        *("finding_id", "feature_id", "condition_id", "citation_id", "measure", "comparator"),
        *("value", "n_events", "n_total", "count_unit", "timepoint"),
        *("primary_tumor", "region_id"),
    ),
    "ontology_mappings": ("subject_id", "predicate_id", "object_id"),
    "statements": ("statement_id", "citation_id"),
}
_DISEASE, _PHENOTYPE = "biolink:Disease", "biolink:PhenotypicFeature"
_PROCESS = "biolink:PathologicalProcess"
# What the categories of features are in the model; a term for a phenotype decides before them.
_CLASSES = {"symptom": _PHENOTYPE, "complication": _PHENOTYPE, "pathological_process": _PROCESS}
# By our prefixes, those of the model, and the classes that take them for an id.
_PREFIXES = {"HP": "HP", "MONDO": "MONDO", "UBERON": "UBERON", "mesh": "MESH"}
_OF_CLASS = {_DISEASE: ("MONDO", "MESH"), _PHENOTYPE: ("HP", "MESH"), _PROCESS: ()}
_CAUSAL = {"causes": "biolink:causes", "leads_to": "biolink:contributes_to"}
# Columns of findings that are said by the edge itself. The model has another `timepoint`.
_SAID = {"finding_id", "feature_id", "condition_id", "citation_id", "value", "n_events", "n_total"}
_NAMED = {"timepoint": "observed_at"}
# What narrows the people of a finding down, and the prefix of the terms that say so.
_QUALIFIERS = {
    "primary_tumor": ("disease_context_qualifier", "MONDO:"),
    "region_id": ("anatomical_context_qualifier", "UBERON:"),
}
_LISTS = ("anatomical_context_qualifier",)


def write(package: Package, folder: str) -> None:
    """Write `kgx/nodes.jsonl`, `kgx/edges.jsonl` and `kgx/README.md`."""
    graph = _Graph(package)
    below = os.path.join(folder, "kgx")
    for name, records in (("nodes", graph.nodes), ("edges", graph.edges)):
        lines = [f"{json.dumps(each, ensure_ascii=False)}\n" for each in records]
        files.write_text(below, f"{name}.jsonl", "".join(lines))
    files.write_text(below, "README.md", _readme(package, graph))


class _Graph:
    """Nodes and edges, and by table and reason the keys of the rows that are neither.

    Raises CannotRun where nothing says what the ids of the package stand for.
    """

    def __init__(self, package: Package):
        self.tables = {name: content.records(package, name) for name in NEEDS}
        subjects = content.table_of(package, "ontology_mappings").field("subject_id")
        prefixes = list(subjects.get("uriPrefixes", {}).values())
        if len(prefixes) != 1:
            raise CannotRun("schemas of a graph need one prefix in uriPrefixes of subject_id")
        self.prefix: str = prefixes[0]
        value = content.table_of(package, "findings").field("value")
        # The measures that are the share of a total.
        self.shares: list[str] = value.get("percentageOf", {}).get("when", {}).get("measure", [])
        self.left_out: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.terms: dict[str, list[str]] = defaultdict(list)
        for row in self.tables["ontology_mappings"]:
            prefix, _, local = row["object_id"].partition(":")
            if row["predicate_id"] == "skos:exactMatch" and prefix in _PREFIXES:
                self.terms[row["subject_id"]].append(f"{_PREFIXES[prefix]}:{local}")
        papers = self.tables["citations"]
        self.papers = {row["citation_id"]: self._publication(row) for row in papers}
        # The id and the class of each node, by our id.
        self.known: dict[str, tuple[str, str]] = {}
        self.nodes = [*self._conditions(), *self._features()]
        self.edges = [*self._findings(), *self._causes(), *self._kinds()]

    def _publication(self, row: Record) -> str:
        if row["pmid"]:
            return f"PMID:{row['pmid']}"
        return f"doi:{row['doi']}" if row["doi"] else self.prefix + row["citation_id"]

    def _conditions(self) -> Iterator[Record]:
        for row in self.tables["conditions"]:
            synonyms = {"synonym": [row["abbreviation"]]} if row["abbreviation"] else {}
            yield self._node(row["condition_id"], _DISEASE, row) | synonyms

    def _features(self) -> Iterator[Record]:
        for row in self.tables["clinical_features"]:
            key = row["feature_id"]
            is_phenotype = any(
                term.startswith(prefix)
                for term in self.terms[key]
                for prefix in _OF_CLASS[_PHENOTYPE]
            )
            kind = _PHENOTYPE if is_phenotype else _CLASSES.get(row["category"])
            if kind:
                yield self._node(key, kind, row)
            else:
                self._leave("clinical_features", key, "it is no phenotype and no process")

    def _node(self, key: str, kind: str, row: Record) -> Record:
        own = self.prefix + key
        taken = {name for name, _ in self.known.values()}
        names = [
            term
            for prefix in _OF_CLASS[kind]
            for term in self.terms[key]
            if term.startswith(f"{prefix}:") and term not in taken
        ]
        name = names[0] if names else own
        self.known[key] = (name, kind)
        others = sorted({own, *self.terms[key]} - {name})
        node = {"id": name, "category": [kind], "name": row["name"]}
        node["description"] = row["description"]
        return node | ({"xref": others} if others else {})

    def _findings(self) -> Iterator[Record]:
        for row in self.tables["findings"]:
            if why := self._unsayable(row):
                self._leave("findings", row["finding_id"], why)
                continue
            ends = self.known[row["condition_id"]][0], self.known[row["feature_id"]][0]
            edge = self._edge(row["finding_id"], ends, "biolink:has_phenotype", "observation")
            edge["category"] = ["biolink:DiseaseToPhenotypicFeatureAssociation"]
            edge["publications"] = [self.papers[row["citation_id"]]]
            shares = {"has_count": "n_events", "has_total": "n_total", "has_percentage": "value"}
            edge |= {key: row[name] for key, name in shares.items() if row[name] is not None}
            for name, (qualifier, prefix) in _QUALIFIERS.items():
                if row[name]:
                    terms = [term for term in self.terms[row[name]] if term.startswith(prefix)]
                    term = terms[0] if terms else self.prefix + row[name]
                    edge[qualifier] = [term] if qualifier in _LISTS else term
            yield edge | {
                _NAMED.get(name, name): value
                for name, value in row.items()
                if value is not None and name not in _SAID
            }

    def _unsayable(self, row: Record) -> str | None:
        """Why a finding is no share of the patients with a condition who had a phenotype."""
        if row["condition_id"] is None:
            return "its people have another condition, or none"
        if self.known.get(row["feature_id"], ("", ""))[1] != _PHENOTYPE:
            return "its feature is no phenotype"
        if row["measure"] not in self.shares or row["value"] is None:
            return "it is no share of people"
        if row["comparator"] != "=":
            return "its share is a bound"
        if row["count_unit"] not in (None, "person"):
            return "it counts no persons"
        if row["value"] == 0:
            return "nobody had the feature"
        return None

    def _causes(self) -> Iterator[Record]:
        cited = {row["statement_id"]: row["citation_id"] for row in self.tables["statements"]}
        for row in self.tables["causal_relations"]:
            ends = row["cause_id"], row["effect_id"]
            key = ".".join((ends[0], row["relation"], ends[1]))
            if row["relation"] not in _CAUSAL:
                self._leave("causal_relations", key, "the model has no such relation")
            elif not self.known.keys() >= {*ends}:
                self._leave("causal_relations", key, "one of its features is left out")
            else:
                named = self.known[ends[0]][0], self.known[ends[1]][0]
                edge = self._edge(key, named, _CAUSAL[row["relation"]], "knowledge_assertion")
                edge["category"] = ["biolink:Association"]
                paper = cited.get(row["statement_id"])
                yield (
                    edge
                    | ({"publications": [self.papers[paper]]} if paper else {})
                    | {name: row[name] for name in ("relation", "statement_id")}
                )

    def _kinds(self) -> Iterator[Record]:
        for table, key in (("conditions", "condition_id"), ("clinical_features", "feature_id")):
            for row in self.tables[table]:
                if row["parent_id"] is None or row[key] not in self.known:
                    continue
                cell = f"{row[key]}.parent_id"
                if row["parent_id"] not in self.known:
                    self._leave(table, cell, "the broader one is left out")
                    continue
                ends = self.known[row[key]][0], self.known[row["parent_id"]][0]
                edge = self._edge(cell, ends, "biolink:subclass_of", "knowledge_assertion")
                yield edge | {"category": ["biolink:Association"]}

    def _edge(self, key: str, ends: tuple[str, str], predicate: str, level: str) -> dict[str, Any]:
        return {
            "id": self.prefix + key,
            "subject": ends[0],
            "predicate": predicate,
            "object": ends[1],
            "knowledge_level": level,
            "agent_type": "manual_agent",
        }

    def _leave(self, table: str, key: str, why: str) -> None:
        self.left_out[table, why].append(key)


def _readme(package: Package, graph: _Graph) -> str:
    title, citation = package.descriptor["title"], metadata.citation(package)
    text = f"""\
# {title}: knowledge graph

{len(graph.nodes)} nodes and {len(graph.edges)} edges in KGX (JSON Lines) after the Biolink Model.

A share of patients with a feature is an edge `biolink:has_phenotype` with its paper, its counts,
and whom it is about, under the names of the columns of `findings`. Edges with the same ends are
figures of different people, or of the same people twice: never add them up.

{citation}

Left out, since the model would change what they mean:

| table | rows | why | which |
| --- | ---: | --- | --- |
"""
    for (table, why), keys in sorted(graph.left_out.items()):
        text += f"| {table} | {len(keys)} | {why} | {', '.join(keys)} |\n"
    return text
