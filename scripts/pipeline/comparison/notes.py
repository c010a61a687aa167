"""Writes what changed between two versions: for people, for release notes, and for machines."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, TextIO

from pipeline.comparison.changes import Change, Comparison
from pipeline.issue import visible, visible_json

# GitHub takes notes of 125,000 characters.
_MOST = 120_000
_SPARE = 10_000
_PROPERTY = ("property changed", "properties changed")
# One of each kind of change, and several.
_SAID = {
    "package-changed": _PROPERTY,
    "table-removed": ("table removed", "tables removed"),
    "table-added": ("table added", "tables added"),
    "table-changed": _PROPERTY,
    "column-removed": ("column removed", "columns removed"),
    "column-added": ("column added", "columns added"),
    "columns-reordered": ("order of columns changed", "orders of columns changed"),
    "column-changed": _PROPERTY,
    "row-removed": ("row removed", "rows removed"),
    "row-added": ("row added", "rows added"),
    "cell-changed": ("value changed", "values changed"),
}
_ROWS = ("row-removed", "row-added", "cell-changed")
_FOR = {"major": " for what breaks", "minor": " for what is new", "patch": " for a correction"}


def text(found: Comparison, out: TextIO, limit: int) -> None:
    """One line per change, and a closing line on the version; `limit` bounds the rows of a kind."""
    for (_, kind), group in groupby(found.changes, lambda change: (change.table, change.kind)):
        several = list(group)
        shown = _shown(several, limit) if kind in _ROWS else several
        for change in shown:
            out.write(visible(f"{change.step:5}  {_where(change)}: {_what(change)}") + "\n")
        if hidden := len(several) - len(shown):
            out.write(f"and {hidden:,} more like this; --limit 0 shows all\n")
    out.write(f"{_summary(found.changes)}; {verdict(found)}\n")


def _shown(changes: list[Change], limit: int) -> list[Change]:
    return changes[:limit] if limit else changes


def _where(change: Change) -> str:
    """Table, row and column of a change, as far as it has them."""
    key = ",".join((change.key or {}).values())
    return " ".join(filter(None, (change.table or "package", key, change.column)))


def _what(change: Change) -> str:
    said = _SAID[change.kind][0]
    if change.kind in ("table-added", "table-removed"):
        rows = change.old if change.new is None else change.new
        return f"{said}, with {rows:,} row{'s' * (rows != 1)}"
    if change.kind == "row-removed":
        return said + _became(change, str)
    if (change.old is None and change.new is None) or change.kind == "row-added":
        return said
    values = f"{_json(change.old)} -> {_json(change.new)}"
    return f"{change.property or said} {values}{_beyond(change)}"


def _beyond(change: Change) -> str:
    """What else a change means, so that nothing is left out in silence."""
    return "; rows are not compared" if change.property == "primaryKey" else ""


def _became(change: Change, write: Callable[[str], str]) -> str:
    """What became of the id of a removed row; nothing where the row has no id."""
    if change.retired is None:
        return ""
    if not change.retired:
        return ", not retired"
    if change.replacement is None:
        return ", retired without replacement"
    return f", retired, replaced by {write(change.replacement)}"


def _json(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _summary(changes: list[Change]) -> str:
    """How much of each kind changed."""
    numbers = Counter(_SAID[change.kind] for change in changes)
    said = (f"{number:,} {words[number != 1]}" for words, number in numbers.items())
    return ", ".join(said) or "nothing changed"


def verdict(found: Comparison) -> str:
    """Whether the step from the old version to the new one is large enough, or what would be."""
    step = f"the step from {found.old['version']} to {found.new['version']}"
    if found.is_enough:
        why = ""
        if found.step == "major" and re.match(r"0\.[^-]+$", found.old["version"]):
            why = ": while the major version is 0, a minor step does"
        return f"{step} is large enough{_FOR.get(found.step, '')}{why}"
    what = _FOR.get(found.step, ", it goes backward")
    return f"{step} is too small{what}: at least {found.smallest}"


def as_json(found: Comparison, out: TextIO, _limit: int) -> None:
    """One JSON object with every change, as schemas/reports/changes.schema.json describes it."""
    old, new = (
        {key: side.get(key) for key in ("version", "created")} for side in (found.old, found.new)
    )
    result = {
        "old": old,
        "new": new,
        "step": found.step,
        "smallest": found.smallest,
        "enough": found.is_enough,
        "changes": [change._asdict() for change in found.changes],
    }
    out.write(f"{visible_json(result)}\n")


def markdown(found: Comparison, out: TextIO, limit: int) -> None:
    """Release notes: table by table what is gone, what is new, and old beside new values.

    Never more than GitHub takes: rows are left out first, then tables, and what is, is said.
    """
    for shown in (limit, 30, 10, 3, 1):
        if not limit or shown <= limit:
            text = "".join(_notes(found, shown))
            if len(text) <= _MOST:
                break
    else:
        text = _shortened(list(_notes(found, 1)))
    out.write(text)


def _notes(found: Comparison, limit: int) -> Iterator[str]:
    """The heading and the section of each table."""
    old, new = (code(side["version"]) for side in (found.old, found.new))
    yield f"## Changes from {old} to {new}\n\n{_summary(found.changes).capitalize()}.\n"
    for table, group in groupby(found.changes, lambda change: change.table):
        title = code(table) if table else "The package"
        yield f"\n### {title}\n\n" + "\n\n".join(_blocks(list(group), limit)) + "\n"


def _shortened(sections: list[str]) -> str:
    """Those sections that fit, and the titles of the others."""
    titles = [section.strip().partition("\n")[0].removeprefix("### ") for section in sections]
    size = 0
    shown, hidden = [], []
    for section, title in zip(sections, titles, strict=True):
        if size + len(section) + _SPARE <= _MOST:
            size += len(section)
            shown.append(section)
        else:
            hidden.append(title)
    left = ", ".join(hidden)
    left = left if len(left) < _SPARE // 2 else f"{len(hidden):,} sections"
    return "".join(shown) + f"\nLeft out, for these notes would be too long: {left}.\n"


def _blocks(changes: list[Change], limit: int) -> Iterator[str]:
    """The paragraphs on one table: a list of what changed in it, then its rows."""
    if items := [_item(change) for change in changes if change.kind not in _ROWS]:
        yield "\n".join(items)
    for kind in _ROWS:
        if several := [change for change in changes if change.kind == kind]:
            shown = _shown(several, limit)
            yield f"{_mark(several[0])}{_summary(several)}:"
            yield _table(*(_values(shown) if kind == "cell-changed" else _rows(shown)))
            if hidden := len(several) - len(shown):
                yield f"And {hidden:,} more."


def _mark(change: Change) -> str:
    return "**Breaking.** " if change.step == "major" else ""


def _item(change: Change) -> str:
    said = f"{_value(change.old)} → {_value(change.new)}{_beyond(change)}"
    if change.kind in ("table-added", "table-removed"):
        said = _what(change)
    elif change.kind in ("column-added", "column-removed"):
        said = _SAID[change.kind][0]
    elif change.kind == "columns-reordered":
        said = f"{_SAID[change.kind][0]}: {said}"
    where = " of ".join(code(name) for name in (change.property, change.column) if name)
    return f"- {_mark(change)}{where}{': ' * bool(where)}{said}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return "*empty*"
    return code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _values(changes: list[Change]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table of old and new values."""
    rows = []
    for change in changes:
        place = map(code, (*_key(change).values(), str(change.column)))
        rows.append([*place, _value(change.old), _value(change.new)])
    return [*map(code, _key(changes[0])), "column", "old", "new"], rows


