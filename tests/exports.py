"""Write rows of citations as PubMed would export them, with abstracts that we make up."""

import re
from collections.abc import Iterable


def nbib(rows: Iterable[dict[str, str]], **changes: str) -> str:
    """The papers in PubMed's format; `changes` replaces or adds lines by tag, in every record."""
    return "\n".join(_record(row, changes) for row in rows)


def _record(row: dict[str, str], changes: dict[str, str]) -> str:
    pairs = [
        ("PMID", row["pmid"] or "1"),
        ("IS", row["issn"] and f"{row['issn']} (Linking)"),
        ("VI", row["volume"]),
        ("IP", row["issue"]),
        ("DP", row["year"]),
        ("TI", row["title"] + "." * (row["title"][-1] not in ".?!")),
        ("PG", _short(row["pages"])),
        ("LID", row["doi"] and f"{row['doi'].upper()} [doi]"),
        ("AB", row.get("abstract", "")),
        *(("AU", author) for author in row["authors"].split("; ") if author != "others"),
        ("PT", "Journal Article"),
        ("DEP", row["published_online"].replace("-", "")),
        ("TA", row["journal_abbreviation"]),
        ("JT", row["journal"].lower()),
        ("PMC", row["pmcid"]),
        ("AID", row["pii"] and f"{row['pii']} [pii]"),
        ("SO", "Nowhere."),
    ]
    lines = [(tag, changes.get(tag, value)) for tag, value in pairs]
    added = [pair for pair in changes.items() if pair[0] not in dict(lines)]
    kept = [*lines[:-1], *added, lines[-1]]
    return "".join(f"{tag:4}- {value}\n" for tag, value in kept if value)


def _short(pages: str) -> str:
    """Pages as PubMed shortens them: 459-466 is 459-66."""
    match = re.fullmatch(r"(\d+)-(\d+)", pages)
    if not match or len(match[1]) != len(match[2]):
        return pages
    first, last = match.groups()
    same = next((i for i in range(len(first)) if first[i] != last[i]), len(first) - 1)
    return f"{first}-{last[same:]}"
