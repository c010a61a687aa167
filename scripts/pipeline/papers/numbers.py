"""Looks for a figure in an abstract, in the spellings that papers use.

Every number of the text becomes a Mention with the values that it can stand for: `1,172` is 1172
and, with a decimal comma, 1.172; `eighty-three` is 83; `68 to 80%` are two percentages. A figure
is found where a mention has its value and its unit. Where only the value fits, or the words say
as much as all or none, nothing is certain. An aid for a reader, not a proof.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from pipeline.letters import plain_marks

PERCENT, DAYS, COUNT, PLAIN = "percent", "days", "count", "plain"
_AROUND = 45
# What is longer is no abstract, and no number.
_MAX_TEXT, _MAX_NUMBER = 50_000, 100
_NUMERAL = re.compile(r"\d+(?:[.,·']\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:([,.'])\d{3})(?:\1\d{3})*")
_GROUPED_DECIMAL = re.compile(r"(\d{1,3}(?:[,']\d{3})+)[.·](\d+)")
_THOUSANDS = re.compile(r"\d{1,3} \d{3}")
_DECIMAL = re.compile(r"(\d+)[.,·](\d+)")
_PERCENT = re.compile(r"\s?(?:%|per ?cent\b|pct\b)")
# Of a unit only the first letters, as long as they are those of no other.
_UNIT = re.compile(
    r"[\s-]?(?:(?P<days>days?|d)|(?P<weeks>weeks?|wks?)|(?P<months>months?|mos?)"
    r"|(?P<years>years?|yrs?|y)|(?P<hours>hours?|hrs?|h)|(?P<other>c?gy|mg|ml|mm|cm|kg|levels?))\b",
    re.IGNORECASE,
)
# How many days one of a unit can be taken for.
_DAYS_OF = {
    "days": (Decimal(1),),
    "weeks": (Decimal(7),),
    "months": (Decimal(30), Decimal("30.4"), Decimal("30.5")),
    "years": (Decimal(365),),
    "hours": (1 / Decimal(24),),
}
_JOINED = re.compile(
    r"\s*(?:[-~/,;&±]|,? ?(?:and|or|to|vs\.?|versus|until|through))?\s*", re.IGNORECASE
)
_RANGE = re.compile(r"\s*(?:[-~]|to|until|through)\s*", re.IGNORECASE)
_PAIR = re.compile(r"\s*(?:[,;±]|and)\s*", re.IGNORECASE)
_P_VALUE = re.compile(r"\bp\s*(?:value)?\s*(?:of|[=<>≤≥]|was)\s*$", re.IGNORECASE)
_ONES = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    "fifteen|sixteen|seventeen|eighteen|nineteen"
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_WORDS = {word: value for value, word in enumerate(_ONES.split("|"))}
_WORDS |= {word: 10 * value for value, word in enumerate(_TENS.split("|"), 2)}
_SCALES = {"hundred": 100, "thousand": 1000}
_ANY = "|".join(sorted([*_WORDS, *_SCALES], key=len, reverse=True))
_SPELLED = re.compile(
    rf"\b(?:an? (?=hundred|thousand))?(?:{_ANY})(?:(?:[\s-]|,? and )(?:{_ANY}))*\b", re.IGNORECASE
)
_FRACTIONS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4}
_FRACTION = re.compile(
    r"\b(?:(?P<n>a|one|two|three)[\s-])?(?P<of>half|thirds?|quarters?)\b", re.IGNORECASE
)
_ALL = re.compile(r"\b(?:all|every|each)\b", re.IGNORECASE)
_NONE = re.compile(r"\b(?:none|no|never)\b", re.IGNORECASE)
_VAGUE = {(PERCENT, 100): _ALL, (PERCENT, 0): _NONE, (COUNT, 0): _NONE}


class Figure(NamedTuple):
    """A number to look for; `is_bound` says that its unit may stand elsewhere."""

    text: str
    unit: str
    is_bound: bool = False


class Mention(NamedTuple):
    """A number in a text, what it can stand for, and its unit where it has one.

    `shared` is the unit of the number that it is joined with, as in `35 and 65%`. `beside` says
    how it stands beside another number: "range", "pair" or not at all.
    """

    start: int
    end: int
    values: tuple[Decimal, ...]
    unit: str = ""
    shared: str = ""
    beside: str = ""


class Hit(NamedTuple):
    """Where a figure stands, with the words around it; `sure` says that its unit fits as well."""

    sure: bool
    around: str


class Abstract:
    """The numbers of an abstract."""

    def __init__(self, text: str):
        self.text = text[:_MAX_TEXT]
        text = plain_marks(self.text)
        mentions = sorted([*_numerals(text), *_spelled(text), *_fractions(text)])
        self.mentions = _with_shared_units(text, mentions)

    def find(self, figure: Figure) -> Hit | None:
        """The first place that has a figure in its unit, or else one that has the number."""
        wanted = Decimal(figure.text)
        unsure: Hit | None = None
        for mention in self.mentions:
            sure = _fits(figure, wanted, mention)
            if sure:
                return Hit(True, self._around(mention.start, mention.end))
            if sure is False and unsure is None:
                unsure = Hit(False, self._around(mention.start, mention.end))
        return unsure or self._vague(figure, wanted)

    def _vague(self, figure: Figure, wanted: Decimal) -> Hit | None:
        pattern = _VAGUE.get((figure.unit, int(wanted))) if wanted == int(wanted) else None
        match = pattern.search(self.text) if pattern else None
        return Hit(False, self._around(*match.span())) if match else None

    def _around(self, start: int, end: int) -> str:
        """The words around a place, whole."""
        left = max(0, start - _AROUND)
        right = min(len(self.text), end + _AROUND)
        while left > 0 and not self.text[left - 1].isspace() and start - left < 2 * _AROUND:
            left -= 1
        while (
            right < len(self.text) and not self.text[right].isspace() and right - end < 2 * _AROUND
        ):
            right += 1
        return self.text[left:right].strip()


def _fits(figure: Figure, wanted: Decimal, mention: Mention) -> bool | None:
    """Whether a mention is the figure; False where the number fits and the unit does not."""
    units = {mention.unit, mention.shared} - {""}
    same = wanted in mention.values
    if figure.unit == PERCENT:
        if same and PERCENT in units:
            return True
        if not units and any(0 < v <= 1 and v * 100 == wanted for v in mention.values):
            return True
        if mention.unit == "fraction":
            return any(_rounds(value * 100, wanted) for value in mention.values) or None
    elif figure.unit == DAYS:
        for unit in units & _DAYS_OF.keys():
            factors = _DAYS_OF[unit]
            if any(_rounds(v * f, wanted) for v in mention.values for f in factors):
                return True
    elif same and not mention.unit:
        # Of `3 to 12%` the 3 is no count; of `in 153, 12%` the 153 is one.
        return figure.unit == PLAIN or not (mention.shared and mention.beside == "range")
    if not same or mention.unit == "fraction":
        return None
    return figure.is_bound and bool(mention.beside) and not mention.unit


def _rounds(value: Decimal, wanted: Decimal) -> bool:
    """Whether a value is the wanted one in as many decimals."""
    try:
        return value.quantize(Decimal(1).scaleb(min(0, int(wanted.as_tuple().exponent)))) == wanted
    except InvalidOperation:  # it would have more digits than a Decimal keeps
        return False


def _numerals(text: str) -> Iterator[Mention]:
    previous: re.Match[str] | None = None
    for match in _NUMERAL.finditer(text):
        start, end = match.span()
        before = text[max(0, start - 2) : start]
        # Of T12, COVID-19 or 12th no figure is made.
        if re.search(r"[^\W\d_]-?$", before) or re.match(r"(?:st|nd|rd|th)\b", text[end : end + 3]):
            previous = None
            continue
        values = list(_values(match[0]))
        if re.search(r"(?:^|[\s(\[=])-$", before):
            values += [-value for value in values]
        # A blank can separate thousands; it can also stand between two numbers.
        if previous and _THOUSANDS.fullmatch(text, previous.start(), end):
            whole = Decimal(previous[0] + match[0])
            yield Mention(previous.start(), end, (whole,), _unit(text, end))
        is_p = _P_VALUE.search(text, max(0, start - 12), start)
        yield Mention(start, end, tuple(values), "other" if is_p else _unit(text, end))
        previous = match


def _values(numeral: str) -> Iterator[Decimal]:
    if numeral.isdigit():
        yield Decimal(numeral)
    if _GROUPED.fullmatch(numeral):
        yield Decimal(re.sub(r"\D", "", numeral))
    if match := _GROUPED_DECIMAL.fullmatch(numeral):
        yield Decimal(re.sub(r"\D", "", match[1]) + "." + match[2])
    if match := _DECIMAL.fullmatch(numeral):
        yield Decimal(f"{match[1]}.{match[2]}")
    elif numeral.count(",") > 1 and not _GROUPED.fullmatch(numeral):
        yield from (Decimal(part) for part in numeral.split(",") if part.isdigit())


def _unit(text: str, end: int) -> str:
    if _PERCENT.match(text, end):
        return PERCENT
    match = _UNIT.match(text, end)
    return str(match.lastgroup) if match else ""


def _spelled(text: str) -> Iterator[Mention]:
    for match in _SPELLED.finditer(text):
        start, end = match.span()
        if end - start > _MAX_NUMBER:
            continue
        total = part = 0
        for word in re.findall(_ANY, match[0].lower()):
            if word in _SCALES:
                part = max(part, 1) * _SCALES[word]
                if word == "thousand":
                    total, part = total + part, 0
            else:
                part += _WORDS[word]
        yield Mention(start, end, (Decimal(total + part),), _unit(text, end))


def _fractions(text: str) -> Iterator[Mention]:
    for match in _FRACTION.finditer(text):
        count = {"two": 2, "three": 3}.get((match["n"] or "").lower(), 1)
        if match["n"] or match["of"].lower() == "half":  # third alone is an ordinal
            value = Decimal(count) / _FRACTIONS[match["of"].lower()]
            yield Mention(*match.span(), (value,), "fraction")


def _with_shared_units(text: str, mentions: list[Mention]) -> list[Mention]:
    """The mentions, those in an enumeration or a range with the unit that stands behind it."""
    found: list[Mention] = []
    after: Mention | None = None
    for mention in reversed(mentions):
        if after is not None and after.start >= mention.end:
            gap = text[mention.end : after.start]
            if not mention.unit and len(gap) < 12 and _JOINED.fullmatch(gap):
                mention = mention._replace(shared=after.unit or after.shared)
            kind = "range" if _RANGE.fullmatch(gap) else "pair" if _PAIR.fullmatch(gap) else ""
            if kind:
                mention = mention._replace(beside=kind)
                found[-1] = found[-1]._replace(beside=found[-1].beside or kind)
        found.append(mention)
        after = mention
    return found[::-1]
