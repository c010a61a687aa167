"""The package itself: what a reader gets who loads it, and where every fact comes from."""

import csv
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cases import refresh
from commands import ROOT, issues
from published import RESOURCES, SCHEMAS, rows


def test_package_is_valid():
    """Catches any fault in the published tables."""
    assert issues() == []


@pytest.mark.parametrize("name", RESOURCES)
def test_bare_read_csv_keeps_types_and_values(name: str):
    """Catches a column that pandas turns into another type, and a value that it loses."""
    frame = pd.read_csv(ROOT / RESOURCES[name]["path"])
    texts = rows(name)
    assert list(frame.columns) == [field["name"] for field in SCHEMAS[name]["fields"]]
    for field in SCHEMAS[name]["fields"]:
        column, cells = frame[field["name"]], [row[field["name"]] for row in texts]
        assert list(column.isna()) == [cell == "" for cell in cells], field["name"]
        if field["type"] in ("integer", "year", "number"):
            assert pd.api.types.is_numeric_dtype(column), field["name"]
            # NumPy has no missing integer: with an empty cell, whole numbers come as floats.
            if field["type"] != "number" and "" not in cells:
                assert pd.api.types.is_integer_dtype(column), field["name"]
            assert [float(cell) for cell in cells if cell] == list(column.dropna())
        else:
            assert not pd.api.types.is_numeric_dtype(column), field["name"]
            assert [cell for cell in cells if cell] == list(column.dropna())


def test_tokens_are_those_of_pandas_and_csvkit():
    """Catches a token that they read as missing and the rule does not know, or the other way."""
    from agate.data_types.base import DEFAULT_NULL_VALUES
    from pandas._libs.parsers import STR_NA_VALUES

    from pipeline.rules.form import NA_TOKENS

    in_any_case = {*DEFAULT_NULL_VALUES} - {""}
    assert STR_NA_VALUES - {""} == {
        token for token in NA_TOKENS if token in STR_NA_VALUES or token.lower() not in in_any_case
    }
    assert in_any_case <= NA_TOKENS
    for token in in_any_case:
        assert {token.upper(), token.title(), token.swapcase()} <= NA_TOKENS


def test_the_schema_of_citation_files_is_that_of_its_authors():
    """Catches a change in what was taken over, and a newer version of it."""
    from check_jsonschema.builtin_schemas import get_builtin_schema

    ours = ROOT / "scripts/pipeline/package/citation-file-format.json"
    theirs = get_builtin_schema("vendor.citation-file-format")
    assert json.loads(ours.read_text(encoding="utf-8")) == theirs


def test_names_survive():
    """Catches an author whose letters were lost on the way."""
    frame = pd.read_csv(ROOT / RESOURCES["citations"]["path"])
    names = {name for authors in frame["authors"] for name in authors.split("; ")}
    assert {"Quiñones-Hinojosa A", "Sørensen PS", "Wänman J", "Van den Brande R"} <= names


def test_coverage_of_the_page():
    """Catches a sentence, a claim or a reference of the page that got lost."""
    statements, passages = rows("statements"), rows("source_passages")
    assert {row["passage_id"] for row in passages} == {row["passage_id"] for row in statements}
    guide = (ROOT / "docs/curation.md").read_text(encoding="utf-8")
    assert f"{len(passages)} sentences and {len(statements)} atomic claims" in guide
    assert len({row["citation_id"] for row in statements} - {""}) == 3
    # Figures are added; those of the first version stay.
    assert len(rows("findings")) >= 39
    assert len(rows("citations")) >= 18


def test_more_than_95_percent_stays_more_than():
    """Catches a figure that lost its comparator."""
    figure = next(row for row in rows("findings") if row["stance"] == "states")
    assert (figure["comparator"], figure["value"]) == (">", "95")


def test_every_measure_has_a_range():
    """Catches a measure whose figures could be anything."""
    (field,) = (each for each in SCHEMAS["findings"]["fields"] if each["name"] == "measure")
    ranges = SCHEMAS["findings"]["ranges"]
    bounded = [measure for each in ranges for measure in each["when"]["measure"]]
    assert sorted([*bounded, "qualitative"]) == sorted(field["constraints"]["enum"])
    assert all(each["fields"] == ["lower", "value", "upper"] for each in ranges)


def test_laterality_by_region():
    """Catches a side that moved to another region."""
    sides = {row["region_id"]: row["laterality"] for row in rows("pain_laterality")}
    assert sides == {
        "cervical": "unilateral",
        "lumbosacral": "unilateral",
        "thoracic": "bilateral",
    }


@pytest.mark.parametrize("name", RESOURCES)
def test_spelling_is_american(name: str):
    """Catches British spelling outside of titles as printed."""
    for row in rows(name):
        for column, cell in row.items():
            if column not in ("title", "journal"):
                found = re.search(
                    r"tumour|calcaemi|localised|centre\b|paralys[ei]d|neighbour", cell
                )
                assert not found, (column, cell)


# For a finding, what a slip of the hand makes of its cells, and what must be said of the row.
SLIPS = {
    "f003": ({"value": "167"}, "value [conditional-range]"),
    "f005": ({"n_events": "259"}, "derivation [derivation-disagrees]"),
    "f007": ({"derivation": "115/153"}, "derivation [derivation-disagrees]"),
    "f008": ({"count_unit": ""}, "n_total [missing-companion]"),
    "f014": ({"count_unit": "person"}, "count_unit [missing-companion]"),
    "f013": ({"stance": "states"}, "reporting [conditional-value]"),
    "f015": ({"source_part": "source_page"}, "reporting [conditional-value]"),
    "f019": ({"selection": "source_page"}, "reporting [conditional-value]"),
    "f028": ({"lower": "13.42", "upper": "5.70"}, "lower [interval-order]"),
    "f029": ({"upper": "118.25"}, "upper [conditional-range]"),
    "f031": ({"case_definition": ""}, "case_definition [conditional-value]"),
    "f041": ({"derivation": "(232 + 231)/686"}, "derivation [derivation-disagrees]"),
    "f061": ({"lower": "-60"}, "lower [conditional-range]"),
    "f062": ({"stance": "contradicts"}, "stance [conditional-value]"),
    "f158": ({"value": "70.4"}, "value [conditional-range]"),
    "f189": ({"value": "1.085"}, "value [conditional-range]"),
    "f221": ({"value": "19"}, "value [conditional-range]"),
    "f237": ({"value": "11.6"}, "derivation [derivation-disagrees]"),
}


def test_slip_in_a_figure_is_found(tmp_path: Path):
    """Catches a promise of the table of findings that its schema does not make."""
    for name in ("data", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "datapackage.json", tmp_path)
    findings, path = rows("findings"), RESOURCES["findings"]["path"]
    expected = []
    for line, row in enumerate(findings, 2):
        changes, found = SLIPS.get(row["finding_id"], ({}, ""))
        assert changes.items() - row.items() == changes.items()
        row |= changes
        expected += [f"{path}:{line}:{found}"] if found else []
    with open(tmp_path / path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, findings[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(findings)
    refresh(tmp_path)
    found = issues(tmp_path, "--quick")
    # A figure that is not derived so is also none of the counts.
    assert found == sorted([*expected, f"{path}:238:value [percentage-disagrees]"])
    assert len(expected) == len(SLIPS)
