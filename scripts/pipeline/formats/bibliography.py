"""The papers as CSL-JSON, BibTeX and RIS, for reference managers.

A family name stays whole, particles included; initials get their points (`Grant RM` becomes
`Grant, R. M.`); `others`, where a list of authors is not complete, stays an author of that name.
"""

import json
import re
from itertools import accumulate

from pipeline import files
from pipeline.authors import OTHERS, author, is_group
from pipeline.formats import content
from pipeline.package import Package
from pipeline.package.typed import Record

OWNS = re.compile(r"citations\.(bib|csl\.json|ris)")
LIBRARIES: dict[str, str] = {"pybtex": "pybtex.database", "rispy": "rispy"}
NEEDS: dict[str, tuple[str, ...]] = {"citations": ("citation_id", "type", "authors", "year")}
# Field of the table, variable of CSL, field of BibTeX, field of rispy.
_FIELDS = (
    ("title", "title", "title", "title"),
    ("journal", "container-title", "journal", "secondary_title"),
    ("journal_abbreviation", "container-title-short", "shortjournal", "alternate_title1"),
    ("volume", "volume", "volume", "volume"),
    ("issue", "issue", "number", "number"),
    ("pages", "page", "pages", None),
    ("doi", "DOI", "doi", "doi"),
    ("pmid", "PMID", "pmid", "accession_number"),
    ("pmcid", "PMCID", "pmcid", "custom2"),
    ("issn", "ISSN", "issn", "issn"),
    ("note", "note", "note", None),
)
# Kinds of publication in CSL, BibTeX and RIS; what is not here is the most general kind.
_KINDS = {"article-journal": ("article", "JOUR")}
_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{mark: f"\\{mark}" for mark in "#$%&_{}"},
    }
)
# BibTeX counts even a brace after a backslash, so that one without its other needs a name.
_ODD = _TEX | str.maketrans({"{": r"\textbraceleft{}", "}": r"\textbraceright{}"})

_IN_TWO = re.compile(r"(?<=-)(?=-)|(?<=[`?!])(?=`)|(?<=')(?=')")


def write(package: Package, folder: str) -> None:
    """Write citations.bib, citations.csl.json and citations.ris, in the order of the table."""
    rows = content.records(package, "citations")
    for kind, render in (("bib", bibtex), ("csl.json", csl_json), ("ris", ris)):
        files.write_text(folder, f"citations.{kind}", render(rows))


def names(authors: str) -> list[dict[str, str]]:
    """The authors of a paper as CSL has them: family and given name and suffix, or one name."""
    found = []
    for text in authors.split("; "):
        family, initials, suffix = author(text)
        if not initials:
            found.append({"literal" if text == OTHERS or is_group(text) else "family": text})
            continue
        given = re.sub(r"(?<=\w)(?=\w)", ". ", initials).replace("-", ".-") + "."
        found.append({"family": family, "given": given} | ({"suffix": suffix} if suffix else {}))
    return found


def csl_json(rows: list[Record]) -> str:
    """The papers as CSL-JSON."""
    items = []
    for row in rows:
        item = {"id": row["citation_id"], "type": row["type"], "author": names(row["authors"])}
        item["issued"] = {"date-parts": [[row["year"]]]}
        if row.get("published_online"):
            item["available-date"] = {
                "date-parts": [[int(part) for part in row["published_online"].split("-")]]
            }
        for field, variable, _, _ in _FIELDS:
            if row.get(field) is not None:
                item[variable] = str(row[field])
        items.append(item)
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def bibtex(rows: list[Record]) -> str:
    """The papers as BibTeX in UTF-8; titles keep their capitals."""
    from pybtex.database import BibliographyData, Entry, Person
    from pybtex.database.output.bibtex import Writer

    class Escaped(Writer):
        """Pybtex itself escapes no brace, no backslash and no dollar, and escapes a DOI."""

        def _encode(self, text: str) -> str:
            return text

    entries = {}
    for row in rows:
        fields = {"year": str(row["year"])}
        for field, _, name, _ in _FIELDS:
            if row.get(field) is not None:
                value = (_address if field == "doi" else _tex)(str(row[field]))
                if field == "title":
                    value = f"{{{value}}}"
                elif field == "pages":
                    value = value.replace("-", "--")
                fields[name] = value
        people = [
            Person(
                first=_tex(name.get("given", "")),
                last=_whole(_tex(name.get("family") or name["literal"])),
                lineage=_tex(name.get("suffix", "")),
            )
            for name in names(row["authors"])
        ]
        kind = _KINDS.get(row["type"], ("misc", "GEN"))[0]
        entries[row["citation_id"]] = Entry(kind, fields=fields, persons={"author": people})
    text: str = Escaped().to_string(BibliographyData(entries))
    return text


def _tex(text: str) -> str:
    """A text in which TeX sees no markup, and no dash or quote in two signs."""
    return _IN_TWO.sub("{}", text.translate(_ODD if _is_odd(text) else _TEX))


def _address(doi: str) -> str:
    """A DOI, which is taken as it stands: biblatex and pandoc make an address of it."""
    return doi.replace("{", "%7B").replace("}", "%7D") if _is_odd(doi) else doi


def _is_odd(text: str) -> bool:
    """Whether a brace lacks its other."""
    depths = list(accumulate((letter == "{") - (letter == "}") for letter in f"{text}."))
    return depths[-1] != 0 or min(depths) < 0


def _whole(family: str) -> str:
    """A family name; braces keep one of several words in one piece."""
    return f"{{{family}}}" if " " in family else family


def ris(rows: list[Record]) -> str:
    """The papers as RIS; the PMID is the accession number, the PMCID stands in C2."""
    import rispy

    class WithoutNumbers(rispy.RisWriter):
        """Pandoc and others refuse the numbers that rispy puts between the papers."""

        def set_header(self, _: int) -> str:
            return ""

    entries = []
    for row in rows:
        entry = {
            "type_of_reference": _KINDS.get(row["type"], ("misc", "GEN"))[1],
            "id": row["citation_id"],
            "authors": [
                ", ".join(
                    name[part] for part in ("literal", "family", "given", "suffix") if part in name
                )
                for name in names(row["authors"])
            ],
            "year": str(row["year"]),
        }
        for field, _, _, name in _FIELDS:
            if name and row.get(field) is not None:
                entry[name] = str(row[field])
        first, _, last = (row.get("pages") or "").partition("-")
        entry |= {key: page for key, page in (("start_page", first), ("end_page", last)) if page}
        if row.get("note"):
            entry["notes"] = [row["note"]]
        entries.append(entry)
    text: str = rispy.dumps(entries, implementation=WithoutNumbers)
    return text.strip() + "\n"
