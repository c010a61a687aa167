"""Rules on the characters of a cell: what is invisible, broken, disguised, or more than a text."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from pipeline.issue import show
from pipeline.package.table import Column
from pipeline.rules import column_rule

TYPOGRAPHIC = re.compile("[‐-―‘-‟…′″−×]")

# What a spreadsheet computes at the start of a cell, or behind the semicolon at which one of
# another country divides a line.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(f'[{_SIGNS}]|.*?(?:; *"?[=@]|;"?[+-])')
# Letters and marks without a shape: fillers, the empty Braille cell, joiners, variation selectors.
_EMPTY = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Some are known without their semicolon.
_ENTITY = re.compile(
    r"&(?:#[0-9]+\b|#[xX][0-9A-Fa-f]+\b|(?:amp|gt|lt|nbsp|quot)\b|[A-Za-z][A-Za-z0-9]{1,40};);?"
)
# A tag that ends, or that has none: what stands between two signs may be a part of a DOI.
_TAG = re.compile(
    r"</(?:[a-z]|(?i:div|em|font|sc|small|span|strong|sub|sup)|[A-Za-z]+:[A-Za-z]+)>"
    r"|<(?i:br|hr|p|[a-z]+:[a-z]+)(?: [^<>]*)?/?>|<!--|<!\[CDATA\["
)
# Characters as numbers, in the notations of web addresses, mail and programs.
_ESCAPED = re.compile(
    r"(?:%[C-Fc-f][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f])+|(?:=[C-F][0-9A-F](?:=[89AB][0-9A-F])+)"
    r"|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|<U\+[0-9A-F]{4,6}>)"
)
# The signs of what could not be converted, lines of tables, ligatures, two letters in one, Roman
# numbers in one, letters in circles, as wide as Chinese ones or of mathematics.
_CONVERTED = re.compile(
    "[\ufffc\ufffd\u2400-\u2421\u2500-\u257f\u0132\u0133\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06"
    "\ufb13-\ufb17\u2160-\u217f\u24b6-\u24e9\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
    "\U0001d400-\U0001d7ff]|\u951f\u65a4\u62f7"
)
# Signs as wide as Chinese letters, and small ones, which belong beside such letters alone; what
# a formula begins with has a rule of its own.
_WIDE = re.compile(f"(?!^[{_SIGNS}])[\ufe50-\ufe6b\uff01-\uff5e]")
_EASTERN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
# What follows UTF-8 that was read in another encoding is at least two of these.
_BEYOND_ASCII = re.compile("[^\x00-\x7f]{2,}")
_WESTERN = ("cp1252", "latin-1")
_ENCODINGS = (*_WESTERN, "cp1250", "iso8859-2", "mac_roman", "cp437", "cp850")
# Letters, punctuation and signs of medicine, and what else is misread.
_LIKELY = re.compile(
    "[\u00a0-\u017f\u0218-\u021b\u0300-\u0304\u0370-\u045f\u2000-\u2044\u20ac\u2122\u2190-\u22ff"
    "\u3000-\u9fff\ufb00-\ufb06\ufeff\ufffd]"
)
_LIKELY_IN_A_WORD = re.compile("[\u00c0-\u017f\u0218-\u021b\u2010-\u2026]")
# A mark that stands on no letter.
_LOOSE = re.compile("(?:^|[\\s(,;.])([\u0300-\u036f])")
# No word of any language.
_STRAY = re.compile(r"(?<![^\W\d_])Â(?=[\s.,;:)%]|$)")
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"\w+")
# Without any of these all letters are Latin, and all digits those of a keyboard.
_BEYOND_LATIN = re.compile("[^\x00-\u024f\u2000-\u206f]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
# Scripts that are written without blanks, so that Latin letters may stand right beside theirs.
_TOGETHER = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA", "KHMER", "LAO", "MYANMAR", "THAI")
_NO_SCRIPT = ("LATIN", "FEMININE", "MASCULINE", "MICRO", "MODIFIER", "SUPERSCRIPT")
# Greek letters that look like Latin ones, and those of them that also are signs of medicine: these
# are meant beside a capital or a hyphen or at the end of a word, and not inside of one.
_GREEK = "ΑΒΕ-ΗΙΚΜ-ΟΡΤΥΧνορυιϲϳ"
_GREEK_WITHIN = re.compile(
    "[a-z][αγκτχηωσ][a-z]|[A-Z][αγκτχηωσ][a-z]{2}|^[ρτκχ][a-z]{2}|[a-z]{2}[κτχ]$"
)
# Latin letters of phonetics that look like those of a keyboard.
_PHONETIC = "\u0251\u0261\u1d00-\u1d2b"
_ALIKE = re.compile(f"[{_GREEK}{_PHONETIC}]")
# Cyrillic letters and Greek capitals that a reader takes for Latin ones.
_LIKE_LATIN = re.compile("[АВЕЅІЈКМНОРСТХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧο]+")


@column_rule("invisible-character", "delete the character, or type a plain space instead")
def invisible_character(column: Column) -> Iterator[tuple[str, str]]:
    """No cell has a character that cannot be seen: control, zero-width, filler or private."""
    for text in column.odd:
        # Python calls printable what is no control, format, private or unassigned character
        # and no separator but the plain space; some letters and marks are empty all the same.
        for character in text:
            if character not in "\n\r\0" and not (
                character.isprintable() and not _EMPTY.match(character)
            ):
                yield text, f"U+{ord(character):04X} in {show(text)}"
                break


@column_rule("broken-character", "write the character that is meant; see the source of the text")
def broken_character(column: Column) -> Iterator[tuple[str, str]]:
    """No cell has what a conversion broke: U+FFFD, UTF-8 misread, entities, tags, ligatures."""
    if column.field["type"] != "string":
        return  # no value of another type has such characters
    for text in column.texts:
        if why := _marked_up(text):
            yield text, f"{why} in {show(text)}"
    for text in column.odd:
        if found := _CONVERTED.search(text) or _LOOSE.search(text):
            yield text, f"U+{ord(found[0][-1]):04X} in {show(text)}"
        elif (found := _WIDE.search(text)) and not _EASTERN.search(text):
            yield text, f"U+{ord(found[0]):04X} in {show(text)}"
        elif _is_misread(text):
            yield text, f"UTF-8 that was read in another encoding in {show(text)}"


def _marked_up(text: str) -> str | None:
    """What of a text is a character or markup in the notation of another format."""
    if "&" in text and (found := _ENTITY.search(text)):
        return f"the entity {found[0]} of HTML"
    if "<" in text and (found := _TAG.search(text)):
        return f"the markup {found[0]}"
    if _has_signs(text) and (found := _ESCAPED.search(text)):
        return f"the escaped character {found[0]}"
    return None


def _has_signs(text: str) -> bool:
    return "%" in text or "=" in text or "\\" in text or "<U" in text


def _is_misread(text: str) -> bool:
    """Whether a text has the bytes of UTF-8 as the letters of another encoding."""
    for run in _BEYOND_ASCII.finditer(text):
        for encoding in _ENCODINGS:
            for found in _sequences(encoding).finditer(text, *run.span()):
                start, end = found.span()
                around = text[max(start - 1, 0) : start] + text[end : end + 1]
                if _is_meant(found[0], around, encoding):
                    return True
    return "Â" in text and _STRAY.search(text) is not None


def _is_meant(letters: str, around: str, encoding: str) -> bool:
    """Whether the bytes of these letters are a character that a text on medicine can have."""
    try:
        meant = letters.encode(encoding).decode("utf-8")
    except UnicodeError:
        return False
    if encoding in _WESTERN:
        return _LIKELY.match(meant) is not None
    # Elsewhere they are signs or capitals that can stand together, but not within a word.
    return bool(_LIKELY_IN_A_WORD.match(meant) and re.search("[a-z]", around))


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
        if _BEYOND_LATIN.search(text) and (letter := _disguised(text)):
            yield text, f"U+{ord(letter):04X} among Latin letters in {show(text)}"


def _disguised(text: str) -> str | None:
    """The first letter of a text that is none of the script that it seems to be of."""
    for word in _WORD.findall(text):
        if not word.isascii() and _LATIN.search(word):
            if found := next(filter(_is_foreign, word), None):
                return found
            if within := _GREEK_WITHIN.search(word):
                return next(letter for letter in within[0] if not letter.isascii())
    for token in _TOKEN.findall(text):
        digits = [each for each in token if each.isdecimal() and not each.isascii()]
        if digits and re.search("[0-9A-Za-z]", token):
            return digits[0]
    return _like_latin(text)


def _is_foreign(letter: str) -> bool:
    """Whether a letter has nothing to do beside Latin ones in a word."""
    if letter < "\u0250" or not letter.isalpha() or _CONVERTED.match(letter):
        return False  # the last of which the rule broken-character reports
    script = unicodedata.name(letter, "").partition(" ")[0]
    return bool(_ALIKE.match(letter)) or script not in (*_TOGETHER, *_NO_SCRIPT, "GREEK")


def _like_latin(text: str) -> str | None:
    """A letter of a Latin text in which all Cyrillic or all Greek ones look like Latin ones."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    others = [word for word in words if not _LATIN.search(word) and not _is_sign(word)]
    if others and re.search("[A-Za-z]{2}", text) and all(map(_LIKE_LATIN.fullmatch, others)):
        return others[0][0]
    return None


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
        if found := TYPOGRAPHIC.search(text):
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
        for text in filter(_FORMULA.match, column.texts):
            yield text, f"a spreadsheet computes {show(text)}"
