"""Writes names in the letters a to z, and dashes, apostrophes and blanks in one form.

Accents go, as in normalization form NFKD; letters that have no plain form follow the table
"Latin-ASCII" of Unicode CLDR (common/transforms/Latin-ASCII.xml). What neither knows, such as the
letters of another script, cannot be written.
"""

import re
import unicodedata
from itertools import groupby
from typing import Literal

# From Latin-ASCII of CLDR: the lower-case letters that NFKD and case folding leave as they are.
_LATIN_ASCII = str.maketrans(
    {
        "æ": "ae",
        "ð": "d",
        "ø": "o",
        "þ": "th",
        "đ": "d",
        "ħ": "h",
        "ı": "i",
        "ĸ": "q",
        "ł": "l",
        "ŋ": "n",
        "œ": "oe",
        "ŧ": "t",
        "ƀ": "b",
        "ƈ": "c",
        "ɖ": "d",
        "ɗ": "d",
        "ɛ": "e",
        "ƒ": "f",
        "ǥ": "g",
        "ɠ": "g",
        "ɨ": "i",
        "ɩ": "i",
        "ƙ": "k",
        "ƚ": "l",
        "ɲ": "n",
        "ƞ": "n",
        "ƥ": "p",
        "ƭ": "t",
        "ʉ": "u",
        "ʋ": "v",
        "ƴ": "y",
        "ƶ": "z",
    }
)

_NO_LETTER = re.compile("(?<=&#)[0-9]{10,}")
# So many are sorted at once, in whatever way.
_FEW_MARKS = 200
# One letter for one, so that places in a text stay what they are.
_MARKS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("’‘ʼ´`ʹ", "'"),
        **dict.fromkeys("∙⋅•", "·"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f", " "),
    }
)


def plain_marks(text: str) -> str:
    """A text with a hyphen for every dash, one apostrophe, one middle dot and one blank."""
    return text.translate(_MARKS)


def unescaped(text: str) -> str:
    """A text with the letters that entities of HTML stand for.

    Of a number of thousands of digits Python makes none; no letter has one.
    """
    import html  # a list of two thousand entities, which a validation has no use for

    return html.unescape(_NO_LETTER.sub("0", text))


def normalize(form: Literal["NFC", "NFKD"], text: str) -> str:
    """A text in a normalization form of Unicode, in time that grows with its length alone.

    Python sorts the marks above and below a letter by insertion, which a cell of nothing but marks
    could turn into minutes; of many in a row, the sorted ones are given to it.
    """
    if len(text) > _FEW_MARKS and not text.isascii():
        runs = groupby(text, lambda letter: unicodedata.combining(letter) > 0)
        text = "".join(
            "".join(sorted(run, key=unicodedata.combining) if marks else run) for marks, run in runs
        )
    return unicodedata.normalize(form, text)


def plain(text: str) -> str:
    """A text in lower case and without accents; letters that cannot be written stay."""
    text = text.casefold()
    if text.isascii():
        return text
    text = normalize("NFKD", text).translate(_LATIN_ASCII)
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def unwritable(text: str) -> str:
    """The letters of a text that cannot be written in a to z, each once; mostly none."""
    if text.isascii():
        return ""
    return "".join(dict.fromkeys(c for c in plain(text) if c.isalpha() and not c.isascii()))


def slug(name: str) -> str:
    """A name as part of an id: a to z, with a hyphen for all that is no letter."""
    letters = plain(name)
    if letters.isascii() and all(map(str.isalpha, letters.split("-"))):
        return letters
    return re.sub("[^a-z]+", "-", letters).strip("-")
