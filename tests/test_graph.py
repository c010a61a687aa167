"""The knowledge graph, judged by the Biolink Model itself and loaded by a library for graphs."""

import importlib
import json
import os
import re
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import networkx
import pytest

from published import expected, rows

KEYS = {"findings": "finding_id", "clinical_features": "feature_id"}


@pytest.fixture(scope="module")
def graph(unpacked: Path) -> dict[str, list[dict]]:
    """The nodes and the edges of a release."""
    return {
        name: [json.loads(line) for line in open(unpacked / f"kgx/{name}.jsonl", encoding="utf-8")]
        for name in ("nodes", "edges")
    }


@pytest.fixture(scope="module")
def left_out(unpacked: Path) -> dict[tuple[str, str], list[str]]:
    """The keys of the rows that README.md beside the graph says are not in it."""
    text = (unpacked / "kgx/README.md").read_text(encoding="utf-8")
    found = {}
    for table, count, why, keys in re.findall(
        r"^\| (\w+) \| (\d+) \| (.+) \| (.+) \|$", text, re.M
    ):
        found[table, why] = keys.split(", ")
        assert int(count) == len(found[table, why])
    return found


@pytest.fixture(scope="module")
def model() -> Any:
    """The Biolink Model as its package has it, read by its toolkit without a network."""
    if not os.environ.get("CI"):  # there, no pinned library may be missing
        pytest.importorskip("bmt", reason="bmt is not installed: make .venv/test installs it")
    from bmt import Toolkit

    schema = resources.files("biolink_model") / "schema/biolink_model.yaml"
    return Toolkit(schema=str(schema), predicate_map={"predicate mappings": []})


def test_graph_in_networkx(graph: dict[str, list[dict]]):
    """Catches an edge to a node that is not there, and a node or an edge that stands twice."""
    found = networkx.MultiDiGraph()
    found.add_nodes_from((node["id"], node) for node in graph["nodes"])
    assert found.number_of_nodes() == len(graph["nodes"])
    for edge in graph["edges"]:
        found.add_edge(edge["subject"], edge["object"], key=edge["id"], **edge)
    assert found.number_of_nodes() == len(graph["nodes"])
    assert found.number_of_edges() == len({edge["id"] for edge in graph["edges"]})
    assert found.number_of_edges() == len(graph["edges"])
    causes = [e for e in graph["edges"] if e["predicate"] in ("biolink:causes", CONTRIBUTES)]
    assert networkx.is_directed_acyclic_graph(
        networkx.DiGraph((edge["subject"], edge["object"]) for edge in causes)
    )


CONTRIBUTES = "biolink:contributes_to"


def test_graph_in_the_model(graph: dict[str, list[dict]], model: Any):
    """Catches a class or a relation that the model has not, or between things it is not for."""
    classes = {}
    for node in graph["nodes"]:
        (category,) = node["category"]
        assert model.is_category(category)
        classes[node["id"]] = set(model.get_ancestors(category))
        prefix = node["id"].partition(":")[0]
        assert prefix == "urn" or prefix in model.get_element(category).id_prefixes
    for edge in graph["edges"]:
        assert model.is_predicate(edge["predicate"])
        relation = model.get_element(edge["predicate"])
        assert relation.domain is None or relation.domain in classes[edge["subject"]]
        assert relation.range is None or relation.range in classes[edge["object"]]


def test_records_in_the_model(graph: dict[str, list[dict]], model: Any):
    """Catches a property that the model gives another type, or that is required and missing."""
    assert model
    kinds = importlib.import_module("biolink_model.datamodel.pydanticmodel_v2")
    columns = {*rows("findings")[0], *rows("causal_relations")[0], "observed_at"}
    for record in (*graph["nodes"], *graph["edges"]):
        kind = getattr(kinds, record["category"][0].removeprefix("biolink:"))
        known = {key: value for key, value in record.items() if key in kind.model_fields}
        kind(**known)
        # What the model does not know are columns of ours, under names that it does not use.
        assert record.keys() - known.keys() <= columns
        assert "timepoint" not in known


def test_every_finding_is_an_edge_or_said_to_be_none(
    graph: dict[str, list[dict]], left_out: dict[tuple[str, str], list[str]]
):
    """Catches a finding that is lost in silence, and a figure, a paper or people that changed."""
    names = {node["id"]: {node["id"], *node.get("xref", [])} for node in graph["nodes"]}
    papers = {row["citation_id"]: row for row in expected("citations")}
    edges = {e["id"]: e for e in graph["edges"] if e["predicate"] == "biolink:has_phenotype"}
    gone = [key for (table, _), keys in left_out.items() for key in keys if table == "findings"]
    found = [key.removeprefix("urn:x-spinal-metastases:") for key in edges]
    assert sorted(found + gone) == [row["finding_id"] for row in expected("findings")]
    for row in expected("findings"):
        edge = edges.get(f"urn:x-spinal-metastases:{row['finding_id']}")
        if edge is None:
            continue
        shares = {"has_count": "n_events", "has_total": "n_total", "has_percentage": "value"}
        assert {key: edge.get(key) for key in shares} == {k: row[n] for k, n in shares.items()}
        assert row["measure"] in ("percentage", "cumulative_percentage")
        assert (row["comparator"], row["count_unit"] or "person") == ("=", "person")
        assert f"urn:x-spinal-metastases:{row['condition_id']}" in names[edge["subject"]]
        assert f"urn:x-spinal-metastases:{row['feature_id']}" in names[edge["object"]]
        paper = papers[row["citation_id"]]
        assert edge["publications"][0].rpartition(":")[2] in (
            str(paper["pmid"]),
            paper["doi"],
            paper["citation_id"],
        )
        said = {"observed_at": row["timepoint"]} | {
            key: row[key] for key in ("stance", "population", "selection", "case_definition")
        }
        assert {key: edge.get(key) for key in said} == said
        assert ("disease_context_qualifier" in edge) == (row["primary_tumor"] is not None)
        assert "frequency_qualifier" not in edge


def test_every_feature_and_cause_is_there_or_said_not_to_be(
    graph: dict[str, list[dict]], left_out: dict[tuple[str, str], list[str]]
):
    """Catches a row that is lost in silence, and a term that does not mean the same."""
    exact: dict[str, set[str]] = {}
    for row in rows("ontology_mappings"):
        if row["predicate_id"] == "skos:exactMatch":
            term = row["object_id"].replace("mesh:", "MESH:")
            exact.setdefault(f"urn:x-spinal-metastases:{row['subject_id']}", set()).add(term)
    own = set()
    for node in graph["nodes"]:
        (concept,) = {i for i in (node["id"], *node.get("xref", [])) if i.startswith("urn:")}
        own.add(concept.rpartition(":")[2])
        assert {node["id"], *node.get("xref", [])} - {concept} <= exact.get(concept, set())
    counts = Counter(edge["predicate"] for edge in graph["edges"])
    gone = Counter(table for (table, _), keys in left_out.items() for _ in keys)
    features = {row["feature_id"] for row in rows("clinical_features")}
    conditions = {row["condition_id"] for row in rows("conditions")}
    not_there = left_out["clinical_features", "it is no phenotype and no process"]
    assert own | {*not_there} == features | conditions
    causes = counts["biolink:causes"] + counts[CONTRIBUTES]
    assert causes + gone["causal_relations"] == len(rows("causal_relations"))
