"""Rules on the papers: identifiers, pages, authors, and ids that say which paper it is."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import compress

from fault import show
from package import Resource
from reader import Check
from rules import rule

_PAGES = re.compile(r"([0-9]{1,18})-([0-9]{1,18})").fullmatch
_WORD = r"[^\W\d_]+(?:['-][^\W\d_]+)*"
_is_author = lru_cache(10_000)(re.compile(f"{_WORD}(?: {_WORD})*").fullmatch)
_NO_LETTERS = re.compile("[^a-z]+")
_INITIALS = re.compile(r" [^\W\d_a-z]{1,4}$")


def _identifiers(resource: Resource, kind: str) -> Iterator[str]:
    return (field["name"] for field in resource.fields if field.get("identifier") == kind)


@rule("issn", "check the ISSN on the journal's site", stage="row", quick=False)
def issn(resource: Resource) -> Iterator[Check]:
    """The check digit of an ISSN is right."""
    names = list(_identifiers(resource, "issn"))
    if names:
        from stdnum.issn import is_valid
    for name in names:
        yield Check(
            (name,), lambda v: v and not is_valid(v) and f"{show(v)} has a wrong check digit", name
        )


@rule("pii", "check PII and ISSN on the publisher's site", stage="row")
def pii(resource: Resource) -> Iterator[Check]:
    """The PII of an article in a serial contains the ISSN of the journal."""
    for name in _identifiers(resource, "pii"):
        for other in _identifiers(resource, "issn"):
            yield Check(
                (name, other),
                lambda pii, issn: (
                    pii.startswith("S") and issn and pii[1:10] != issn and f"{pii}, but ISSN {issn}"
                ),
                name,
            )


@rule("page-range", "write both pages in full, such as 459-466", stage="row")
def page_range(resource: Resource) -> Iterator[Check]:
    """The last page does not come before the first."""

    def test(value: str) -> str | None:
        match = _PAGES(value)
        return match and int(match[2]) < int(match[1]) and f"{value} runs backward"

    if "pages" in resource.names:
        yield Check(("pages",), test, "pages")


@rule("publication-year", "check year and online date in the paper", stage="row")
def publication_year(resource: Resource) -> Iterator[Check]:
    """A paper is not from after the release of the package, nor online after its year."""
    created = str(resource.package.descriptor.get("created"))[:4]
    for field in resource.fields:
        if year := field.get("authorYear", {}).get("year"):
            yield Check(
                (year,),
                lambda v: created.isdigit() and v.isdigit() and v > created and f"{v} is to come",
                year,
            )
            if "published_online" in resource.names:
                yield Check(
                    (year, "published_online"),
                    lambda v, day: v and day[:4] > v and f"{v}, but online only on {day}",
                    year,
                )


@rule("authors", "write Family AB; Family C; others only at the end", stage="row")
def authors(resource: Resource) -> Iterator[Check]:
    """Authors are family names with initials, each once, with others only at the end."""

    def test(value: str) -> str | None:
        names = value.split("; ")
        if "others" in names[:-1] or names == ["others"]:
            return "others stands before the end"
        if len(set(names)) < len(names):
            return f"{show(max(names, key=names.count))} stands twice"
        for name in names if value and not all(map(_is_author, names)) else ():
            if not _is_author(name):
                return f"{show(name)} is not a family name with initials"
        return None

    for field in resource.fields:
        if "authorYear" in field:
            name = field["authorYear"]["authors"]
            yield Check((name,), test, name)


@rule(
    "citation-id",
    "make the id from first author and year, such as van-den-brande-2022",
    stage="row",
)
def citation_id(resource: Resource) -> Iterator[Check]:
    """The id of a paper is the family name of its first author and its year.

    A letter after the year tells apart what one author published in one year.
    """
    for field in resource.fields:
        if source := field.get("authorYear"):

            def test(value: str, authors: str, year: str) -> str | None:
                expected = f"{_slug(authors.partition(';')[0])}-{year}"
                bare = value[:-1] if value[-1:].isalpha() else value
                return value and bare != expected and f"{show(value)} should be {expected}"

            yield Check((field["name"], source["authors"], source["year"]), test, field["name"])


def _slug(author: str) -> str:
    """The family name as lower-case ASCII with hyphens."""
    family = _INITIALS.sub("", author).casefold()
    if not family.isascii():
        family = unicodedata.normalize("NFKD", family).replace("ø", "o").replace("ł", "l")
        family = "".join(letter for letter in family if not unicodedata.combining(letter))
    return _NO_LETTERS.sub("-", family).strip("-")


@rule("citation-locator", "add an identifier, or journal, volume and first page", stage="row")
def citation_locator(resource: Resource) -> Iterator[Check]:
    """A paper can be found: by an identifier, or by journal, volume and first page."""
    ways = resource.schema.get("locatedBy", [])
    if ways:
        names = sorted({name for way in ways for name in way})
        message = f"needs {' or '.join(' with '.join(way) for way in ways)}"

        @lru_cache
        def is_found(*filled: bool) -> bool:
            names_filled = set(compress(names, filled))
            return any(names_filled.issuperset(way) for way in ways)

        yield Check(
            tuple(names),
            lambda *values: not is_found(*map(bool, values)) and message,
            resource.names[0],
        )
