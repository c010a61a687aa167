"""The page as it stands in a release, read without a browser: what it says, and what it asks for.

What only a browser can tell is in test_page_in_browser.py.
"""

import base64
import csv
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import refresh
from commands import PATIENCE, ROOT, issues, run, validate
from html_tree import Element, tree
from pipeline.evidence import picture
from pipeline.evidence.figures import PANELS, Scale
from pipeline.evidence.joined import Feature
from pipeline.formats.page import mechanisms
from pipeline.package import Package
from published import DESCRIPTOR, SCHEMAS, copied, rows

SHARES = {"percentage", "cumulative_percentage", "percentage_range"}
STANCES = ["states", "supports", "contradicts", "qualifies", "extends"]
SIGNS = {"=": "", ">": ">", ">=": "≥", "<": "<", "<=": "≤"}
FINDINGS = {row["finding_id"]: row for row in rows("findings")}
CLAIMS = {row["statement_id"]: row for row in rows("statements")}
PAPERS = {row["citation_id"]: row for row in rows("citations")}


@pytest.fixture(scope="module")
def text(page: Path) -> str:
    """The page."""
    return page.read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def document(text: str) -> Element:
    """The page as a tree."""
    return tree(text)


@pytest.fixture(scope="module")
def drawn(document: Element) -> dict[str, Element]:
    """The rows of the plots by finding."""
    return {row.attributes["id"]: row for row in document.all("tr", "f")}


def category(table: str, field: str) -> dict[str, str]:
    """What a schema says of the values of a field."""
    (found,) = (each for each in SCHEMAS[table]["fields"] if each["name"] == field)
    return {each["value"]: each["label"] for each in found["categories"]}


def signs(element: Element) -> list[str]:
    """The signs drawn in an element, without caps and arrows."""
    hrefs = [use.attributes["href"].removeprefix("#m-") for use in element.all("use")]
    return [sign for sign in hrefs if sign in {*STANCES, "none"}]


# Head and overview.


def test_the_head_says_what_is_shown(document: Element):
    """Catches a page that does not tell its version, its day or how much it holds."""
    words = document.one("header").words
    assert f"version {DESCRIPTOR['version']} · {DESCRIPTOR['created'][:10]}" in words
    assert f"{len(CLAIMS)} claims, {len(FINDINGS)} findings" in words
    assert f"{len(PAPERS)} papers" in words


def test_the_warning_comes_before_every_figure(text: str):
    """Catches a figure that is read before the warning, on paper and without a script, too."""
    warning = text.index("not for clinical decisions.</strong>")
    assert text.index("never pool their figures", warning) < text.index("<main")
    assert "<main" in text[: text.index('class="tile')]
    assert "<table" not in text[:warning]
    assert "%" not in re.sub(r"(?s)<style>.*?</style>|<[^>]*>", "", text[:warning])
    print_rules = text[text.index("@media print") :]
    assert ".warn" not in print_rules[: print_rules.index("</style>")]


def test_a_tile_for_each_claim(document: Element):
    """Catches a claim without tile, a wrong sign, and a tile that says nothing aloud."""
    tiles = list(document.all("a", "tile"))
    assert [tile.one(cls="id").text for tile in tiles] == list(CLAIMS)
    for tile, (key, claim) in zip(tiles, CLAIMS.items(), strict=True):
        tally = Counter(f["stance"] for f in FINDINGS.values() if f["statement_id"] == key)
        assert signs(tile) == [stance for stance in STANCES if tally[stance]]
        assert tile.attributes["href"] == f"#{key}"
        words = tile.one("span", "vh").words
        said = [f"{tally[stance]} {stance}." for stance in STANCES if tally[stance]]
        assert words == " ".join([claim["claim"], *(said or ["No finding recorded."])])


# Figures.


def test_every_finding_stands_once_where_its_measure_belongs(document: Element):
    """Catches a finding that is lost, doubled, or on the axis of another measure."""
    found = {}
    for panel in document.one(id="frequencies").all("div", "panel"):
        heading = panel.one("h3").attributes["id"].removeprefix("p-")
        for row in (*panel.all("tr", "f"), *panel.all("li", "f")):
            assert row.attributes["id"] not in found
            found[row.attributes["id"]] = heading
    measures = {panel.id: set(panel.measures) for panel in PANELS} | {"words": {"qualitative"}}
    assert found.keys() == FINDINGS.keys()
    for key, panel in found.items():
        assert FINDINGS[key]["measure"] in measures[panel]


def test_every_measure_has_one_panel():
    """Catches a measure of the schema that no panel or two panels would show."""
    shown = Counter(measure for panel in PANELS for measure in panel.measures)
    assert set(shown.values()) == {1}
    assert {*shown, "qualitative"} == category("findings", "measure").keys()


