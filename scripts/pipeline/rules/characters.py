"""Rules on the characters of a cell: what is invisible, broken, disguised, or more than a text."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter

from pipeline.issue import show
from pipeline.package.table import Column
from pipeline.rules import column_rule

# Patterns are texts: they are compiled when a text calls for it, which takes long and is rare.
TYPOGRAPHIC = "[‐-―‘-‟…′″−×]"

# What a spreadsheet computes at the start of a cell, or behind the semicolon at which one of
# another country divides a line.
_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_BEHIND = r';(?: *"?[=@]|"?[+-])'
# Letters and marks without a shape: fillers, the empty Braille cell, joiners, variation selectors.
_EMPTY = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
# Some are known without their semicolon.
_ENTITY = (
    r"&(?:#[0-9]+\b|#[xX][0-9A-Fa-f]+\b|(?:amp|gt|lt|nbsp|quot)\b|[A-Za-z][A-Za-z0-9]{1,40};);?"
)
# A tag that ends, or that has none: what stands between two signs may be a part of a DOI.
_TAG = (
    r"</(?:[a-z]|(?i:div|em|font|sc|small|span|strong|sub|sup)|[A-Za-z]+:[A-Za-z]+)>"
    r"|<(?i:br|hr|p|[a-z]+:[a-z]+)(?: [^<>]*)?/?>|<!--|<!\[CDATA\["
)
# Characters as numbers, in the notations of web addresses, mail and programs.
_ESCAPED = (
    r"(?:%[C-Fc-f][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f])+|(?:=[C-F][0-9A-F](?:=[89AB][0-9A-F])+)"
    r"|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|<U\+[0-9A-F]{4,6}>)"
)
# How each of the three begins.
_NOTED = r"&[#A-Za-z]|<[/!A-Za-z]|%[C-Fc-f]|=[C-Fc-f]|\\[xu]"
# The signs of what could not be converted, lines of tables, ligatures, two letters in one, Roman
# numbers in one, letters in circles, as wide as Chinese ones or of mathematics.
_CONVERTED = (
    "[\ufffc\ufffd\u2400-\u2421\u2500-\u257f\u0132\u0133\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06"
    "\ufb13-\ufb17\u2160-\u217f\u24b6-\u24e9\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
    "\U0001d400-\U0001d7ff]|\u951f\u65a4\u62f7"
)
# Signs as wide as Chinese letters, and small ones, which belong beside such letters alone; what
# a formula begins with has a rule of its own.
_WIDE = f"(?!^[{re.escape(''.join(sorted(_SIGNS)))}])[\ufe50-\ufe6b\uff01-\uff5e]"
_EASTERN = "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
# What follows UTF-8 that was read in another encoding is at least two of these.
_BEYOND_ASCII = "[^\x00-\x7f]{2,}"
_WESTERN = ("cp1252", "latin-1")
_ENCODINGS = (*_WESTERN, "cp1250", "iso8859-2", "mac_roman", "cp437", "cp850")
# Letters, punctuation and signs of medicine, and what else is misread.
_LIKELY = (
    "[\u00a0-\u017f\u0218-\u021b\u0300-\u0304\u0370-\u045f\u2000-\u2044\u20ac\u2122\u2190-\u22ff"
    "\u3000-\u9fff\ufb00-\ufb06\ufeff\ufffd]"
)
_LIKELY_IN_A_WORD = "[\u00c0-\u017f\u0218-\u021b\u2010-\u2026]"
# A mark that stands on no letter.
_LOOSE = "(?:^|[\\s(,;.])([\u0300-\u036f])"
# No word of any language.
_STRAY = r"(?<![^\W\d_])Â(?=[\s.,;:)%]|$)"
_WORD = r"[^\W\d_]+"
_TOKEN = r"\w+"
# Without any of these all letters are Latin, and all digits those of a keyboard.
_BEYOND_LATIN = "[^\x00-\u024f\u2000-\u206f]"
_LATIN = "[A-Za-z\u00c0-\u024f]"
# Scripts that are written without blanks, so that Latin letters may stand right beside theirs.
_TOGETHER = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA", "KHMER", "LAO", "MYANMAR", "THAI")
_NO_SCRIPT = ("LATIN", "FEMININE", "MASCULINE", "MICRO", "MODIFIER", "SUPERSCRIPT")
# Greek letters that look like Latin ones, and those of them that also are signs of medicine: these
# are meant beside a capital or a hyphen or at the end of a word, and not inside of one.
_GREEK = "ΑΒΕ-ΗΙΚΜ-ΟΡΤΥΧνορυιϲϳ"
_GREEK_WITHIN = "[a-z][αγκτχηωσ][a-z]|[A-Z][αγκτχηωσ][a-z]{2}|^[ρτκχ][a-z]{2}|[a-z]{2}[κτχ]$"
# Latin letters of phonetics that look like those of a keyboard.
_PHONETIC = "\u0251\u0261\u1d00-\u1d2b"
_ALIKE = f"[{_GREEK}{_PHONETIC}]"
# Cyrillic letters and Greek capitals that a reader takes for Latin ones.
_LIKE_LATIN = "[АВЕЅІЈКМНОРСТХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧο]+"

# Letters of Europe, with dashes, quotes and dots as they are printed.
_USUAL = frozenset("‐‑‒–—―‘’‚‛“”„‟…").union(
    map(chr, (*range(0x80), *range(0xC0, 0x132), *range(0x134, 0x1C4), *range(0x218, 0x250)))
)


@column_rule("invisible-character", "delete the character, or type a plain space instead")
def invisible_character(column: Column) -> Iterator[tuple[str, str]]:
    """No cell has a character that cannot be seen: control, zero-width, filler or private."""
    for text in column.odd:
        # Python calls printable what is no control, format, private or unassigned character
        # and no separator but the plain space; some letters and marks are empty all the same.
        for character in () if _is_usual(text) and text.isprintable() else text:
            if character not in "\n\r\0" and not (
                character.isprintable() and not re.match(_EMPTY, character)
            ):
                yield text, f"U+{ord(character):04X} in {show(text)}"
                break


@column_rule("broken-character", "write the character that is meant; see the source of the text")
def broken_character(column: Column) -> Iterator[tuple[str, str]]:
    """No cell has what a conversion broke: U+FFFD, UTF-8 misread, entities, tags, ligatures."""
    if column.field["type"] != "string":
        return  # no value of another type has such characters
    for text in column.texts if _may_be_marked_up(column.joined) else ():
        if why := _marked_up(text):
            yield text, f"{why} in {show(text)}"
    for text in column.odd:
        if character := _unconverted(text):
            yield text, f"U+{ord(character):04X} in {show(text)}"
        elif _is_misread(text):
            yield text, f"UTF-8 that was read in another encoding in {show(text)}"


def _is_usual(text: str) -> bool:
    """Whether a text has only characters that nobody would look at twice, if they can be seen."""
    return _USUAL.issuperset(text)


def _unconverted(text: str) -> str | None:
    """A character of a text that stands for others, or for what could not be converted."""
    if _is_usual(text):
        return None
    if found := re.search(_CONVERTED, text) or re.search(_LOOSE, text):
        return found[0][-1]
    if (found := re.search(_WIDE, text)) and not re.search(_EASTERN, text):
        return found[0]
    return None


def _may_be_marked_up(text: str) -> bool:
    """Whether a text, or any of those joined in it, may be `_marked_up`: soon said."""
    return any(sign in text for sign in "&<%=\\") and bool(re.search(_NOTED, text))


def _marked_up(text: str) -> str | None:
    """What of a text is a character or markup in the notation of another format."""
    if not _may_be_marked_up(text):
        return None
    for pattern, what in (
        (_ENTITY, "the entity {} of HTML"),
        (_TAG, "the markup {}"),
        (_ESCAPED, "the escaped character {}"),
    ):
        if found := re.search(pattern, text):
            return what.format(found[0])
    return None


def _is_misread(text: str) -> bool:
    """Whether a text has the bytes of UTF-8 as the letters of another encoding."""
    for run in re.finditer(_BEYOND_ASCII, text):
        for encoding in _ENCODINGS:
            for found in _sequences(encoding).finditer(text, *run.span()):
                start, end = found.span()
                around = text[max(start - 1, 0) : start] + text[end : end + 1]
                if _is_meant(found[0], around, encoding):
                    return True
    return "Â" in text and re.search(_STRAY, text) is not None


def _is_meant(letters: str, around: str, encoding: str) -> bool:
    """Whether the bytes of these letters are a character that a text on medicine can have."""
    try:
        meant = letters.encode(encoding).decode("utf-8")
    except UnicodeError:
        return False
    if encoding in _WESTERN:
        return re.match(_LIKELY, meant) is not None
    # Elsewhere they are signs or capitals that can stand together, but not within a word.
    return bool(re.match(_LIKELY_IN_A_WORD, meant) and re.search("[a-z]", around))


@lru_cache
def _sequences(encoding: str) -> re.Pattern[str]:
    """The characters of UTF-8 beyond ASCII as they look in an encoding of one byte each."""

    def letters(first: int, last: int) -> str:
        found = (bytes([byte]).decode(encoding, "ignore") for byte in range(first, last + 1))
        return f"[{re.escape(''.join(found))}]"

    more = letters(0x80, 0xBF)
    return re.compile(f"{letters(0xE0, 0xEF)}{more}{more}|{letters(0xC2, 0xDF)}{more}")


@column_rule("mixed-script", "type the word on a Latin keyboard")
def mixed_script(column: Column) -> Iterator[tuple[str, str]]:
    """No word mixes Latin letters with those of another script that look the same."""
    for text in column.odd:
        if not _is_usual(text) and re.search(_BEYOND_LATIN, text) and (letter := _disguised(text)):
            yield text, f"U+{ord(letter):04X} among Latin letters in {show(text)}"


def _disguised(text: str) -> str | None:
    """The first letter of a text that is none of the script that it seems to be of."""
    words: list[str] = re.findall(_WORD, text)
    tokens: list[str] = re.findall(_TOKEN, text)
    for word in words:
        if not word.isascii() and re.search(_LATIN, word):
            if found := next(filter(_is_foreign, word), None):
                return found
            if within := re.search(_GREEK_WITHIN, word):
                return next(letter for letter in within[0] if not letter.isascii())
    for token in tokens:
        digits = [each for each in token if each.isdecimal() and not each.isascii()]
        if digits and re.search("[0-9A-Za-z]", token):
            return digits[0]
    return _like_latin(text)


def _is_foreign(letter: str) -> bool:
    """Whether a letter has nothing to do beside Latin ones in a word."""
    if letter < "\u0250" or not letter.isalpha() or re.match(_CONVERTED, letter):
        return False  # the last of which the rule broken-character reports
    script = unicodedata.name(letter, "").partition(" ")[0]
    return bool(re.match(_ALIKE, letter)) or script not in (*_TOGETHER, *_NO_SCRIPT, "GREEK")


def _like_latin(text: str) -> str | None:
    """A letter of a Latin text in which all Cyrillic or all Greek ones look like Latin ones."""
    words = [word for word in re.findall(_WORD, text) if not word.isascii()]
    others = [word for word in words if not re.search(_LATIN, word) and not _is_sign(word)]
    alike = all(re.fullmatch(_LIKE_LATIN, word) for word in others)
    return others[0][0] if others and alike and re.search("[A-Za-z]{2}", text) else None


def _is_sign(word: str) -> bool:
    """Whether a word is one small Greek letter, as a sign of statistics or of a substance."""
    return len(word) == 1 and "α" <= word <= "ω" and word != "ο"


@column_rule(
    "typographic-character",
    "type ' \" - and ... ; a title as printed is marked verbatim in the schema",
)
def typographic_character(column: Column) -> Iterator[tuple[str, str]]:
    """Quotes, dashes and dots are those of a keyboard, except in texts that are verbatim."""
    for text in () if column.field.get("verbatim") else column.odd:
        if found := re.search(TYPOGRAPHIC, text):
            yield text, f"U+{ord(found[0]):04X} in {show(text)}"


@column_rule("not-nfc", fix=True)
def not_nfc(column: Column) -> Iterator[tuple[str, str]]:
    """Text is in Unicode normalization form C, so that equal texts are equal bytes."""
    for text in column.odd:
        if not unicodedata.is_normalized("NFC", text):
            yield text, f"{show(text)} is not in form C"


@column_rule("formula", "begin the text with a letter or a digit")
def formula(column: Column) -> Iterator[tuple[str, str]]:
    """No free text begins with a character that makes a spreadsheet compute it."""
    if column.field["type"] == "string" and "enum" not in column.field.get("constraints", {}):
        begins = not _SIGNS.isdisjoint(map(itemgetter(0), column.texts))
        divided = ";" in column.joined and re.search(_BEHIND, column.joined)
        for text in column.texts if begins or divided else ():
            if text[0] in _SIGNS or (divided and re.search(_BEHIND, text)):
                yield text, f"a spreadsheet computes {show(text)}"
