"""Brings names into the form of the tables, `Family Initials Suffix`, wherever they come from."""

import re

from pipeline.authors import OTHERS, SUFFIXES, Author, is_group
from pipeline.letters import plain_marks
from pipeline.papers import tidy

# How PubMed and others write what SUFFIXES has.
_SUFFIXES = {suffix.lower(): suffix for suffix in SUFFIXES} | {
    "2nd": "II",
    "3rd": "III",
    "4th": "IV",
    "5th": "V",
    "junior": "Jr",
    "senior": "Sr",
}
_ET_AL = re.compile(r"(?:and |& )?(?:et[ .]*al[.]*|others)", re.IGNORECASE)
_BEHALF = re.compile(r"(?:on behalf of|for) (?:the )?|the ", re.IGNORECASE)
_ACRONYM = re.compile(r" [(\[][^()\[\]]*[)\]]$")
_MARKS = re.compile(r"[*†‡§¶]+")


def person(family: str, given: str = "", suffix: str = "") -> str:
    """A person from the parts of the name; `given` may be initials already."""
    if _ET_AL.fullmatch(tidy(family)) and not given:
        return OTHERS
    family, given = _clean(family.replace(".", " ")), _clean(given)
    suffix = _SUFFIXES.get(_clean(suffix).lower().rstrip("."), "")
    words = family.split()
    if not suffix and len(words) > 1 and words[-1].rstrip(".").lower() in _SUFFIXES:
        suffix = _SUFFIXES[words.pop().rstrip(".").lower()]
    first = given.split()
    # One letter is an initial, V included.
    if not suffix and len(first) > 1 and len(first[-1].rstrip(".")) > 1:
        suffix = _SUFFIXES.get(first[-1].rstrip(".").lower(), "")
        first = first[:-1] if suffix else first
    letters = initials(" ".join(first))
    # A name of a script without capitals has no initials.
    given = letters if letters.isupper() or not letters else " ".join(first)
    return str(Author(" ".join(words), given, suffix if given else ""))


def is_suffix(text: str) -> bool:
    """Whether a part of a name is a suffix such as Jr; one letter is an initial."""
    bare = text.lower().rstrip(".")
    return len(bare) > 1 and bare in _SUFFIXES


def initials(given: str) -> str:
    """The initials of given names: `Jean-Pierre M.` is `JPM`, `RWJG` stays."""
    found = []
    for word in re.split(r"[\s.-]+", given):
        if word.isupper() and len(word) <= 4:
            found.append(word)
        elif word and not word.islower():  # a particle such as van is no given name
            found.append(word[0].upper())
    return "".join(found)


def listed(text: str) -> str:
    """A person as lists of PubMed write one, `Smith JA Jr`, or a name in one piece."""
    text = _clean(text)
    if _ET_AL.fullmatch(text):
        return OTHERS
    if is_group(text):
        return group(text)
    words = text.split()
    suffix = _SUFFIXES.get(words[-1].lower().rstrip("."), "") if len(words) > 2 else ""
    if suffix and _are_initials(words[-2]):
        return str(Author(" ".join(words[:-2]), words[-2].replace(".", ""), suffix))
    if len(words) > 1 and _are_initials(words[-1]):
        return str(Author(" ".join(words[:-1]), words[-1].replace(".", "")))
    return text


def _are_initials(word: str) -> bool:
    bare = word.replace(".", "").replace("-", "")
    return bare.isalpha() and bare.isupper() and len(bare) <= 4


def group(text: str) -> str:
    """A group: without the acronym in brackets, and without on whose behalf."""
    text = _BEHALF.sub("", _ACRONYM.sub("", tidy(text)), count=1)
    return _clean(text.replace("&", " and ").replace(":", " ").rstrip("."))


def inverted(text: str) -> str:
    """A person as `Family, Given, Suffix`, or a name in one piece where there is no comma."""
    parts = [part.strip() for part in tidy(text).split(",")]
    if not any(parts[1:]) or (is_group(text) and len(text.split()) > 3):
        return listed(" ".join(filter(None, parts)))
    if is_suffix(parts[1]) and len(parts) > 2:  # Family, Jr, Given, as in BibTeX
        parts[1], parts[2] = parts[2], parts[1]
    return person(*parts[:3])


def _clean(text: str) -> str:
    text = plain_marks(_MARKS.sub("", tidy(text)))
    return " ".join(re.sub("[,;]", " ", text).split())


def of_list(names: list[str]) -> list[str]:
    """The authors of a paper: each once, in order, `others` at the end."""
    found = [name for name in dict.fromkeys(names) if name and name != OTHERS]
    return [*found, OTHERS] if OTHERS in names and found else found