def test_panels_say_how_to_read_them(document: Element):
    """Catches a plot without axis, unit or words."""
    for table in document.all("table", "forest"):
        panel = table.above("div")
        assert panel.one("span", "unit").words
        assert len(panel.one("p", "small").words) > 30
        axis = table.one("thead")
        assert len(list(axis.all("text"))) >= 3


def test_rows_stand_by_selection_then_highest_first(document: Element):
    """Catches an order that hides what explains the differences, or a row that does not name it."""
    selections = [*category("findings", "selection"), ""]
    for body in document.all("tbody", role="rowgroup"):
        found = [FINDINGS[row.attributes["id"]] for row in body.all("tr", "f")]
        places = [
            (selections.index(f["selection"]), -float(f["value"] or f["upper"])) for f in found
        ]
        assert places == sorted(places)
        for row in body.all("tr", "f"):
            named = FINDINGS[row.attributes["id"]]["selection"].replace("_", " ")
            assert row.one("span", "sel").words == (named or "selection not told")


def test_groups_stand_like_the_tree_of_features(document: Element):
    """Catches a feature under a wrong parent, and one that does not name those above it."""
    features = {row["feature_id"]: row for row in rows("clinical_features")}
    regions = {row["region_id"]: row["name"] for row in rows("spinal_regions")}
    for body in document.all("tbody", role="rowgroup"):
        kinds = {FINDINGS[row.attributes["id"]]["feature_id"] for row in body.all("tr", "f")}
        (key,) = kinds
        path = []
        feature = features[key]
        while feature["parent_id"]:
            feature = features[feature["parent_id"]]
            path.insert(0, f"{feature['name']} › ")
        head = body.one("tr", "feature")
        assert head.one("span", "path").text == "".join(path)
        name, _, region = head.one("span", "name").text.partition(": ")
        assert name == features[key]["name"]
        if region:
            names = {
                regions[FINDINGS[row.attributes["id"]]["region_id"]] for row in body.all("tr", "f")
            }
            assert names == {region}


def test_groups_say_how_many_rows_and_which_range_they_hold(document: Element):
    """Catches a folded group that hides how far its studies lie apart."""
    for body in document.all("tbody", role="rowgroup"):
        found = [FINDINGS[row.attributes["id"]] for row in body.all("tr", "f")]
        assert body.one(cls="many").words == f"{len(found)} row" + "s" * (len(found) > 1)
        ends = [(f["value"] or f["lower"], f["value"] or f["upper"]) for f in found]
        low = min(float(low) for low, _ in ends)
        high = max(float(high) for _, high in ends)
        said = re.findall(r"-?[0-9.]+", body.one(cls="extent").words)
        assert (float(said[0]), float(said[-1])) == (low, high)
        assert len(list(body.one("tr", "feature").one("g", "m").inside)) >= len(found)


def expected_interval(finding: dict[str, str]) -> tuple[float, float] | None:
    """The interval or range of a finding: printed, or computed by statsmodels from its counts."""
    if finding["interval"]:
        return float(finding["lower"]), float(finding["upper"])
    if finding["measure"] in SHARES and finding["n_events"]:
        from statsmodels.stats.proportion import proportion_confint  # takes seconds

        events, total = int(finding["n_events"]), int(finding["n_total"])
        low, high = proportion_confint(events, total, method="wilson")
        return 100 * low, 100 * high
    return None


def test_intervals_are_those_of_the_paper_or_of_the_counts(drawn: dict[str, Element]):
    """Catches an interval from rounded figures, a wrong one, and one that is left out."""
    for key, row in drawn.items():
        finding = FINDINGS[key]
        plot = row.one("td", "plot")
        lines, bars = list(plot.all("line", "ci")), list(plot.all("rect", "range"))
        ends = expected_interval(finding)
        caps = [use for use in plot.all("use") if use.attributes["href"] == "#m-cap"]
        assert len(caps) == 2 * (finding["interval"] == "interval_95"), key
        assert len(bars) == (finding["interval"] == "range"), key
        assert len(lines) == (ends is not None and not bars), key
        if ends is None:
            assert "[" not in row.one("td", "est").words
            continue
        if finding["measure"] in SHARES:
            if lines:
                found = [float(lines[0].attributes[name].rstrip("%")) for name in ("x1", "x2")]
            else:
                low, width = (float(bars[0].attributes[n].rstrip("%")) for n in ("x", "width"))
                found = [low, low + width]
            assert found == pytest.approx(ends, abs=0.011), key


