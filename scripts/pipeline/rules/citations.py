"""Rules on the papers: identifiers, pages, authors, and ids that say which paper it is."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, compress, filterfalse, product
from typing import Any

from pipeline.authors import author, is_author
from pipeline.issue import Fault, show
from pipeline.letters import slug, unwritable
from pipeline.package import Resource
from pipeline.package.table import Column
from pipeline.rules import column_rule, table_rule

_PAGES = re.compile(r"([0-9]{1,18})-([0-9]{1,18})([.].*)?").fullmatch


def _identifiers(fields: list[dict[str, Any]], kind: str) -> list[str]:
    return [field["name"] for field in fields if field.get("identifier") == kind]


@column_rule("issn", "check the ISSN on the journal's site", quick=False)
def issn(column: Column) -> Iterator[tuple[str, str]]:
    """The check digit of an ISSN is right."""
    if column.field.get("identifier") == "issn":
        from stdnum.issn import is_valid

        for text in filterfalse(is_valid, column.texts):
            yield text, f"{show(text)} has a wrong check digit"


@table_rule("pii", "check PII and ISSN on the publisher's site")
def pii(resource: Resource) -> Iterator[Fault]:
    """The PII of an article in a serial contains the ISSN of the journal."""
    table = resource.table
    fields = resource.fields
    for name, other in product(_identifiers(fields, "pii"), _identifiers(fields, "issn")):
        wrong = {
            (pii, issn): f"{pii}, but ISSN {issn}"
            for pii, issn in table.each(name, other)
            if pii.startswith("S") and issn and pii[1:10] != issn
        }
        yield from table.faults(name, wrong, other)


@column_rule("page-range", "write both pages in full, such as 459-466")
def page_range(column: Column) -> Iterator[tuple[str, str]]:
    """The last page does not come before the first."""
    if column.field.get("identifier") == "pages":
        for match in filter(None, map(_PAGES, column.texts)):
            if int(match[2]) < int(match[1]):
                yield match[0], f"{match[0]} runs backward"


@table_rule("publication-year", "check year and online date in the paper")
def publication_year(resource: Resource) -> Iterator[Fault]:
    """A paper is not from after the release of the package, nor online after its year."""
    table = resource.table
    created = str(resource.package.descriptor.get("created"))[:4]
    for source in filter(None, (field.get("authorYear") for field in resource.fields)):
        name = source["year"]
        years = filter(str.isdigit, table.each(name) if created.isdigit() else ())
        wrong = {year: f"{year} is to come" for year in years if year > created}
        yield from table.faults(name, wrong)
        if online := source.get("online"):
            days = {
                (year, day): f"{year}, but online only on {day}"
                for year, day in table.each(name, online)
                if year and day[:4] > year
            }
            yield from table.faults(name, days, online)


@table_rule("authors", "write Family AB; Family C; others only at the end")
def authors(resource: Resource) -> Iterator[Fault]:
    """Authors are family names with initials, each once, with others only at the end."""
    table = resource.table
    for field in resource.fields:
        if source := field.get("authorYear"):
            texts = table.each(source["authors"])
            wrong = {text: what for text in texts if (what := _no_authors(text))}
            yield from table.faults(source["authors"], wrong)


def _no_authors(value: str) -> str | None:
    names = value.split("; ")
    if "others" in names[:-1] or names == ["others"]:
        return "others stands before the end"
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        return f"{show(twice)} stands twice"
    for name in filterfalse(is_author, names if value else ()):
        return f"{show(name)} is not a family name with initials"
    return None


@table_rule(
    "citation-id",
    "make the id from first author and year, such as van-den-brande-2022",
)
def citation_id(resource: Resource) -> Iterator[Fault]:
    """The id of a paper is the family name of its first author and its year.

    A letter after the year tells apart what one author published in one year.
    """
    table = resource.table
    for field in resource.fields:
        if source := field.get("authorYear"):
            others = (source["authors"], source["year"])
            wrong = {}
            for value, authors, year in table.each(field["name"], *others):
                name = author(authors.partition(";")[0]).family
                bare = value[:-1] if value[-1:].isalpha() else value
                if value and (letters := unwritable(name)):
                    message = f"{show(letters)} in {show(name)} has no form in the letters a to z"
                    wrong[value, authors, year] = message
                elif value and bare != (expected := f"{slug(name)}-{year}"):
                    wrong[value, authors, year] = f"{show(value)} should be {expected}"
            yield from table.faults(field["name"], wrong, *others)


@table_rule("citation-locator", "add an identifier, or journal, volume and first page")
def citation_locator(resource: Resource) -> Iterator[Fault]:
    """A paper can be found: by an identifier, or by journal, volume and first page."""
    table = resource.table
    ways = resource.schema.get("locatedBy", [])
    message = f"needs {' or '.join(' with '.join(way) for way in ways)}"
    names = list(dict.fromkeys(chain.from_iterable(ways)))
    enough = {
        filled
        for filled in set(table.filled(*names))
        if any(set(compress(names, filled)).issuperset(way) for way in ways)
    }
    for row, filled in enumerate(table.filled(*names)):
        if filled not in enough:
            yield table.fault(row, resource.names[0], message)
