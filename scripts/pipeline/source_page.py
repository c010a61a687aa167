"""The sentences of a pasted page, and what became of those that were recorded.

The wording of the page is not licensed, so that the package has only a hash of each sentence.
"""

import contextlib
import hashlib
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import count, pairwise
from typing import NamedTuple

from pipeline import rules
from pipeline.issue import CannotRun
from pipeline.letters import normalize, unescaped
from pipeline.package import Package

MAX_PAGE_BYTES = 1 << 18
STATUSES = ("unchanged", "moved", "changed", "gone", "new")

# Tags that no text about medicine has; a bare < could be "less than".
_HTML = re.compile(r"<!doctype html|<html\b|</(a|body|div|html|p|span)>|<br ?/?>", re.IGNORECASE)
# Line ends of other systems, and what begins a page.
_LINE_ENDS = str.maketrans(
    {"\r": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n\n", "\f": "\n\n"}
)
_MARK = re.compile(r" ?(?<![¹²³⁴-⁹⁰])[¹²³⁴-⁹⁰]+⁾")
# Copied from a browser, a mark is 1) or [1]. One that begins a line belongs to a reference, and a
# number in round brackets is no mark: both are kept. White space is bounded, so is the time.
_PLAIN = r"(?:[0-9]{1,3}\)|\[[0-9]{1,3}\])"
_PLAIN_MARK = re.compile(
    rf"((?:^|\n)[ \t]*{_PLAIN}(?=\s|$)|\([^()]*\))|[ \t]{{0,9}}\n?[ \t]{{0,9}}{_PLAIN}"
)
_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u2032`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"'),
    }
)
# What a program for print makes of letters and signs, and what others put around and into words.
_PRINTED = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        "\u2026": "...",
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
    }
)
_NOTATION = re.compile(
    r"^[ \t]{0,9}[>\u2022-][ \t]{1,9}|-\n(?=[a-z])|(?<!\w)_+(?=\w)|(?<=[\w.])_+(?!\w)",
    re.MULTILINE,
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_WIKI = (
    (re.compile(r"^[ \t]*==.*==[ \t]*$", re.MULTILINE), "\n"),  # a heading
    (re.compile(r"\s{0,9}\(\(.{0,2000}?\)\)", re.DOTALL), ""),  # a footnote
    (re.compile(r"\[\[(?:[^]|[]*\|)?([^]|[]*)\]\]"), r"\1"),  # a link, with or without a label
    (re.compile(r"\{\{.{0,500}?\}\}|~~[A-Z:]+~~", re.DOTALL), ""),  # an image, a switch
    (re.compile(r"(?<!:)//|\\\\(?=\s)"), ""),  # italics, a forced line break
)
# A reference with its mark, or the title above all of them: no running text follows.
_REFERENCES = re.compile(
    rf"([¹²³⁴-⁹⁰]+⁾|{_PLAIN})(\s|$)|(references|footnotes|bibliography):?$", re.IGNORECASE
)
# How a sentence ends, at the latest before closing quotes and brackets.
_END = re.compile("[.!?][)\\]\"'\u201d\u2019]*$")


class Passage(NamedTuple):
    """A recorded sentence, and the ids of the statements that rest on it."""

    passage_id: str
    paragraph: int
    sentence: int
    sha256: str
    statements: list[str]


class Sentence(NamedTuple):
    """A sentence of the page of today; paragraphs and sentences count from 1."""

    paragraph: int
    sentence: int
    sha256: str
    text: str


class Page(NamedTuple):
    """The sentences of the running text, and what was left out of it.

    `references` counts the paragraphs from the first reference on.
    """

    sentences: list[Sentence]
    headings: list[str]
    references: int


class Finding(NamedTuple):
    """What became of a recorded sentence, or a sentence that is new."""

    status: str
    passage: Passage | None
    found: Sentence | None


def recorded(package: Package) -> list[Passage]:
    """The recorded sentences of a package in the order of the page."""
    resting = defaultdict(list)
    for statement, passage in _cells(package, "statements", "statement_id", "passage_id"):
        resting[passage].append(statement)
    names = ("passage_id", "paragraph", "sentence", "sha256")
    try:
        passages = [
            Passage(name, int(paragraph), int(sentence), sha256, resting[name])
            for name, paragraph, sentence, sha256 in _cells(package, "source_passages", *names)
        ]
    except ValueError as error:
        raise CannotRun(f"source_passages: {error}; scripts/validate.py says where") from error
    if not passages:
        raise CannotRun("there is nothing to compare with: source_passages has no rows")
    return sorted(passages, key=lambda passage: (passage.paragraph, passage.sentence))


def _cells(package: Package, table: str, *names: str) -> Iterator[tuple[str, ...]]:
    """The cells of some columns of a table, row by row."""
    return rules.opened(package, table, *names).table.tuples(*names)


def decoded(raw: bytes, name: str) -> str:
    """The text of a page that was saved or copied as text, with its line ends as newlines."""
    if len(raw) > MAX_PAGE_BYTES:
        raise CannotRun(f"{name} is larger than {MAX_PAGE_BYTES:,} bytes; that is no wiki page")
    if b"\0" in raw:
        raise CannotRun(f"{name} is no plain text in UTF-8; save the page as such")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CannotRun(f"{name} is not in UTF-8 on line {line}; save it in UTF-8") from error
    if _HTML.search(text):
        raise CannotRun(f"{name} looks like HTML; copy the text that the browser shows instead")
    if "\ufffd" in text:
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        why = f"has a character on line {line} that a program could not read"
        raise CannotRun(f"{name} {why}; copy the page anew, or save it in UTF-8")
    # Only bytes of UTF-8 that a program took for another encoding can be read again.
    with contextlib.suppress(UnicodeError):
        text = text.encode("cp1252").decode()
    return text.replace("\r\n", "\n").translate(_LINE_ENDS)


def normalized(text: str) -> str:
    """A text without markup and reference marks, in NFC, white space folded and trimmed.

    docs/curation.md describes this for everyone who wants to recognize a sentence.
    """
    text = re.sub(r"\s+", " ", text.replace("*", ""))
    text = normalize("NFC", _MARK.sub("", text))
    return re.sub(r"\s+", " ", text).strip()


def split(paragraph: str) -> list[str]:
    """The sentences of a normalized paragraph.

    One ends at a full stop before a space and a capital letter, even after an abbreviation: what
    was recorded was split in the same way.
    """
    stops = [m.end() for m in re.finditer(r"\.(?= (\w))", paragraph) if m[1].isupper()]
    bounds = [0, *stops, len(paragraph)]
    return [text for a, b in pairwise(bounds) if (text := paragraph[a:b].strip())]


def sha256_of(sentence: str) -> str:
    """The hash by which a normalized sentence is recognized."""
    return hashlib.sha256(sentence.encode()).hexdigest()


def read(text: str, known: set[str]) -> Page:
    """The page in the reading that recognizes most of the known sentences.

    Where two recognize as many, the one that docs/curation.md describes is taken.
    """
    pages = [
        page_of(re.split(separator, version))
        for version in versions(text)
        for separator in (r"\n\s*\n", r"\n")
    ]
    return max(pages, key=lambda page: len(known.intersection(s.sha256 for s in page.sentences)))


def versions(text: str) -> Iterator[str]:
    """The text as it is, then without what a browser adds, then without the markup of a wiki.

    Then entities and typographic quotes are what they stand for, and last what is made for print.
    """
    yield text
    pasted = _PLAIN_MARK.sub(r"\1", _INVISIBLE.sub("", text))
    yield pasted
    for pattern, replacement in _WIKI:
        pasted = pattern.sub(replacement, pasted)
    yield pasted
    pasted = unescaped(pasted).translate(_QUOTES)
    yield pasted
    yield _NOTATION.sub("", pasted.translate(_PRINTED))


def page_of(paragraphs: list[str]) -> Page:
    """The sentences of the paragraphs of a page, without headings, references and footer."""
    sentences: list[Sentence] = []
    headings: list[str] = []
    texts = [text.strip() for text in paragraphs if text.strip()]
    end = next((i for i, text in enumerate(texts) if _REFERENCES.match(text)), len(texts))
    paragraph = 0
    for found in map(split, map(normalized, texts[:end])):
        # A heading, or a line of the footer, is one sentence that does not end.
        if len(found) == 1 and not _END.search(found[0]):
            headings += found
            continue
        paragraph += 1
        for number, sentence in enumerate(found, 1):
            sentences.append(Sentence(paragraph, number, sha256_of(sentence), sentence))
    return Page(sentences, headings, len(texts) - end)


def compare(passages: list[Passage], sentences: list[Sentence]) -> Iterator[Finding]:
    """What became of each passage, in their order, and then the sentences that are new."""
    same, changed = align([p.sha256 for p in passages], [s.sha256 for s in sentences])
    for index, passage in enumerate(passages):
        if index in same:
            found = sentences[same[index]]
            stays = (found.paragraph, found.sentence) == (passage.paragraph, passage.sentence)
            yield Finding("unchanged" if stays else "moved", passage, found)
        elif index in changed:
            yield Finding("changed", passage, sentences[changed[index]])
        else:
            yield Finding("gone", passage, None)
    for index in sorted(set(range(len(sentences))).difference(same.values(), changed.values())):
        yield Finding("new", None, sentences[index])


def align(before: list[str], after: list[str]) -> tuple[dict[int, int], dict[int, int]]:
    """By index: what is the same in both lists of hashes, and what has changed into what.

    Something has changed where a hash that is found nowhere and one that is unknown stand between
    the same two neighbors that are still in order.
    """
    kept = _in_order(before, after)
    if not kept:
        return {}, {}  # another page: nobody can tell what was changed into what
    strayed = (index for index in range(len(before)) if index not in kept)
    place = {sha256: index for index, sha256 in reversed(list(enumerate(after)))}
    same = kept | {index: place[before[index]] for index in strayed if before[index] in place}
    changed: dict[int, int] = {}
    known = set(before)
    for (a, b), (c, d) in pairwise([(-1, -1), *kept.items(), (len(before), len(after))]):
        lost = (index for index in range(a + 1, c) if index not in same)
        unknown = (index for index in range(b + 1, d) if after[index] not in known)
        changed.update(zip(lost, unknown, strict=False))
    return same, changed


def _in_order(before: list[str], after: list[str]) -> dict[int, int]:
    """By index, what is the same in both lists and in the same order: as much as possible.

    A text that stands more than once is the same only as often as before. The longest increasing
    subsequence (Fredman, Discrete Mathematics 11, 1975, 29-35) takes n log n steps.
    """
    places = {key: index for index, key in enumerate(_numbered(after))}
    pairs = [(i, places[key]) for i, key in enumerate(_numbered(before)) if key in places]
    ends: list[int] = []  # the smallest place that ends a sequence of each length
    lasts: list[int] = []  # the pair that does
    previous: list[int | None] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        previous.append(lasts[length - 1] if length else None)
        ends[length : length + 1], lasts[length : length + 1] = [place], [number]
    chain: list[tuple[int, int]] = []
    last = lasts[-1] if lasts else None
    while last is not None:
        chain.append(pairs[last])
        last = previous[last]
    return dict(reversed(chain))


def _numbered(texts: list[str]) -> Iterator[tuple[str, int]]:
    """Each text with the number of the same ones before it."""
    seen: defaultdict[str, Iterator[int]] = defaultdict(count)
    return ((text, next(seen[text])) for text in texts)