def test_bounds_have_the_decimals_of_the_value(drawn: dict[str, Element]):
    """Catches a bound more certain than its value, and a figure that is not the table's."""
    for key, row in drawn.items():
        finding, estimate = FINDINGS[key], row.one("td", "est")
        printed = estimate.one("b").words
        if not finding["value"]:
            assert printed.startswith(f"{finding['lower']}–{finding['upper']}")
            continue
        said = SIGNS[finding["comparator"]] + finding["value"]
        assert re.fullmatch(rf"{re.escape(said)}(%| days)?", printed), key
        bounds = re.search(r"\[(?:range )?(.*?)–(.*?)\]", estimate.words)
        assert (bounds is None) == (expected_interval(finding) is None)
        if bounds and not finding["interval"]:
            digits = len(finding["value"].partition(".")[2])
            assert all(len(bound.partition(".")[2]) == digits for bound in bounds.groups())
        elif bounds:
            assert bounds.groups() == (finding["lower"], finding["upper"])


def test_comparators_are_drawn(drawn: dict[str, Element]):
    """Catches a bound that looks like a value."""
    for key, row in drawn.items():
        hrefs = [use.attributes["href"] for use in row.one("td", "plot").all("use")]
        arrows = {">": "#m-more", ">=": "#m-more", "<": "#m-less", "<=": "#m-less"}
        expected = arrows.get(FINDINGS[key]["comparator"])
        assert [href for href in hrefs if href in arrows.values()] == [expected] * bool(expected)


def test_the_sign_is_that_of_the_stance(drawn: dict[str, Element]):
    """Catches a shape that says another stance than the row."""
    for key, row in drawn.items():
        stance = FINDINGS[key]["stance"] or "none"
        point = [stance] if FINDINGS[key]["value"] else []
        assert signs(row.one("td", "plot")) == point
        assert signs(row.one("th")) == [stance]
        assert row.one("th").words.startswith(FINDINGS[key]["stance"] or "bears on no claim")


def test_bands_only_where_the_claim_states_a_figure_of_the_measure(drawn: dict[str, Element]):
    """Catches a band that holds one measure against another."""
    stated = {
        (finding["statement_id"], finding["measure"])
        for finding in FINDINGS.values()
        if finding["stance"] == "states" and finding["value"]
    }
    assert stated
    for key, row in drawn.items():
        finding = FINDINGS[key]
        banded = (finding["statement_id"], finding["measure"]) in stated
        assert bool(list(row.one("td", "plot").all("rect", "band"))) == banded, key


def test_each_figure_has_what_it_takes_to_read_it(drawn: dict[str, Element]):
    """Catches a figure without population, time point, denominator, case, paper or link."""
    for key, row in drawn.items():
        finding = FINDINGS[key]
        assert row.one("span", "people").text == finding["population"]
        counted = [each.words for each in row.all("span", "counted")]
        case = finding["case_definition"]
        assert counted == [f"counted: {case}"] * bool(case)
        assert row.one("span", "when").words.startswith(finding["timepoint"])
        counts = re.sub(r"[^0-9]", " ", row.one("td", "n").words.replace(",", "")).split()
        assert counts == [c for c in (finding["n_events"], finding["n_total"]) if c]
        in_brackets = row.one("td", "n").words.startswith("(")
        assert in_brackets == bool(counts and finding["measure"] not in SHARES)
        body = row.one("div", "body")
        assert finding["summary"] in body.text
        links = [a.attributes["href"] for a in body.all("a")]
        paper = PAPERS[finding["citation_id"]]
        assert f"#{finding['citation_id']}" in links
        assert (f"https://doi.org/{paper['doi']}" in links) == bool(paper["doi"])
        if not paper["doi"] and not paper["pmid"]:
            assert "no identifier confirmed" in body.words


def test_rows_on_the_same_patients_name_each_other(document: Element):
    """Catches patients that would be counted twice, and a warning where there is no reason."""
    cohorts = defaultdict(set)
    for key, finding in FINDINGS.items():
        cohorts[finding["cohort"] or key].add(key)
    for row in (*document.all("tr", "f"), *document.all("li", "f")):
        key = row.attributes["id"]
        same = [fact for fact in row.all("div") if fact.words.startswith("Same patients")]
        named = {a.text for fact in same for a in fact.all("a")}
        assert named == cohorts[FINDINGS[key]["cohort"] or key] - {key}


def test_an_axis_grows_until_it_shows_every_value():
    """Catches a mark beyond the end of its axis, and an axis with a tick at every step."""
    days = Scale(0, 100, 25).reaching([4, 1234])
    assert days.low == 0
    assert days.high >= 1234
    assert len(days.ticks) <= 8
    assert Scale(0, 1, 0.25).reaching([-0.3]).low == -0.5
    ratio = Scale(1, 100, 1, log=True).reaching([0.2, 33])
    assert (ratio.low, ratio.high) == (0.1, 100)
    assert ratio(1) == pytest.approx(100 / 3)
    assert Scale(0, 100, 25).reaching([7, 93]) == Scale(0, 100, 25)


