"""Adds papers to the table of citations, and completes those that are there already.

A filled cell is never changed. A paper is the one with the same DOI, PMID or PMCID, or with the
same title, year and first author. The file is written whole or not at all.
"""

import os
from collections import defaultdict
from collections.abc import Iterable

from pipeline import files, rules
from pipeline.authors import OTHERS, author
from pipeline.issue import listed, show
from pipeline.letters import unwritable
from pipeline.package import Package, Resource
from pipeline.package.table import written
from pipeline.papers import Event, Record
from pipeline.papers.cells import base_id, cells_of, events, issns, left_out, loose
from pipeline.papers.report import Remark

TABLE = "citations"
IDENTIFIERS = ("doi", "pmid", "pmcid")
# What an identical paper can have in another spelling; the rest is compared as it stands.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
Row = dict[str, str]


class Papers:
    """Papers by what they can be recognized by."""

    def __init__(self, rows: Iterable[Row]):
        # A row for each key, by its identity: one that is taken again is still one.
        self.by: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
        for row in rows:
            self.take(row)

    def take(self, row: Row) -> None:
        """Recognize this row from now on; one that got more cells can be taken again."""
        for key in _keys(row):
            self.by[key][id(row)] = row

    def like(self, cells: Row) -> list[Row]:
        """The rows that are the same paper: mostly one or none.

        Raises ValueError with the reason where it cannot be told.
        """
        *named, title = _keys(cells)
        by_name = {number: row for key in named for number, row in self.by.get(key, {}).items()}
        if by_name:
            return list(by_name.values())
        found = []
        for row in self.by.get(title, {}).values():
            if _first(row) != _first(cells):
                continue
            for name in IDENTIFIERS:
                if row.get(name) and cells.get(name) and row[name] != cells[name]:
                    raise ValueError(
                        f"{row['citation_id']} has the same title, year and first author, but "
                        f"{name} {show(row[name])} instead of {show(cells[name])}; decide by hand"
                    )
            found.append(row)
        return found


def _keys(row: Row) -> list[tuple[str, str]]:
    named = [(name, row[name]) for name in IDENTIFIERS if row.get(name)]
    return [*named, ("title", f"{loose(row.get('title', ''))} {row.get('year', '')}")]


def _first(row: Row) -> str:
    return loose(author(row.get("authors", "").partition("; ")[0]).family)


