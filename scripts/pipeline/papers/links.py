"""What a reader pastes into PubMed and into a reference manager to fetch the papers by hand."""

from typing import NamedTuple

from pipeline import rules
from pipeline.package import Package
from pipeline.papers.adding import TABLE


class Links(NamedTuple):
    """A query for PubMed, the DOIs of all papers that have one, and the papers that have neither.

    The query asks for PMIDs, and for the DOI of a paper whose PMID is not known.
    """

    pubmed_query: str
    dois: list[str]
    without: list[str]


def links(package: Package) -> Links:
    """The links of the papers at hand."""
    rows = list(rules.opened(package, TABLE).table.records())
    terms = [
        f"{row['pmid']}[pmid]" if row["pmid"] else f'"{row["doi"]}"[doi]'
        for row in rows
        if row["pmid"] or row["doi"]
    ]
    without = [row["citation_id"] for row in rows if not (row["pmid"] or row["doi"])]
    return Links(" OR ".join(terms), [row["doi"] for row in rows if row["doi"]], without)