def test_nothing_is_operable_without_a_script(document: Element):
    """Catches a control that would do nothing, and a row that only a script would show."""
    controls = [*document.all("button"), *document.all("select"), *document.all("input")]
    assert controls
    for control in controls:
        above: Element | None = control
        while above is not None and "hidden" not in above.attributes:
            above = above.parent
        assert above is not None, control.words
    for row in (*document.all("tr", "f"), *document.all("li", "claim")):
        assert "hidden" not in row.attributes
    assert not list(document.all("tbody", "folded"))


# Claims.


def test_claims_with_their_findings(document: Element):
    """Catches a finding under another claim, in another order, or left out."""
    claims = list(document.all("li", "claim"))
    assert [claim.attributes["id"] for claim in claims] == list(CLAIMS)
    paragraphs = [claim.above("div").one("h3").words for claim in claims]
    passages = [row["passage_id"].split("s")[0] for row in CLAIMS.values()]
    assert paragraphs == [f"Paragraph {passage.removeprefix('p')}" for passage in passages]
    for claim in claims:
        key = claim.attributes["id"]
        links = [a for line in claim.all("span", "say") for a in line.all("a")]
        found = [FINDINGS[link.attributes["href"][1:]] for link in links]
        assert {f["finding_id"] for f in found} == {
            k for k, f in FINDINGS.items() if f["statement_id"] == key
        }
        order = [STANCES.index(f["stance"]) for f in found]
        assert order == sorted(order)
        for one, next_one in pairwise(found):
            same = [one[name] == next_one[name] for name in ("stance", "measure")]
            if all(same) and one["value"] and next_one["value"]:
                assert float(one["value"]) >= float(next_one["value"])
        assert claim.one("p", "ctext").text == CLAIMS[key]["claim"]
        assert ("no finding recorded" in claim.words) == (not found)


def test_rows_of_different_measures_never_share_an_axis(document: Element):
    """Catches days drawn as percent."""
    for claim in document.all("li", "claim"):
        for line in claim.one("ul", "ev").all("li") if list(claim.all("ul", "ev")) else ():
            (link,) = line.one("span", "say").all("a")
            finding = FINDINGS[link.attributes["href"][1:]]
            assert bool(list(line.all("span", "mini"))) == (finding["measure"] in SHARES)
            assert line.one("span", "of").words in {
                row["name"] for row in rows("clinical_features")
            }


# Mechanisms and sides.