def _key(change: Change) -> dict[str, str]:
    return change.key or {}


def _rows(changes: list[Change]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table of added or removed rows.

    Beside its key, each has the text that says most about it, and what became of its id.
    """
    records = [change.old or change.new for change in changes]
    weight: dict[str, tuple[int, int]] = {}
    for name in records[0].keys() - _key(changes[0]).keys():
        words = [word for record in records for word in record[name].split()]
        weight[name] = len(words), sum(map(len, words))
    best = max(sorted(weight), key=weight.__getitem__, default=None)
    telling = [best] if best and any(weight[best]) else []
    header = [code(name) for name in (*_key(changes[0]), *telling)]
    rows = [
        [*map(code, _key(change).values()), *(_value(record[name]) for name in telling)]
        for change, record in zip(changes, records, strict=True)
    ]
    if changes[0].retired is not None:
        header.append("id")
        for row, change in zip(rows, changes, strict=True):
            row.append(_became(change, code).removeprefix(", "))
    return header, rows


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(value: str) -> str:
    """A text as Markdown code, in which no markup, no mention and no end of a cell is seen."""
    value = visible(value)
    if value and value == value.strip() and not re.search(r"[`|\\]", value):
        return f"`{value}`"
    # An element instead, and what could be markup in it by number.
    escaped = re.sub(r"[!-/:-@\[-`{-~]", lambda mark: f"&#{ord(mark[0])};", value)
    return f"<code>{escaped}</code>"


WRITERS: dict[str, Callable[[Comparison, TextIO, int], None]] = {
    "text": text,
    "markdown": markdown,
    "json": as_json,
}
