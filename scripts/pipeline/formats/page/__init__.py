"""The page: every table, claim and figure in one HTML file that asks nothing of any server.

It is made from the same tables as the other formats. Jinja2 writes the text; positions come from
`figures` and `mechanisms`. A strict policy allows the one style sheet and the one script of the
page by their hashes, so that nothing that stands in a cell can run.
"""

import base64
import hashlib
import os
import re
from collections import Counter
from typing import Any

from pipeline import files
from pipeline.formats.page import mechanisms
from pipeline.formats.page.evidence import Evidence, Tables, marks, plain
from pipeline.formats.page.figures import SHARES, at

OWNS = re.compile(r"index\.html")
LIBRARIES = ("jinja2", "markupsafe", "pybtex")
# The tables whose rows the page shows; without one of them there is no page.
TABLES = (
    "causal_relations",
    "citations",
    "clinical_features",
    "conditions",
    "findings",
    "ontology_mappings",
    "pain_laterality",
    "primary_tumors",
    "spinal_regions",
    "statements",
)
_HERE = os.path.dirname(os.path.abspath(__file__))
_WIDE = mechanisms.Size(width=124, height=48, across=40, down=14, letters=15)
_NARROW = mechanisms.Size(width=104, height=56, across=24, down=14, letters=13)


def render(
    descriptor: dict[str, Any],
    schemas: dict[str, Any],
    tables: Tables,
    texts: dict[str, str],
    bibtex: str,
) -> str:
    """The page.

    `texts` are the tables as they stand in their files, which the page hands out again, and
    `bibtex` the papers. Raises CannotRun where a measure has no panel.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    evidence = Evidence(descriptor, schemas, tables)
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"plain": plain, "at": at}
    style, script = (_text(name) for name in ("page.css", "page.js"))
    stated = mechanisms.stated(tables["causal_relations"])
    joined = [*stated, *mechanisms.kinds(stated, evidence.features)]
    return environment.get_template("page.html.j2").render(
        page=evidence,
        marks=marks,
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
        leads=Counter(claim.lead for claim in evidence.claims.values()),
        wide=mechanisms.draw(joined, evidence.features, _WIDE),
        narrow=mechanisms.draw(stated, evidence.features, _NARROW),
        texts=texts,
        bibtex=base64.b64encode(bibtex.encode()).decode(),
    )


def write(
    descriptor: dict[str, Any],
    schemas: dict[str, Any],
    tables: Tables,
    texts: dict[str, str],
    bibtex: str,
    folder: str,
) -> None:
    """Write index.html."""
    files.write_text(folder, "index.html", render(descriptor, schemas, tables, texts, bibtex))


def _text(name: str) -> str:
    """A file beside this one; the hash of the policy covers exactly these characters."""
    with open(os.path.join(_HERE, name), encoding="utf-8") as file:
        return file.read().strip()


def _hash(text: str) -> str:
    """A text as the policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