def boxes_of(graph: Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each box."""
    found = []
    for node in graph.all("g", "node"):
        x, y = map(float, re.findall(r"-?[\d.]+", node.attributes["transform"]))
        rect = node.one("rect").attributes
        found.append((x, y, x + float(rect["width"]), y + float(rect["height"])))
    return found


def points_of(path: str) -> list[tuple[float, float]]:
    """Points along a path of M, C and H, close to each other."""
    found: list[tuple[float, float]] = []
    for letter, numbers in re.findall(r"([MCH])([^MCH]*)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", numbers)]
        x, y = found[-1] if found else (0.0, 0.0)
        if letter == "M":
            found.append((values[0], values[1]))
        elif letter == "H":
            found += [(x + (values[0] - x) * i / 20, y) for i in range(1, 21)]
        else:
            curve = [(x, y), *zip(values[::2], values[1::2], strict=True)]
            for i in range(1, 41):
                t = i / 40
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                found.append(
                    tuple(
                        sum(w * p[axis] for w, p in zip(weights, curve, strict=True))
                        for axis in (0, 1)
                    )
                )
    return found


def check(boxes: list[tuple[float, float, float, float]], paths: list[str]) -> None:
    """No box overlaps another, and no line crosses one: it may touch those at its ends."""
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b)
    for path in paths:
        for x, y in points_of(path):
            inside = [
                box for box in boxes if box[0] < x - 0.1 < x + 0.1 < box[2] and box[1] < y < box[3]
            ]
            assert not inside, (path, inside)


def test_every_relation_is_drawn_and_listed_once(document: Element):
    """Catches an edge that is lost, a box on another, and a line through a box."""
    relations = rows("causal_relations")
    names = {row["feature_id"]: row["name"] for row in rows("clinical_features")}
    listed = [line.words for line in document.one("ul", id="edges").all("li")]
    assert sorted(listed) == sorted(
        f"{names[row['cause_id']]} {row['relation'].replace('_', ' ')} "
        f"{names[row['effect_id']].lower()} ({row['statement_id']})"
        for row in relations
    )
    for size in ("wide", "narrow"):
        graph = document.one("svg", size)
        edges = list(graph.all("path", "edge"))
        stated = [path for path in edges if "is_a_kind_of" not in path.classes]
        assert len(stated) == len(relations)
        found = Counter(kind for path in stated for kind in path.classes - {"edge"})
        assert found == Counter(row["relation"] for row in relations)
        drawn = {" ".join(node.one("text").words.split()) for node in graph.all("g", "node")}
        ends = {names[row[end]] for row in relations for end in ("cause_id", "effect_id")}
        assert {name.replace(" ", "") for name in ends} <= {n.replace(" ", "") for n in drawn}
        check(boxes_of(graph), [path.attributes["d"] for path in edges])


@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), min_size=1, max_size=16),
    st.sampled_from([(124, 48, 40, 14, 15), (104, 56, 24, 14, 13)]),
)
def test_any_graph_without_cycles_can_be_drawn(pairs: list[tuple[int, int]], size: tuple):
    """Catches a new edge that would need a drawing by hand."""
    edges = [
        mechanisms.Edge(f"n{min(pair)}", f"n{max(pair)}", "leads_to")
        for pair in dict.fromkeys(tuple(sorted(pair)) for pair in pairs)
        if pair[0] != pair[1]
    ]
    if not edges:
        return
    features = {
        f"n{i}": Feature(f"n{i}", f"Feature {i}", {"category": "symptom"}, [], [])
        for i in range(12)
    }
    drawing = mechanisms.draw(edges, features, mechanisms.Size(*size))
    sides = [
        (box.x, box.y, box.x + drawing.size.width, box.y + drawing.size.height)
        for box in drawing.boxes
    ]
    check(sides, [line.path for line in drawing.lines])
    assert all(y >= 0 and bottom <= drawing.height + 0.01 for _, y, _, bottom in sides)


def test_sides_of_pain(document: Element):
    """Catches a side that nobody states, and a claim of one review that looks like more."""
    section = document.one("section", id="sides")
    sides = {row["region_id"]: row for row in rows("pain_laterality")}
    regions = {row["region_id"]: row["name"] for row in rows("spinal_regions")}
    found = list(section.all("div", "side"))
    named = [side.one("p").inside[0].text for side in found]
    assert named == [regions[key] for key in ("cervical", "thoracic", "lumbosacral")]
    for side, key in zip(found, ("cervical", "thoracic", "lumbosacral"), strict=True):
        both = sides[key]["laterality"] == "bilateral"
        assert len(list(side.all("g", "on"))) == 1 + both
        assert len(list(side.all("g", "off"))) == 1 - both
        assert sides[key]["qualifier"] in side.words.lower()
    words = section.words.lower()
    reviews = {CLAIMS[row["statement_id"]]["citation_id"] for row in sides.values()}
    assert len(reviews) == 1
    assert "rests on one review" in words
    stated = {row["pain_type_id"] for row in sides.values()}
    others = [r["name"].lower() for r in rows("pain_types") if r["pain_type_id"] not in stated]
    assert f"it states no side for the other pain types: {', '.join(others)}" in words


# Papers and tables.


def test_papers(document: Element):
    """Catches a paper that is lost, an identifier that is invented, and a link that tells on us."""
    listed = list(document.one("ol", "refs").all("li"))
    assert sorted(item.attributes["id"] for item in listed) == sorted(PAPERS)
    families = [item.one("b").text.split(",")[0].rsplit(" ", 1)[0] for item in listed]
    assert families == sorted(families, key=str.lower)
    for item in listed:
        paper = PAPERS[item.attributes["id"]]
        addresses = {
            "https://doi.org/{doi}": paper["doi"],
            "https://pubmed.ncbi.nlm.nih.gov/{pmid}/": paper["pmid"],
            "https://pmc.ncbi.nlm.nih.gov/articles/{pmcid}/": paper["pmcid"],
        }
        links = [a.attributes["href"] for a in item.all("a")]
        outward = [link for link in links if not link.startswith("#")]
        assert outward == [form.format(**paper) for form, value in addresses.items() if value]
        confirmed = bool(paper["doi"] or paper["pmid"])
        assert ("no identifier confirmed" in item.words) == (not confirmed)
        reported = [k for k, f in FINDINGS.items() if f["citation_id"] == paper["citation_id"]]
        assert [link[1:] for link in links if link.startswith("#")] == reported
        assert all(link.startswith("https://") for link in outward)
    for a in document.all("a"):
        outward = re.match("[a-z]+:", a.attributes["href"]) and "download" not in a.attributes
        assert (a.attributes.get("rel") == "noreferrer") == bool(outward)


def test_the_bibliography_is_that_of_the_release(document: Element, released: Path):
    """Catches papers in the page that differ from those beside it."""
    button = document.one("a", "button")
    start = "data:application/x-bibtex;base64,"
    assert button.attributes["href"].startswith(start)
    content = base64.b64decode(button.attributes["href"].removeprefix(start), validate=True)
    assert content == (released / "citations.bib").read_bytes()


@pytest.mark.parametrize("name", ["findings", "clinical_features", "ontology_mappings"])
def test_tables_are_handed_out_as_they_are(document: Element, name: str):
    """Catches a table that the page changed, and a row that a download would miss."""
    flat = next(document.all("table", "flat", **{"data-file": f"{name}.csv"}))
    around = flat.above("div").parent
    assert around is not None
    siblings = [each for each in around.inside if isinstance(each, Element)]
    file = siblings[siblings.index(flat.above("div")) + 1]
    assert file.tag == "pre"
    assert file.text.encode() == (ROOT / f"data/{name}.csv").read_bytes()
    body = list(flat.one("tbody").all("tr"))
    assert len(body) == len(rows(name))
    key = SCHEMAS[name]["primaryKey"][0]
    assert [row.one("th").words for row in body] == [row[key] for row in rows(name)]


# The page as a whole.


def test_the_policy_allows_this_style_and_this_script(text: str, document: Element):
    """Catches a page whose own style or script a browser refuses, or that allows more."""
    meta = document.one("meta", **{"http-equiv": "Content-Security-Policy"})
    hashes = []
    for tag in ("script", "style"):
        (content,) = re.findall(rf"(?s)<{tag}>(.*?)</{tag}>", text)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes.append(f"'sha256-{digest}'")
    assert meta.attributes["content"] == (
        f"default-src 'none'; script-src {hashes[0]}; style-src {hashes[1]}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    place = text.index("Content-Security-Policy")
    assert place < text.index("<style>") < text.index("<script>")
    assert "\r" not in text


def test_the_page_asks_for_nothing(text: str, document: Element):
    """Catches an address that a browser would fetch, and code in an attribute."""
    (style,) = re.findall(r"(?s)<style>(.*?)</style>", text)
    assert "@import" not in style
    assert set(re.findall(r"url\(([^)]*)\)", style)) <= {"#arrow"}
    for element in document.all():
        for name, value in element.attributes.items():
            assert name != "style"
            assert not name.startswith("on"), name
            if name in ("src", "srcset", "poster", "action", "formaction", "data"):
                raise AssertionError(f"{element.tag} {name}={value}")
        if element.tag == "link":
            assert element.attributes["href"].startswith("data:")
    assert {each.tag for each in document.all()}.isdisjoint(
        {"img", "iframe", "object", "embed", "audio", "video", "source", "base"}
    )


def test_links_and_ids(document: Element):
    """Catches a link into nothing, and two elements of one name."""
    ids = Counter(e.attributes["id"] for e in document.all() if "id" in e.attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    for element in document.all():
        href = element.attributes.get("href", "")
        if href.startswith("#"):
            assert href[1:] in ids, href
        for name in ("aria-labelledby", "aria-describedby", "aria-controls", "form", "for"):
            for target in element.attributes.get(name, "").split():
                assert target in ids, target


def test_same_bytes_elsewhere(page: Path, tmp_path: Path):
    """Catches a clock, a locale, a hash or a path in the page."""
    shutil.copytree(copied(tmp_path), tmp_path / "another place")
    settings = {"TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}
    done = validate(
        tmp_path / "another place", "--export", tmp_path / "out", env=os.environ | settings
    )
    assert done.returncode == 0, done.stdout + done.stderr
    built = (tmp_path / "out/index.html").read_bytes()
    assert built == page.read_bytes()
    for secret in (str(tmp_path), str(ROOT), os.environ.get("USER", "no user"), "another place"):
        assert secret.encode() not in built


def test_the_page_is_in_the_zip_with_everything(page: Path, unpacked: Path):
    """Catches a zip that a reader cannot open in a browser."""
    assert (unpacked / "index.html").read_bytes() == page.read_bytes()


def test_size(page: Path):
    """Catches a page that grows faster than its findings: docs/decisions.md has the budget."""
    content = page.read_bytes()
    assert len(content) <= 6000 * len(FINDINGS)
    assert len(gzip.compress(content, 9, mtime=0)) <= 1000 * len(FINDINGS)


# Colors.

STYLE = (ROOT / "scripts/pipeline/formats/page/page.css").read_text(encoding="utf-8")


def tokens(block: str) -> dict[str, str]:
    """The colors that a block of the style sheet names."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6}(?:[0-9a-f]{2})?);", block))


