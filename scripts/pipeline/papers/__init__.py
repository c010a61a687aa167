"""From what reference managers and PubMed export to rows of the package, and back.

`reading` opens a file and knows its format; `medline`, `ris`, `bibtex` and `csl_json` each turn
one format into Records; `names` and `cells` bring them into the form of the tables; `adding`
writes rows, `checking` compares them, `numbers` looks for figures in an abstract, and `report`
says what came of it. Nothing here knows a network, and nothing of an abstract leaves the report.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.letters import normalize, unescaped

# Markup that publishers leave in titles and abstracts; `p < 0.05 and > 3` is none.
_TAGS = re.compile(r"</?(?:i|b|u|em|strong|sub|sup|sc|span|p|jats:\w+)(?:\s[^<>]*)?/?>", re.I)


class Event(NamedTuple):
    """What befell a paper: `kind` is retraction, concern, erratum or notice; where it is said."""

    kind: str
    text: str


@dataclass
class Record:
    """A paper as a file describes it: texts of one line, not yet in the form of the tables.

    `line` is that of its beginning in `file`. `authors` are authors as a cell holds them. `kind`
    is a type of the Citation Style Language. `pii`, `issn` and `types` can be several.
    `abstract` is only ever looked at.
    """

    file: str
    line: int
    key: str = ""
    kind: str = ""
    authors: list[str] = field(default_factory=list)
    title: str = ""
    journal: str = ""
    abbreviation: str = ""
    year: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    pii: list[str] = field(default_factory=list)
    issn: list[str] = field(default_factory=list)
    online: str = ""
    note: str = ""
    abstract: str = ""
    types: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    from_medline: bool = False


def tidy(text: str) -> str:
    """A text in one line, in normalization form C, without markup and entities of HTML."""
    if "<" in text:
        text = _TAGS.sub("", text)
    if "&" in text:
        text = unescaped(text)
    return " ".join(normalize("NFC", text).split())


def issns_in(text: str) -> list[str]:
    """The ISSNs in a text, with or without their hyphen."""
    return re.findall(r"\b\d{4}-?\d{3}[\dXx]\b", text)


def pmid_in(note: str) -> str:
    """The PMID that a note names, as reference managers keep it: `PMID: 1`."""
    found = re.search(r"\bPMID:? *([1-9]\d{0,7})\b", note)
    return found[1] if found else ""


def pmcid_in(note: str) -> str:
    """The PMCID that a note names: `PMCID: PMC1`."""
    found = re.search(r"\bPMCID:? *(PMC\d+)\b", note)
    return found[1] if found else ""
