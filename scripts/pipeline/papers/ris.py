"""RIS, as most reference managers and publishers write it, by rispy, record by record."""

import re
from collections.abc import Iterable, Iterator

from pipeline.issue import CannotRun
from pipeline.papers import Record, issns_in, names, pmcid_in, pmid_in, tidy

BEGINS = re.compile(r"^TY {0,2}- ", re.MULTILINE)
_TAG = re.compile(r"([A-Z][A-Z0-9]) {0,2}- ?(.*)")
_KINDS = {
    "JOUR": "article-journal",
    "EJOUR": "article-journal",
    "JFULL": "article-journal",
    "INPR": "article-journal",
    "BOOK": "book",
    "CHAP": "chapter",
    "CONF": "paper-conference",
    "CPAPER": "paper-conference",
    "THES": "thesis",
    "RPRT": "report",
}


def read(lines: Iterable[str], file: str) -> Iterator[Record]:
    """The records of a file, each as soon as it ends.

    Raises CannotRun where one begins before the last has its line ER, or none comes.
    """
    from rispy.config import LIST_TYPE_TAGS

    chunk: list[list[str]] = []
    start, is_text = 0, False
    for number, line in enumerate(lines, 1):
        match = _TAG.match(line)
        tag = match[1] if match else ""
        if tag == "TY":
            if chunk:
                break
            start = number
        elif not start:
            continue  # what stands between records is nobody's
        if match:
            # Some write one blank where the format has two, which rispy does not read.
            chunk.append([f"{tag}  - {match[2].strip()}"])
            is_text = tag not in LIST_TYPE_TAGS
        elif is_text:
            chunk[-1].append(line.strip())  # rispy would copy the text for each of its lines
        else:
            chunk.append([line.strip()])
        if tag == "ER":
            yield _record(list(map(" ".join, chunk)), file, start)
            chunk, start = [], 0
    if chunk:
        raise CannotRun(
            f"{file}:{start}: the record has no line ER: the file is truncated; export it again"
        )


def _record(lines: list[str], file: str, line: int) -> Record:
    import rispy

    (entry,) = rispy.loads("\n".join(lines))

    def first(*keys: str) -> str:
        return next((tidy(entry[key]) for key in keys if entry.get(key)), "")

    notes = [tidy(each) for each in entry.get("notes", [])]
    addresses = [*entry.get("urls", []), first("type_of_work")]
    start, end = first("start_page"), first("end_page")
    others = entry.get("unknown_tag", {})
    number = first("custom7") or next(map(tidy, others.get("AR", [])), "")
    accession = first("accession_number")
    return Record(
        file,
        line,
        key=first("id"),
        kind=_KINDS.get(first("type_of_reference").upper(), "document"),
        authors=names.of_list(
            [
                names.inverted(each)
                for each in entry.get("authors") or entry.get("first_authors", [])
            ]
        ),
        title=first("title", "primary_title"),
        journal=first("secondary_title", "alternate_title3", "journal_name"),
        abbreviation=first("alternate_title1", "alternate_title2"),
        year=first("year", "publication_year", "date"),
        volume=first("volume"),
        issue=first("number"),
        pages=f"{start}-{end}" if end and end != start and "-" not in start else start or number,
        doi=first("doi") or next((url for url in addresses if "10." in url), ""),
        pmid=accession if re.fullmatch(r"[1-9]\d{0,7}", accession) else pmid_in(" ".join(notes)),
        pmcid=first("custom2") if "PMC" in first("custom2") else pmcid_in(" ".join(notes)),
        issn=issns_in(first("issn")),
        note="; ".join(notes),
        abstract=first("abstract", "notes_abstract"),
    )