class Adding:
    """A table of citations that takes in papers; `remarks` says what became of each."""

    def __init__(self, package: Package, allow_retracted: bool = False):
        self.package = package
        self.resource = rules.opened(package, TABLE)
        self.allow_retracted = allow_retracted
        self.rows = list(self.resource.table.records())
        lines = self.resource.table.lines
        self.lines = {row["citation_id"]: n for row, n in zip(self.rows, lines, strict=True)}
        self.journals = _journals(self.rows)
        self.known = set(self.journals)
        self.remarks: list[Remark] = []
        self.refused = 0
        self.changed = False
        self.taken = {row["citation_id"] for row in self.rows}
        for resource in package.resources:
            if "retires" in resource.schema:
                rules.opened(package, resource.name)
        self.taken |= {old for name, old in package.retired() if name == TABLE}
        self.papers = Papers(self.rows)

    def take(self, records: Iterable[Record]) -> None:
        """Take in papers, in their order."""
        found = []
        for record in records:
            found.append((record, _cells(record, self.resource, self.journals)))
            record.abstract = ""  # all records are kept until their cells are judged
        wrong = _wrong(self.resource, [cells for _, cells in found])
        for record, cells in found:
            empty = {}
            for name, text in list(cells.items()):
                if why := wrong[name].get(text):
                    empty[name] = why
                    del cells[name]
            self._take(record, cells, empty)

    def _take(self, record: Record, cells: Row, empty: Row) -> None:
        befell = [each for each in events(record) if each.kind != "erratum"]
        is_notice = any(each.kind == "notice" for each in befell)
        try:
            rows = self.papers.like(cells)
        except ValueError as error:
            self._say("refused", record, str(error))
            return
        if len(rows) > 1:
            which = listed((row["citation_id"] for row in rows), " and ")
            self._say("refused", record, f"its identifiers are those of {which}; decide by hand")
            return
        name = rows[0]["citation_id"] if rows else ""
        refused = bool(befell) and (is_notice or not self.allow_retracted)
        for event in befell:
            self._say(event.kind, record, _what_befell(event, record, refused), name)
        if refused:
            self.refused += 1
            return
        if befell and "note" in self.resource.names:
            cells["note"] = " ".join(_sentence(event) for event in befell)
        if rows:
            self._complete(rows[0], record, cells)
        else:
            self._add(record, cells, empty)

    def _complete(self, row: Row, record: Record, cells: Row) -> None:
        name = row["citation_id"]
        filled = []
        for field, theirs in cells.items():
            if not row[field]:
                row[field] = theirs
                filled.append(f"{field} {show(theirs)}")
            elif not same(field, row[field], theirs, record):
                message = (
                    f"{show(row[field])} here, {show(theirs)} in {_place(record)}; left as it is"
                )
                remark = Remark("differs", self.resource.path, self.lines.get(name, 1), message)
                remark = remark._replace(citation_id=name, field=field)
                self.remarks.append(remark._replace(ours=row[field], theirs=theirs))
        if filled:
            self.changed = True
            self.papers.take(row)
            self._say(
                "completed", record, f"is there already; filled in: {', '.join(filled)}", name
            )
        else:
            self._say("unchanged", record, "is there already", name)

    def _add(self, record: Record, cells: Row, empty: Row) -> None:
        missing = [n for n in ("title", "authors", "year") if not cells.get(n)]
        if missing:
            why = "; ".join(empty[n] for n in missing if n in empty)
            self._say("refused", record, f"has no {' and no '.join(missing)}{why and f': {why}'}")
            return
        name = self._id(record, cells)
        if name is None:
            return
        row = dict.fromkeys(self.resource.names, "") | cells | {"citation_id": name}
        self.rows.append(row)
        self.papers.take(row)
        self.taken.add(name)
        self.changed = True
        self._say("added", record, f"added: {show(cells['title'])}", name)
        for event in events(record):
            if event.kind == "erratum":
                self._say("erratum", record, f"has a correction: {event.text}", name)
        for author_name in left_out(record):
            what = f"the author {show(author_name)} is left out: neither a person nor a group"
            self._say("left-empty", record, what, name, "authors")
        for field, why in empty.items():
            self._say("left-empty", record, f"left empty: {why}", name, field)
        fields = self.resource.fields
        required = {f["name"] for f in fields if f.get("constraints", {}).get("required")}
        for field in self.resource.names:
            if field in required and not row[field] and field not in empty:
                what = "left empty: nothing in the export says it; fill it in"
                self._say("left-empty", record, what, name, field)
        if cells.get("journal") and loose(cells["journal"]) not in self.known:
            self.known.add(loose(cells["journal"]))
            what = f"the journal {show(cells['journal'])} is new: see how it writes itself"
            self._say("new-journal", record, what, name, "journal")

    def _id(self, record: Record, cells: Row) -> str | None:
        """An id that is not taken; None, and a remark, where there is none."""
        base = base_id(cells)
        first = cells["authors"].partition("; ")[0]
        if letters := unwritable(author(first).family):
            what = f"no id can be made of {show(first)}: {show(letters)} has no plain form; "
            self._say("refused", record, what + "write the name in Latin letters")
            return None
        own = record.key if _is_id(record.key, base) else ""
        for name in (own, base, *(f"{base}{letter}" for letter in _LETTERS[1:])):
            if name and name not in self.taken:
                return name
        self._say("refused", record, f"every id from {base} to {base}z is taken")
        return None

    def _say(
        self, kind: str, record: Record, message: str, name: str = "", field: str = ""
    ) -> None:
        self.refused += kind == "refused"
        self.remarks.append(
            Remark(kind, record.file, record.line, message, citation_id=name, field=field)
        )

    def write(self) -> None:
        """Write the table in its canonical form, if anything has changed.

        Raises CannotRun where the file is no longer what was read.
        """
        if not self.changed:
            return
        path, known = self.resource.path, self.resource.table.sha256
        before = b"".join(files.judged(self.package.root, path, known))
        names = self.resource.names
        rows = self.resource.ordered([row[name] for name in names] for row in self.rows)
        files.replace(self.package.root, path, written([names, *rows]), before)


