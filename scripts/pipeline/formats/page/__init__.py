"""The page: every table, claim and figure in one HTML file that asks nothing of any server.

Jinja2 writes the text; what is drawn where comes from `evidence` and `mechanisms`. A
strict policy allows the one style sheet and the one script of the page by their hashes, so that
nothing that stands in a cell can run.
"""

import base64
import hashlib
import os
import re
from collections import Counter

from pipeline import files
from pipeline.evidence import claims, joined
from pipeline.evidence.figures import SHARES, at, plain
from pipeline.formats import bibliography, content
from pipeline.formats.page import mechanisms
from pipeline.package import Package

# As a folder of the web has it; alone in a release it is called like the package.
NAME = "index.html"
OWNS = re.compile(re.escape(NAME))
LIBRARIES: dict[str, str] = {"jinja2": "jinja2", "pybtex": "pybtex.database"}
# What the page shows of each table.
NEEDS: dict[str, tuple[str, ...]] = {
    "causal_relations": ("cause_id", "relation", "effect_id", "statement_id"),
    "citations": (
        *("citation_id", "type", "study_design", "authors", "title", "journal", "year"),
        *("volume", "issue", "pages", "doi", "pmid", "pmcid", "note"),
    ),
    "clinical_features": ("feature_id", "name", "category", "parent_id", "description"),
    "conditions": ("condition_id", "name"),
    "findings": (
        *("finding_id", "feature_id", "condition_id", "region_id", "primary_tumor"),
        *("citation_id", "statement_id", "stance", "population", "selection", "cohort"),
        *("timepoint", "measure", "case_definition", "comparator", "value", "lower", "upper"),
        *("interval", "n_events", "n_total", "count_unit", "reporting", "derivation"),
        *("source_part", "readings", "summary"),
    ),
    "ontology_mappings": (
        *("subject_id", "predicate_id", "object_id", "object_label", "object_source_version"),
        *("confidence", "comment"),
    ),
    "pain_laterality": ("pain_type_id", "region_id", "laterality", "qualifier", "statement_id"),
    "pain_types": ("pain_type_id", "name"),
    "primary_tumors": ("primary_tumor_id", "name"),
    "spinal_regions": ("region_id", "name"),
    "statements": (
        *("statement_id", "passage_id", "feature_id", "condition_id", "aspect", "claim"),
        *("citation_id", "citation_scope"),
    ),
}
_HERE = os.path.dirname(os.path.abspath(__file__))
_WIDE = mechanisms.Size(width=124, height=48, across=40, down=14, letters=15)
_NARROW = mechanisms.Size(width=104, height=56, across=24, down=14, letters=13)
# The tables that the page hands out as they stand in their files.
_HANDED_OUT = ("clinical_features", "findings", "ontology_mappings")


def write(package: Package, folder: str) -> None:
    """Write index.html."""
    files.write_text(folder, NAME, render(package))


def render(package: Package) -> str:
    """The page of a package whose tables were read and found valid."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    page = joined.read(package, claims.computed(content.table_of(package, "findings").typed))
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"plain": plain, "at": at, "sign": joined.sign}
    style, script = (_text(name) for name in ("page.css", "page.js"))
    stated = mechanisms.stated(page.tables["causal_relations"])
    edges = [*stated, *mechanisms.kinds(stated, page.features)]
    papers = [
        {name: text or None for name, text in row.items()} for row in page.tables["citations"]
    ]
    return environment.get_template("page.html.j2").render(
        page=page,
        marks=joined.marks,
        SHARES=SHARES,
        style=Markup(style),
        script=Markup(script),
        policy="; ".join(
            (
                "default-src 'none'",
                f"script-src '{_hash(script)}'",
                f"style-src '{_hash(style)}'",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
            )
        ),
        leads=Counter(claim.lead for claim in page.claims.values()),
        wide=mechanisms.draw(edges, page.features, _WIDE),
        narrow=mechanisms.draw(stated, page.features, _NARROW),
        texts={name: _file(package, name) for name in _HANDED_OUT},
        bibtex=base64.b64encode(bibliography.bibtex(papers).encode()).decode(),
    )


def _file(package: Package, name: str) -> str:
    """The text of a table. Raises CannotRun where it is no longer what was judged."""
    resource = content.table_of(package, name)
    blocks = files.judged(package.root, resource.path, resource.table.sha256)
    return b"".join(blocks).decode()


def _text(name: str) -> str:
    """A file beside this one; the hash of the policy covers exactly these characters."""
    return files.own(_HERE, name).strip()


def _hash(text: str) -> str:
    """A text as the policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
