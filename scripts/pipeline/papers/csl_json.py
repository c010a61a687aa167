"""CSL-JSON, as Zotero and others write it: a list of items, read one by one."""

import json
import re
from collections.abc import Iterator

from pipeline.issue import CannotRun
from pipeline.papers import Event, Record, issns_in, names, pmcid_in, pmid_in, tidy

BEGINS = re.compile(r"\A\s*[\[{]")
_BLANK = re.compile(r"\s*")


def read(text: str, file: str) -> Iterator[Record]:
    """The items of a file. Raises CannotRun where it is no list of items."""
    where, line = 0, 1
    for place, item in _items(text, file):
        line += text.count("\n", where, place)
        where = place
        if not isinstance(item, dict) or not ("title" in item or "type" in item):
            raise CannotRun(f"{file}:{line}: not an item of CSL-JSON, which has type and title")
        yield _record(item, file, line)


def _items(text: str, file: str) -> Iterator[tuple[int, object]]:
    """Where each item begins, and the item; one object alone, or one with `items`, counts too."""
    decode = json.JSONDecoder().raw_decode
    place = _end(_BLANK, text, 0)
    try:
        if text[place] == "{":
            whole, end = decode(text, place)
            inside = whole.get("items")
            _finished(text, end)
            yield from ((place, each) for each in (inside if isinstance(inside, list) else [whole]))
            return
        place = _end(_BLANK, text, place + 1)
        while text[place : place + 1] != "]":
            item, end = decode(text, place)
            yield place, item
            place = _end(_BLANK, text, end)
            if text[place : place + 1] == ",":
                place = _end(_BLANK, text, place + 1)
            elif text[place : place + 1] != "]":
                raise json.JSONDecodeError("a comma or a bracket is missing", text, place)
        _finished(text, place + 1)
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg}; is the file truncated?"
        raise CannotRun(f"{file}:{error.lineno}:{error.colno}: {what}") from error
    except (RecursionError, ValueError) as error:
        line = text.count("\n", 0, place) + 1
        raise CannotRun(f"{file}:{line}: a value is nested too deeply or too long") from error


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _finished(text: str, end: int) -> None:
    if text[end:].strip():
        raise json.JSONDecodeError("something stands behind the end", text, end)


def _record(item: dict[str, object], file: str, line: int) -> Record:
    def first(*keys: str) -> str:
        return next((found for key in keys if (found := _text(item.get(key)))), "")

    note = first("note")
    retracted = first("status").lower() == "retracted"
    return Record(
        file,
        line,
        key=first("id"),
        kind=first("type"),
        authors=_authors(item.get("author")),
        title=first("title"),
        journal=first("container-title"),
        abbreviation=first("container-title-short", "journalAbbreviation"),
        year=_date(item.get("issued")),
        volume=first("volume"),
        issue=first("issue"),
        pages=first("page", "number"),
        doi=first("DOI") or (first("URL") if "doi.org/10." in first("URL") else ""),
        pmid=first("PMID") or pmid_in(note),
        pmcid=first("PMCID") or pmcid_in(note),
        issn=issns_in(first("ISSN")),
        online=_date(item.get("available-date")),
        note=note,
        abstract=first("abstract"),
        events=[Event("retraction", "the export gives its status as retracted")] * retracted,
    )


def _text(value: object) -> str:
    """A text or a number as a text in one line; a list by its first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return tidy(str(value)) if is_number or isinstance(value, str) else ""


def _date(value: object) -> str:
    """A date of CSL as far as it goes: `2008`, `2008-05` or `2008-05-01`."""
    if not isinstance(value, dict):
        return ""
    parts = value.get("date-parts")
    if isinstance(parts, list) and parts and isinstance(parts[0], list):
        numbers = [_text(part) for part in parts[0][:3]]
        return "-".join(number.zfill(2) for number in numbers if number.isdigit())
    written = re.match(r"\d{4}(-\d\d){0,2}", _text(value.get("raw") or value.get("literal")))
    return written[0] if written else ""


def _authors(value: object) -> list[str]:
    found = []
    for name in value if isinstance(value, list) else []:
        part = {k: _text(v) for k, v in name.items()} if isinstance(name, dict) else {}
        particles = (part.get("dropping-particle", ""), part.get("non-dropping-particle", ""))
        family = " ".join(filter(None, (*particles, part.get("family", ""))))
        if literal := part.get("literal"):
            found.append(names.listed(literal))
        elif family:
            found.append(names.person(family, part.get("given", ""), part.get("suffix", "")))
        else:
            found.append(names.listed(part.get("given", "")))
    return names.of_list(found)
