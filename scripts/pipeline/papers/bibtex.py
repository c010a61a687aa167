"""BibTeX and BibLaTeX, by the parser of pybtex, entry by entry."""

import re
from collections.abc import Iterator

from pipeline.authors import is_group
from pipeline.issue import CannotRun
from pipeline.papers import Record, issns_in, names, pmcid_in, pmid_in, tidy

BEGINS = re.compile(r"^[ \t]*@\s*\w+\s*[{(]", re.MULTILINE)
_KINDS = {
    "article": "article-journal",
    "periodical": "article-journal",
    "book": "book",
    "inbook": "chapter",
    "incollection": "chapter",
    "inproceedings": "paper-conference",
    "conference": "paper-conference",
    "phdthesis": "thesis",
    "mastersthesis": "thesis",
    "thesis": "thesis",
    "techreport": "report",
    "report": "report",
}
_LEFT_OUT = {"preamble", "string", "comment", "xdata", "set"}
# What TeX knows by name and the decoder of pybtex does not.
_NAMED = {
    r"\textbraceleft": "{",
    r"\textbraceright": "}",
    r"\textbackslash": "\\",
    r"\textasciicircum": "^",
    r"\textasciitilde": "~",
}
# Signs that are no markup behind a backslash; two backslashes are a line break.
_HIDDEN = (*_NAMED.values(), *"$%&#_")
_ESCAPED = re.compile(r"(?<!\\)\\([{}$%&#_])")


def read(text: str, file: str) -> Iterator[Record]:
    """The entries of a file. Raises CannotRun with the line where it cannot be parsed."""
    from pybtex.database.input.bibtex import LowLevelParser, UndefinedMacro, month_names
    from pybtex.scanner import PybtexSyntaxError

    def refuse(error: PybtexSyntaxError) -> None:
        if not isinstance(error, UndefinedMacro):  # a journal's macro that nobody sent along
            raise error

    parser = LowLevelParser(text, macros=_Macros(month_names), handle_error=refuse, filename=file)
    where, line = 0, 1
    try:
        for kind, content in parser:
            line += text.count("\n", where, parser.command_start)
            where = parser.command_start
            if kind.lower() not in _LEFT_OUT:
                key, fields = content
                yield _record(kind.lower(), key, fields, file, line)
    except (PybtexSyntaxError, RecursionError) as error:
        what = str(error).split(": ", 1)[-1]
        number = getattr(error, "lineno", None) or line
        raise CannotRun(f"{file}:{number}: not BibTeX: {what}; is the file truncated?") from error


class _Macros(dict[str, str]):
    """Names of months and of journals; their case does not matter."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)


def _record(
    kind: str, key: str, fields: list[tuple[str, list[str]]], file: str, line: int
) -> Record:
    raw: dict[str, str] = {}
    for name, parts in fields:
        raw.setdefault(name.lower(), "".join(parts))

    def first(*keys: str) -> str:
        return next((_text(raw[name]) for name in keys if raw.get(name)), "")

    note = first("note", "annote")
    return Record(
        file,
        line,
        key=key,
        kind=_KINDS.get(kind, "document"),
        authors=_authors(raw.get("author", "")),
        title=first("title"),
        journal=first("journal", "journaltitle"),
        abbreviation=first("shortjournal", "journal-abbreviation", "journalabbr"),
        year=first("year", "date"),
        volume=first("volume"),
        issue=first("number", "issue"),
        pages=first("pages", "eid", "article-number", "articleno"),
        doi=tidy(raw.get("doi", "").replace("\\", "")) or _address(raw.get("url", "")),
        pmid=first("pmid") or pmid_in(note),
        pmcid=first("pmcid", "pmc") or pmcid_in(note),
        issn=issns_in(first("issn")),
        note=note,
        abstract=first("abstract"),
    )


def _address(url: str) -> str:
    return tidy(url.replace("\\", "")) if "doi.org/10." in url else ""


def _text(tex: str) -> str:
    """A text without the markup of TeX."""
    if not re.search(r"[\\{}~$]|--|``|''", tex):
        return tidy(tex)
    from pybtex.richtext import Text

    hidden = {chr(0xE000 + number): letter for number, letter in enumerate(_HIDDEN)}
    places = {letter: place for place, letter in hidden.items()}
    tex = _ESCAPED.sub(lambda found: places[found[1]], tex)
    for name, letter in _NAMED.items():
        tex = re.sub(re.escape(name) + r"(?:\{\}|\s|(?![a-zA-Z]))", places[letter], tex)
    # Text of pybtex knows emphasis as markup, but not the commands that stand for it alone.
    tex = re.sub(r"\\(?:text(?:it|bf|sc|rm|up|sl|tt|sf)|emph|mbox|mathrm|it|em|bf)\b\s*", "", tex)
    tex = tex.replace("$", "")
    try:
        text = str(Text.from_latex(tex))
    except Exception:  # a brace that stands alone, a command without its argument
        text = re.sub(r"[{}]|\\[a-zA-Z]+", "", tex)
    for place, letter in hidden.items():
        text = text.replace(place, letter)
    return tidy(text)


def _authors(value: str) -> list[str]:
    from pybtex.bibtex.utils import split_name_list
    from pybtex.database import InvalidNameString, Person

    found = []
    for name in split_name_list(" ".join(value.split())):
        try:
            parts = Person(name)
        except InvalidNameString:
            found.append(names.inverted(_text(name)))
            continue
        family = _text(" ".join([*parts.prelast_names, *parts.last_names]))
        given = _text(" ".join([*parts.first_names, *parts.middle_names]))
        if "," not in name and is_group(_text(name)):
            found.append(names.group(_text(name)))
        else:
            suffix = _text(" ".join(parts.lineage_names))
            if names.is_suffix(given):  # Family, Given, Jr is what RIS and others have
                given, suffix = suffix, given
            found.append(names.person(family, given, suffix))
    return names.of_list(found)