def _cells(record: Record, resource: Resource, journals: dict[str, Row]) -> Row:
    """The cells that a record fills; a journal that the table knows is written as there."""
    cells = cells_of(record)
    known = next(
        (
            journals[key]
            for key in (loose(cells.get(n, "")) for n in ("journal_abbreviation", "journal"))
            if key in journals
        ),
        None,
    )
    if known:
        for name in ("journal", "journal_abbreviation"):
            if known.get(name):
                cells[name] = known[name]
    # Of several ISSNs the one of the table, or else the one that the PII contains.
    for issn in (cells.get("pii", "")[1:10], known["issn"] if known else ""):
        if issn in issns(record.issn):
            cells["issn"] = issn
    # Whose key is an id of ours comes from a release; the notes of others are not for the table.
    is_ours = _is_id(record.key, base_id(cells))
    if record.note and is_ours and loose(record.note) not in loose(record.abstract):
        cells["note"] = record.note
    return {name: text for name, text in cells.items() if name in resource.places}


def _is_id(key: str, base: str) -> bool:
    """Whether a key is an id that this base can have, with or without a letter."""
    return bool(base) and key.startswith(base) and key[len(base) :] in ("", *_LETTERS)


def _journals(rows: list[Row]) -> dict[str, Row]:
    """A row of each journal, by its name and its abbreviation."""
    found: dict[str, Row] = {}
    for row in rows:
        for name in ("journal", "journal_abbreviation"):
            if row.get(name):
                found.setdefault(loose(row[name]), row)
    return found


def _wrong(resource: Resource, found: list[Row]) -> dict[str, Row]:
    """By column, the texts that the rules on single values refuse, and why."""
    wrong: dict[str, Row] = {}
    for field in resource.fields:
        texts = (cells[field["name"]] for cells in found if field["name"] in cells)
        wrong[field["name"]] = rules.refusals(field, texts, *rules.load())
    return wrong


def _place(record: Record) -> str:
    return f"{os.path.basename(record.file)}:{record.line}"


def _what_befell(event: Event, record: Record, refused: bool) -> str:
    what = {
        "retraction": "the paper was retracted",
        "concern": "an expression of concern was published about the paper",
        "notice": "it is a notice about a paper",
    }[event.kind]
    return f"{'refused' if refused else 'taken in'}: {what} ({event.text}): {show(record.title)}"


def _sentence(event: Event) -> str:
    what = {"retraction": "Retracted", "concern": "Expression of concern"}[event.kind]
    return f"{what}: {event.text.rstrip('.')}."


def same(field: str, ours: str, theirs: str, record: Record) -> bool:
    """Whether a cell says the same as an export, which may spell it in another way."""
    if field in ("title", "journal", "journal_abbreviation"):
        return loose(ours) == loose(theirs)
    if field == "issn":
        return ours in issns(record.issn)
    if field == "pii":
        return ours in record.pii
    if field == "note":
        return True
    if field == "authors":
        return _same_authors(ours.split("; "), theirs.split("; "))
    return ours == theirs


def _same_authors(ours: list[str], theirs: list[str]) -> bool:
    """Whether two lists agree as far as both go; one with others at the end may be shorter."""
    for one, other in ((ours, theirs), (theirs, ours)):
        if one[-1] == OTHERS:
            known = one[:-1]
            return all(map(_same_author, known, other)) and len(other) >= len(known)
    return len(ours) == len(theirs) and all(map(_same_author, ours, theirs))


def _same_author(one: str, other: str) -> bool:
    """Whether two authors are one; initials that only one gives do not tell them apart."""
    a, b = author(one), author(other)
    if loose(a.family) != loose(b.family):
        return loose(one) == loose(other)
    first, second = loose(a.initials), loose(b.initials)
    return first.startswith(second) or second.startswith(first)