LIGHT, SYSTEM, CHOSEN = (
    tokens(block) for block in re.findall(r"(?s)color-scheme: (?:light|dark);(.*?)\}", STYLE)
)


def contrast(one: str, other: str) -> float:
    """The contrast of two colors after WCAG 2."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, CHOSEN], ids=["light", "dark"])
def test_contrast(theme: dict[str, str]):
    """Catches a text or a sign that some cannot tell from its ground."""
    texts = ["ink", "muted", "link", *STANCES, "none"]
    for ground in ("bg", "paper", "soft"):
        for name in texts:
            assert contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
        assert contrast(theme["focus"], theme[ground]) >= 3
    for stance in STANCES:
        assert contrast(theme["ink"], theme[f"t-{stance}"]) >= 4.5
        assert contrast(theme[stance], theme[f"t-{stance}"]) >= 3
    assert contrast(theme["ink"], theme["warn"]) >= 4.5


def test_both_ways_to_darkness_look_the_same():
    """Catches a color that was changed for one of the two alone."""
    assert SYSTEM == CHOSEN
    assert SYSTEM.keys() == LIGHT.keys()


# What other data would do.

HOSTILE = (
    "</script><script>alert(1)</script>",
    "</pre></style><img src=x onerror=alert(1)>",
    "\"' onfocus=alert(1) autofocus x='\"",
    "<! &b> {{ 7 * 7 }} ]]> & amp",
    "left \u05d0\u05d1\u05d2 (95%) right",
    "x" * 10_000,
)


def exported(package: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Export a package; what has nothing to do with the page is skipped where it may be."""
    refresh(package)
    return validate(package, "--export", out, "--skip", "frictionless")


