"""Patterns that a schema gives: the one place where they are read and compared with texts.

A pattern travels into JSON Schemas, and is read by other languages. What is known here means the
same in Python and in ECMAScript with its flag u, as JSON Schema asks for: letters, classes, groups,
alternatives and repetitions, with ^ and $ around the whole. The classes d, w and s are those of
ECMAScript. All else, such as a look-around or a back-reference, is refused by name.

A text is compared in time that grows with its length alone, whatever the pattern: it becomes the
automaton of Glushkov (Russian Mathematical Surveys 16, 1961, 1-53), and of the deterministic one
only those states are made to which a text leads. Where the next character always says where a
text leads, and in one way only, Python's engine has no choice that it could take back: it judges
many texts sooner, and the same.
"""

import itertools
import re
import sys
from collections.abc import Collection, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple, NoReturn

MAX_LENGTH = 10_000
# Letters and classes, with repetitions written out.
MAX_SIZE = 1_000
_MAX_DEPTH = 50
# States are made anew when they have so many transitions together.
_MAX_KNOWN = 20_000
# From so many characters on it pays to prepare Python's engine.
_MANY = 2_000

# The first and the last of characters that follow each other.
Range = tuple[str, str]

_SYNTAX = "^$\\.*+?()[]{}|/"
# How often something stands, by the sign behind it; the last says it itself.
_OFTEN: dict[str, tuple[int, int | None] | None] = {
    "*": (0, None),
    "+": (1, None),
    "?": (0, 1),
    "{": None,
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_CLASSES: dict[str, list[Range]] = {
    "d": [("0", "9")],
    "w": [("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")],
    "s": [
        ("\t", "\r"), (" ", " "), ("\xa0", "\xa0"), ("\u1680", "\u1680"), ("\u2000", "\u200a"),
        ("\u2028", "\u2029"), ("\u202f", "\u202f"), ("\u205f", "\u205f"), ("\u3000", "\u3000"),
        ("\ufeff", "\ufeff"),
    ],
}  # fmt: skip
_LINE_ENDS = [("\n", "\n"), ("\r", "\r"), ("\u2028", "\u2029")]


class NoPattern(ValueError):
    """A pattern that cannot be used; the message says why."""


class Class(tuple[Range, ...]):
    """A set of characters: its ranges."""

    __slots__ = ()


class Sequence(list["Part"]):
    """Parts that follow each other."""


class Choice(list["Part"]):
    """Parts of which one stands here."""


class Repeated(NamedTuple):
    """A part that stands at least `low` times, and at most `high` times if that is not None."""

    part: "Part"
    low: int
    high: int | None


Part = Class | Sequence | Choice | Repeated


# A part in the automaton: whether it may be empty, and the positions of its ends, as bits.
Fragment = tuple[bool, int, int]


@lru_cache
def compiled(text: str) -> "Pattern":
    """A pattern. Raises NoPattern."""
    return Pattern(text)


def usable(text: str) -> "Pattern | None":
    """A pattern, or None where it cannot be used, which is a fault of the schema."""
    try:
        return compiled(text)
    except NoPattern:
        return None


class State(dict[str, "State"]):
    """Where a text has led to: by the next character, the next state.

    `following` are the positions that can come next, `final` says whether the text may end here.
    """

    __slots__ = ("final", "following", "pattern")

    def __init__(self, pattern: "Pattern", following: int, final: bool):
        self.pattern = pattern
        self.following = following
        self.final = final

    def __missing__(self, character: str) -> "State":
        """Lead on by a character for the first time."""
        return self.pattern.step(self, character)


class Pattern:
    """A pattern that can be compared with texts as a whole. Raises NoPattern.

    `anchored` says whether ^ and $ stand around all of it, so that whoever looks for it inside of
    a text finds no more.
    """

    def __init__(self, text: str):
        self._part, self.anchored = _Parser(text).whole()
        self._following: list[int] = []  # by position
        self._places: dict[Class, int] = {}
        self._parts = 0
        # Whether it is known already that a text may lead to one place in two ways.
        self._ambiguous = False
        self._judged = 0
        empty, first, self._last = self._add(self._part)
        self._by_character: dict[str, int] = {}
        self._states: dict[int, State] = {}
        self._known = 0
        self._start = State(self, first, empty)

    def matches(self, text: str) -> bool:
        """Whether the whole of a text is as the pattern says."""
        state = self._start
        for character in text:
            state = state[character]
        return state.final

    def misfits(self, texts: Collection[str]) -> Iterator[str]:
        """The texts that are not as the pattern says."""
        self._judged += sum(map(len, texts))
        engine = self.engine if self._judged >= _MANY else None
        return itertools.filterfalse(engine.fullmatch if engine else self.matches, texts)

    @cached_property
    def engine(self) -> re.Pattern[str] | None:
        """The pattern for Python's engine, or None where that might take back what it chose.

        It may not if the pattern is strongly deterministic: no character leads to two positions,
        and to none in two ways (Brueggemann-Klein, Theoretical Computer Science 120, 1993,
        197-213).
        """
        classes = {
            position: one for one, places in self._places.items() for position in _positions(places)
        }
        if self._ambiguous or any(
            _overlap([classes[position] for position in _positions(following)])
            for following in {self._start.following, *self._following}
        ):
            return None
        return re.compile(_in_python(self._part))

    def step(self, state: State, character: str) -> State:
        """The state that comes after a state by a character."""
        if self._known > _MAX_KNOWN:
            for each in (self._start, *self._states.values()):
                each.clear()
            self._states, self._by_character, self._known = {}, {}, 0
        self._known += 1
        found = self._by_character.get(character)
        if found is None:
            found = self._by_character[character] = self._where(character)
        now = state.following & found
        after = self._states.get(now)
        if after is None:
            following = 0
            for position in _positions(now):
                following |= self._following[position]
            after = self._states[now] = State(self, following, now & self._last != 0)
        state[character] = after
        return after

    def _where(self, character: str) -> int:
        """The positions where a character may stand."""
        found = 0
        for one, places in self._places.items():
            for low, high in one:
                if low <= character <= high:
                    found |= places
                    break
        return found

    def _add(self, part: Part) -> Fragment:
        """Take a part into the automaton."""
        self._parts += 1
        if self._parts > 3 * MAX_SIZE or len(self._following) >= MAX_SIZE:
            raise NoPattern(
                f"it has more than {MAX_SIZE:,} characters with repetitions written out"
            )
        if isinstance(part, Class):
            bit = 1 << len(self._following)
            self._following.append(0)
            self._places[part] = self._places.get(part, 0) | bit
            return False, bit, bit
        if isinstance(part, Repeated):
            return self._repeat(part)
        if isinstance(part, Sequence):
            whole: Fragment = True, 0, 0
            for one in part:
                whole = self._joined(whole, self._add(one))
            return whole
        may_be_empty, firsts, lasts = False, 0, 0
        for one in part:
            empty, first, last = self._add(one)
            self._ambiguous |= may_be_empty and empty
            may_be_empty, firsts, lasts = may_be_empty or empty, firsts | first, lasts | last
        return may_be_empty, firsts, lasts

    def _joined(self, before: Fragment, after: Fragment) -> Fragment:
        """Let a part follow another."""
        (is_empty, start, last), (empty, first, end) = before, after
        self._follow(last, first)
        return (
            is_empty and empty,
            start | first if is_empty else start,
            end | last if empty else end,
        )

    def _repeat(self, part: Repeated) -> Fragment:
        """A part as often as it may stand; the last copy follows itself if there is no most."""
        copies = max(part.low, 1) if part.high is None else part.high
        whole: Fragment = True, 0, 0
        ends = 0
        for number in range(1, copies + 1):
            empty, first, last = copy = self._add(part.part)
            self._ambiguous |= empty
            whole = self._joined(whole, copy)
            if number >= part.low:
                ends |= whole[2]
        if part.high is None:
            self._follow(last, first)
        may_be_empty, start, _ = whole
        return part.low == 0 or may_be_empty, start, ends

    def _follow(self, before: int, after: int) -> None:
        for position in _positions(before):
            known = self._following[position]
            self._ambiguous |= known & after != 0
            self._following[position] = known | after


def _positions(bits: int) -> Iterator[int]:
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def _overlap(classes: list[Class]) -> bool:
    """Whether some character belongs to two of the classes."""
    ranges = sorted(each for one in classes for each in one)
    return any(before[1] >= after[0] for before, after in itertools.pairwise(ranges))


def _in_python(part: Part) -> str:
    """A part as Python writes it, with every class written out."""
    if isinstance(part, Class):
        # Python takes long to read a class of almost all characters, unless it says which not.
        others = _others(part) if part and part[-1][1] == chr(sys.maxunicode) else ()
        ranges = [f"\\U{ord(low):08x}-\\U{ord(high):08x}" for low, high in others or part]
        return f"[{'^' if others else ''}{''.join(ranges)}]" if ranges else "(?!)"
    if isinstance(part, Sequence):
        return "".join(map(_in_python, part))
    if isinstance(part, Choice):
        return f"(?:{'|'.join(map(_in_python, part))})"
    high = "" if part.high is None else part.high
    return f"(?:{_in_python(part.part)}){{{part.low},{high}}}"


class _Parser:
    """Reads the text of a pattern from left to right."""

    def __init__(self, text: str):
        if len(text) > MAX_LENGTH:
            raise NoPattern(f"it has more than {MAX_LENGTH:,} characters")
        self.text = text
        self.at = 0

    def whole(self) -> tuple[Part, bool]:
        """The pattern, and whether ^ and $ stand around all of it."""
        begins = self._take("^")
        part = self._choice(0)
        ends = self._take("$")
        if self.at < len(self.text):
            self._refuse("a ) without its (")
        return part, begins and ends and len(part) == 1

    def _choice(self, depth: int) -> Choice:
        if depth > _MAX_DEPTH:
            raise NoPattern(f"its groups are nested more than {_MAX_DEPTH} deep")
        parts = [self._sequence(depth)]
        while self._take("|"):
            parts.append(self._sequence(depth))
        return Choice(parts)

    def _sequence(self, depth: int) -> Part:
        parts: list[Part] = []
        while self.at < len(self.text) and not self.text.startswith(("|", ")"), self.at):
            if self.text[self.at] == "$" and self.at == len(self.text) - 1 and depth == 0:
                break
            parts.append(self._repeated(self._atom(depth)))
        return Sequence(parts)

    def _repeated(self, part: Part) -> Part:
        """A part with the repetition that follows it, if any."""
        sign = self.text[self.at : self.at + 1]
        if sign not in _OFTEN:
            return part
        self.at += 1
        low, high = _OFTEN[sign] or self._bounds()
        self._take("?")  # says which part takes how much, not what matches as a whole
        return Repeated(part, low, high)

    def _bounds(self) -> tuple[int, int | None]:
        """The least and the most of a repetition in braces."""
        end = max(self.text.find("}", self.at, self.at + 20), self.at)
        low, comma, high = self.text[self.at : end].partition(",")
        if not (low + high).isascii() or not low.isdecimal() or not (high or low).isdecimal():
            self._refuse("a { without a number and a }")
        self.at = end + 1
        least, most = int(low), int(high) if high else None
        if not comma:
            most = least
        if most is not None and most < least:
            self._refuse("a repetition whose most is less than its least")
        return least, most

    def _atom(self, depth: int) -> Part:
        sign = self._next()
        if sign == "(":
            if self._take("?") and not self._take(":"):
                self._refuse("a (? that is not (?:, which not all languages know,")
            part = self._choice(depth + 1)
            if not self._take(")"):
                self._refuse("the end inside of a group")
            return part
        if sign == "[":
            return self._class()
        if sign == ".":
            return Class(_others(_LINE_ENDS))
        if sign == "\\":
            return Class(self._escaped())
        if sign in "^$":
            self._refuse(f"a {sign} that does not stand around the whole")
        if sign in "*+?{}]":
            self._refuse(f"a {sign} without a backslash that repeats or closes nothing")
        return Class([(sign, sign)])

    def _class(self) -> Class:
        negated = self._take("^")
        if self.text.startswith("]", self.at):
            self._refuse("an empty class")
        ranges: list[Range] = []
        while not self._take("]"):
            low = self._member()
            if not self._take("-"):
                ranges += low
            elif self.text.startswith("]", self.at):
                ranges += [*low, ("-", "-")]
            else:
                ranges.append(self._between(low, self._member()))
        return Class(_others(ranges) if negated else ranges)

    def _between(self, low: list[Range], high: list[Range]) -> Range:
        if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0][0] != high[0][1]:
            self._refuse("a range between what are no two characters")
        if low[0] > high[0]:
            self._refuse("a range that runs backward")
        return low[0][0], high[0][0]

    def _member(self) -> list[Range]:
        sign = self._next()
        if sign == "\\":
            return self._escaped("-")
        return [(sign, sign)]

    def _escaped(self, more: str = "") -> list[Range]:
        """What stands behind a backslash."""
        sign = self._next()
        if sign in "xu":
            sign = self._numbered(2 if sign == "x" else 4)
            return [(sign, sign)]
        if sign.lower() in _CLASSES:
            ranges = _CLASSES[sign.lower()]
            return ranges if sign.islower() else list(_others(ranges))
        sign = _CONTROLS.get(sign, sign if sign in _SYNTAX + more else "")
        if not sign:
            self._refuse(f"\\{self.text[self.at - 1]}, which not all languages know,")
        return [(sign, sign)]

    def _numbered(self, length: int) -> str:
        """A character by its number in hexadecimal digits."""
        digits = self.text[self.at : self.at + length]
        self.at += len(digits)
        if len(digits) < length or not set(digits) <= set("0123456789abcdefABCDEF"):
            self._refuse(f"a backslash with x or u and not {length} hexadecimal digits")
        if 0xD800 <= int(digits, 16) <= 0xDFFF:
            self._refuse("half of a surrogate pair")
        return chr(int(digits, 16))

    def _next(self) -> str:
        if self.at == len(self.text):
            self._refuse("the end inside of a class or behind a backslash")
        self.at += 1
        return self.text[self.at - 1]

    def _take(self, sign: str) -> bool:
        found = self.text.startswith(sign, self.at)
        self.at += found
        return found

    def _refuse(self, what: str) -> NoReturn:
        raise NoPattern(f"it has {what} at character {self.at:,}")


def _others(ranges: Collection[Range]) -> tuple[Range, ...]:
    """The characters that belong to none of some ranges."""
    found: list[Range] = []
    begin = 0
    for low, high in sorted(ranges):
        if begin < ord(low):
            found.append((chr(begin), chr(ord(low) - 1)))
        begin = max(begin, ord(high) + 1)
    if begin <= sys.maxunicode:
        found.append((chr(begin), chr(sys.maxunicode)))
    return tuple(found)
