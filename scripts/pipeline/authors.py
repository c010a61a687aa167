"""The authors of a paper as a cell holds them: `Van den Brande R; Smith JA Jr; Spine Study Group`.

A person is a family name, initials and perhaps a suffix; a group is a name without initials;
`others` at the end stands for those who are not listed. The one place that knows this form, for
the rules, for what is read from reference managers and for what is written for them.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

OTHERS = "others"
SUFFIXES = ("Jr", "Sr", "II", "III", "IV", "V")
# Says of a name that it is a group's, although its last word may look like initials.
# fmt: off
_GROUPS = frozenset((
    "alliance", "association", "board", "center", "centers", "centre", "centres",
    "collaboration", "collaborative", "collaborators", "committee", "consortium", "forum",
    "foundation", "group", "groups", "initiative", "institute", "investigators", "network",
    "organisation", "organization", "panel", "project", "registry", "society", "study", "team",
    "trial", "trialists", "union",
))
# fmt: on
_PERSON = re.compile(
    r"(?P<family>.+?) (?P<initials>[^\W\d_]{1,4}|[^\W\d_]+(?:-[^\W\d_]+)+)"
    rf"(?: (?P<suffix>{'|'.join(SUFFIXES)}))?"
)
_NO_NAMES = {"and", "jr", "sr", "ii", "iii", "iv", "md", "phd"}
_WORD = r"'?[^\W\d_]+(?:['-][^\W\d_]+)*"
_IN_GROUP = r"[^\W_]+(?:['/-][^\W_]+)*"
_has_person_form = re.compile(f"{_WORD}(?: {_WORD})*").fullmatch
_has_group_form = re.compile(f"{_IN_GROUP}(?: {_IN_GROUP})*").fullmatch


class Author(NamedTuple):
    """An author: a person, or a group, which has no initials."""

    family: str
    initials: str = ""
    suffix: str = ""

    def __str__(self) -> str:
        """The author as a cell holds it."""
        return " ".join(filter(None, self))


def author(text: str) -> Author:
    """The parts of one author of a cell."""
    if parts := _plain(text):
        return Author(*parts)
    match = None if is_group(text) else _PERSON.fullmatch(text)
    if match is None or not match["initials"].isupper():
        return Author(text)
    return Author(match["family"], match["initials"], match["suffix"] or "")


def _plain(text: str) -> tuple[str, str] | None:
    """Family name and initials of what most authors look like, `Cole-May B`, and that soon."""
    family, _, initials = text.partition(" ")
    if len(initials) > 4 or not (initials.isupper() and initials.isalpha()):
        return None
    words = [family] if family.isalpha() else family.split("-")
    if all(map(str.isalpha, words)) and _GROUPS.isdisjoint(map(str.lower, [initials, *words])):
        return family, initials
    return None


@lru_cache(10_000)
def is_group(text: str) -> bool:
    """Whether a name says that it is a group's: `Team USA`, but a person can be `Board J`."""
    parts = re.findall(r"\w+", text.lower())
    if _GROUPS.isdisjoint(parts) and ("working", "party") not in pairwise(parts):
        return False
    words = text.split()
    return not (len(words) == 2 and words[1].isupper() and len(words[1]) <= 2)


@lru_cache(1 << 15)
def is_author(text: str) -> bool:
    """Whether a text has the form of one author: words of letters; digits only in a group.

    What else stands among the words of a person, `Smith J A`, `Smith Jr J` or `Smith J and Cole B`,
    would become a part of the family name.
    """
    if _plain(text):
        return True
    if is_group(text):
        return bool(_has_group_form(text))
    return bool(_has_person_form(text)) and not _has_more(author(text))


def _has_more(person: Author) -> bool:
    """Whether initials, a suffix, a degree or a second person are left in a family name."""
    first, *words = person.family.split()
    if not words:
        return False
    # Of a family name such as De la O, but not behind a word that is no particle.
    are_initials = len(words[-1]) <= 3 and words[-1].isupper() and [first, *words][-2][:1].isupper()
    return (
        (are_initials and bool(person.initials))
        or (len(words[-1]) == 1 and words[-1].islower())
        or not _NO_NAMES.isdisjoint(map(str.lower, words))
    )