def changed(package: Path, table: str, change: dict[int, dict[str, str]]) -> None:
    """Change cells of a table, by the number of the row."""
    path = package / f"data/{table}.csv"
    found = rows(table)
    for number, cells in change.items():
        found[number] |= cells
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, found[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


def test_hostile_text_stays_text(tmp_path: Path):
    """Catches a cell that becomes markup, script, or another cell."""
    package = copied(tmp_path)
    names = ("population", "timepoint", "summary", "case_definition")
    change = {
        number: {name: f"{number} {name} {text}" for name in names}
        for number, text in enumerate(HOSTILE)
    }
    changed(package, "findings", change)
    done = exported(package, tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    document = tree((tmp_path / "out/index.html").read_text(encoding="utf-8"))
    ids = [row["finding_id"] for row in rows("findings")]
    for number, cells in change.items():
        row = document.one("tr", id=ids[number])
        assert row.one("span", "people").text == cells["population"]
        assert row.one("p", "sum").text == cells["summary"]
        assert row.one("span", "counted").text == f"counted: {cells['case_definition']}"
    assert len(list(document.all("script"))) == 1
    assert not list(document.all("img"))
    flat = next(document.all("table", "flat"))
    assert len(list(flat.one("tbody").all("tr"))) == len(ids)


def test_a_new_stance_and_a_new_measure_need_no_python(text: str, tmp_path: Path):
    """Catches a row that vanishes, or a claim that seems to have none, for a value added later.

    Such a value may have blanks and marks, which no id and no class of the page takes over.
    """
    package = copied(tmp_path)
    renamed = {"extends": "supports & more", "mean_sins": "sum of <sins>"}
    shutil.rmtree(package / "schemas/json")
    schema = (package / "schemas/findings.json").read_text(encoding="utf-8")
    for old, new in renamed.items():
        assert f'"{old}"' in schema
        schema = schema.replace(f'"{old}"', f'"{new}"')
    (package / "schemas/findings.json").write_text(schema, encoding="utf-8")
    change = {
        number: {name: renamed.get(row[name], row[name]) for name in ("stance", "measure")}
        for number, row in enumerate(rows("findings"))
    }
    changed(package, "findings", change)
    done = exported(package, tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    new = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    counted = re.compile(r"Of \d+ claims, \d+ have findings").findall
    assert len(counted(new)) == 1
    assert counted(new) == counted(text)
    document = tree(new)
    ids = Counter(element.attributes.get("id") for element in document.all())
    del ids[None]
    assert {name for name, times in ids.items() if times > 1 or len(name.split()) != 1} == set()
    aimed = {
        name
        for element in document.all()
        for key in ("href", "aria-labelledby", "aria-describedby")
        for name in element.attributes.get(key, "").split()
        if key != "href" or name.startswith("#")
    }
    assert {name.removeprefix("#") for name in aimed} <= ids.keys()
    drawn = [row.attributes["id"] for row in (*document.all("tr", "f"), *document.all("li", "f"))]
    assert sorted(drawn) == sorted(FINDINGS)
    (panel,) = (
        each
        for each in document.one(id="frequencies").all("div", "panel")
        if each.one("h3").text.startswith("Sum of <sins>")
    )
    sums = {row["finding_id"] for row in rows("findings") if row["measure"] == "mean_sins"}
    assert {row.attributes["id"] for row in panel.all("tr", "f")} == sums
    stances = defaultdict(set)
    for row in rows("findings"):
        stances[row["statement_id"]].add(row["stance"])
    alone = {claim for claim, found in stances.items() if found == {"extends"}}
    others = {
        tile.attributes["href"].removeprefix("#")
        for tile in document.all("a", "tile")
        if tile.attributes["class"] == "tile other"
    }
    assert alone
    assert alone <= others
    read = Package(str(package))
    for resource in read.resources:
        resource.read()
    for drawn_again in picture.render(read).themes.values():
        assert "supports & more" in "".join(ElementTree.fromstring(drawn_again).itertext())


def test_a_schema_that_says_less(tmp_path: Path):
    """Catches a page that needs what no rule asks for: a label of each value, a list of values."""
    package = copied(tmp_path)
    shutil.rmtree(package / "schemas/json")
    for name in ("clinical_features", "findings"):
        schema = json.loads((package / f"schemas/{name}.json").read_text(encoding="utf-8"))
        for field in schema["fields"]:
            for each in field.get("categories", []):
                del each["label"]
            if field["name"] == "category":
                del field["categories"], field["constraints"]["enum"]
        (package / f"schemas/{name}.json").write_text(json.dumps(schema), encoding="utf-8")
    done = exported(package, tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    document = tree((tmp_path / "out/index.html").read_text(encoding="utf-8"))
    drawn = [row.attributes["id"] for row in (*document.all("tr", "f"), *document.all("li", "f"))]
    assert sorted(drawn) == sorted(FINDINGS)


# The picture of the README.

FIGURES = ("docs/figures/frequencies-light.svg", "docs/figures/frequencies-dark.svg")


@pytest.mark.parametrize("name", FIGURES)
def test_picture_shows_every_share_on_the_line_of_its_feature(name: str):
    """Catches a share that is not in the picture, one too high, and one that is no XML."""
    ElementTree.parse(ROOT / name)
    picture = tree((ROOT / name).read_text(encoding="utf-8")).one("svg")
    shares = [row for row in rows("findings") if row["measure"] in SHARES]
    marks = list(picture.all(cls="mark"))
    assert sum(mark.tag == "g" for mark in marks) == sum(bool(row["value"]) for row in shares)
    assert len(marks) == len(shares)
    for column in picture.all("g", "column"):
        heights = {text.attributes["y"] for text in column.all("text", "name")}
        assert 1 <= len(heights) <= 25
    named = " ".join(text.words for text in picture.all("text", "name"))
    for row in rows("clinical_features"):
        if any(share["feature_id"] == row["feature_id"] for share in shares):
            assert row["name"] in named
    assert picture.one("title").words.startswith(f"{len(shares)} reported shares")


def test_picture_says_what_is_to_be_seen():
    """Catches a picture that a reader who does not see it learns nothing from."""
    readme = tree((ROOT / "README.md").read_text(encoding="utf-8").split("```")[0])
    picture = readme.one("picture")
    assert picture.one("source").attributes["srcset"] == FIGURES[1]
    image = picture.one("img").attributes
    assert image["src"] == FIGURES[0]
    light = tree((ROOT / FIGURES[0]).read_text(encoding="utf-8"))
    assert image["alt"] == light.one("title").text
    assert re.search(r"lie far apart: the \d+ on .* from [\d.]+ to [\d.]+%", image["alt"])
    assert "A gray band marks what claim" in image["alt"]


def test_a_stale_picture_is_found_and_drawn_anew(tmp_path: Path):
    """Catches a picture that shows figures which the tables no longer have."""
    package = copied(tmp_path)
    shutil.copytree(ROOT / "docs/figures", package / "docs/figures")
    marks = "<!-- picture: generated by scripts/validate.py --fix -->\n<!-- end of picture -->\n"
    (package / "README.md").write_text(f"# Title\n\n{marks}", encoding="utf-8")
    changed(package, "findings", {1: {"value": "84"}})
    run("validate.py", package, "--fix", "--quick")
    for name in ("README.md", *FIGURES):
        text = (package / name).read_text(encoding="utf-8")
        assert text != marks
        (package / name).write_text(text.replace("clinical features", "features"), encoding="utf-8")
        found = [i for i in issues(package, "--skip", "frictionless") if i.startswith(name)]
        assert found, name
        assert found[0].endswith("[stale-evidence]")
        run("validate.py", package, "--fix", "--quick")
        assert (package / name).read_text(encoding="utf-8") == text


# Standards.


def test_html_is_valid(page: Path, node_of_the_page: Path):
    """Catches markup that browsers repair each in their own way."""
    done = subprocess.run(
        ["node_modules/.bin/html-validate", "--config", ".htmlvalidate.json", str(page)],
        cwd=node_of_the_page,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    json.loads((node_of_the_page / ".htmlvalidate.json").read_text(encoding="utf-8"))
