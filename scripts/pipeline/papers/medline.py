"""PubMed's own format, MEDLINE (`.nbib`): a tag of four letters, a hyphen, a value a line."""

import re
from collections.abc import Iterable, Iterator

from pipeline.issue import CannotRun
from pipeline.papers import Event, Record, names, tidy

BEGINS = re.compile(r"^PMID *- *\d", re.MULTILINE)
_TAG = re.compile(r"([A-Z]{2,4}) *- ?(.*)")
_TYPED = re.compile(r"(.*)\[(doi|pii)\]$", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)")
_EVENTS = {"RIN": "retraction", "ECI": "concern", "EIN": "erratum", "CRI": "erratum"}
# Publication types of what is no paper but says something of one.
_NOTICES = {
    "retraction of publication",
    "retraction notice",
    "published erratum",
    "expression of concern",
}


def read(lines: Iterable[str], file: str) -> Iterator[Record]:
    """The records of a file, each as soon as it ends.

    Raises CannotRun where the last one is cut off: PubMed ends each with its source, SO.
    """
    found: list[tuple[str, list[str]]] = []
    start, ended, line = 1, False, "\n"
    for number, line in enumerate(lines, 1):
        if match := _TAG.match(line):
            if match[1] == "PMID":
                if found:
                    yield _record(found, file, start)
                found, start = [], number
            ended |= match[1] == "SO"
            found.append((match[1], [match[2].strip()]))
        elif found and line[:1].isspace() and line.strip():
            found[-1][1].append(line.strip())
    if found:
        is_whole = any(tag == "SO" for tag, _ in found)
        if not is_whole and (ended or not line.endswith("\n")):
            what = "the record ends before its line SO: the file is truncated; export it again"
            raise CannotRun(f"{file}:{start}: {what}")
        yield _record(found, file, start)


def _record(lines: list[tuple[str, list[str]]], file: str, line: int) -> Record:
    found = [(tag, " ".join(parts)) for tag, parts in lines]
    fields: dict[str, list[str]] = {}
    for tag, value in found:
        fields.setdefault(tag, []).append(value)

    def first(*tags: str) -> str:
        return next((tidy(fields[tag][0]) for tag in tags if tag in fields), "")

    named = [
        (kind.lower(), tidy(value))
        for tag in ("LID", "AID")
        for value, kind in (m.groups() for m in map(_TYPED.match, fields.get(tag, [])) if m)
    ]
    piis = [value for kind, value in named if kind == "pii"]
    types = [tidy(each) for each in fields.get("PT", [])]
    day = _DAY.fullmatch(first("DEP"))
    kind = "preprint" if "Preprint" in types else "book" if "BTI" in fields else "article-journal"
    return Record(
        file,
        line,
        kind=kind,
        authors=_authors(found),
        # The title of a translated paper stands in brackets; TT is in its own words.
        title=first("TT") if first("TI").startswith("[") and "TT" in fields else first("TI"),
        journal=first("JT"),
        abbreviation=first("TA"),
        year=first("DP"),
        volume=first("VI"),
        issue=first("IP"),
        pages=first("PG") or next((each for each in piis if re.fullmatch(r"e\d+", each)), ""),
        doi=next((value for kind, value in named if kind == "doi"), ""),
        pmid=first("PMID"),
        pmcid=first("PMC"),
        pii=piis,
        issn=_issns(fields.get("IS", [])),
        online="-".join(day.groups()) if day else "",
        abstract=" ".join(tidy(each) for each in fields.get("AB", [])),
        types=types,
        events=_events(fields, types),
        from_medline=True,
    )


def _authors(found: list[tuple[str, str]]) -> list[str]:
    """Persons as AU lists them, or else FAU, and groups from CN, in the order of the file."""
    short = "AU" if any(tag == "AU" for tag, _ in found) else "FAU"
    read_as = {"AU": names.listed, "FAU": names.inverted, "CN": names.group}
    return names.of_list([read_as[tag](value) for tag, value in found if tag in (short, "CN")])


def _issns(values: list[str]) -> list[str]:
    """The ISSNs, first the one that links all media, then that of the printed journal."""
    order = ("linking", "print", "electronic", "")
    ranked = sorted(values, key=lambda v: next(i for i, o in enumerate(order) if o in v.lower()))
    return list(dict.fromkeys(value.split("(")[0].strip() for value in ranked))


def _events(fields: dict[str, list[str]], types: list[str]) -> list[Event]:
    found = [
        Event(kind, tidy(text)) for tag, kind in _EVENTS.items() for text in fields.get(tag, [])
    ]
    lowered = {each.lower() for each in types}
    if "retracted publication" in lowered and "RIN" not in fields:
        found.insert(0, Event("retraction", "PubMed calls it a retracted publication"))
    found += [Event("notice", f"PubMed calls it: {each}") for each in sorted(lowered & _NOTICES)]
    return found
