"""Patterns of schemas: the same verdict as the engines of Python and of JavaScript."""

import json
import os
import re
import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands import ROOT
from pipeline.package.patterns import NoPattern, Pattern

# What is written in the same way and means the same in Python and in JavaScript.
_ALIKE = r"""
    ^$ ^a$ ^(a|b)$ ^a|b$ a ^(?:ab)+$ ^a*?b$ ^a{2}$ ^a{2,}$ ^a{0,3}$ ^a{0}$ ^a{00002}$
    ^[ab]$ ^[^ab]$ ^[a-c-]$ ^[-a]$ ^[a^]$ ^[[]$ ^[\]\\]$ ^[\-x]$ ^[!--]$ ^\.$ ^.$
    ^\d+$ ^\D+$ ^\w+$ ^\W$ ^\s$ ^\S$ ^[\d_]+$ ^[^\d]$ ^[^\D]$ ^\x41$ ^\u00e9$ ^é+$
    ^(a|)$ ^(|a)+$ ^()$ ^(?:)$ ^((a*)*)*$ ^(a?){3}$ ^(a{2,3}){2}$ ^10[.][0-9]{4,9}/[^A-Z]+$
    ^\t\n\r\f\v$ ^\/$ ^\(\)\[\]\{\}\|\^\$\*\+\?$
"""
# What Python or JavaScript alone knows, or no automaton decides, with a word of the message.
_REFUSED = r"""
    (?i)a (?   ^(?P<x>a)$ (?   ^(?=a)a$ (?   ^(?<!a)b$ (?   ^(?#a)b$ (?   ^(?>a)$ (?
    ^a\Z \Z   ^\Aa$ \A   ^\ba$ \b   ^(a)\1$ \1   ^\p{L}$ \p   ^\-$ \-   ^\N{DASH}$ \N
    ^a++$ repeats   ^a**$ repeats   ^+$ repeats   ^{2}$ repeats   ^a}$ repeats   ^a]$ closes
    ^a{,2}$ number   ^a{x}$ number   ^a{2$ number   ^a{٣}$ number   ^a{3,2}$ less
    ^[]a]$ empty   ^[^]a]$ empty   ^[a$ inside   ^(a$ whole   ^(a inside   ^a)$ )   a\ behind
    ^[b-a]$ backward   ^[\d-x]$ range   ^[a-\d]$ range   ^\ud800$ surrogate
    ^a^b$ whole   ^a$b$ whole   ^a$|^b$ whole   ^(a$)$ whole   ^\x4$ digits   ^\u{e9}$ digits
    ^a{1001}$ 1,000   ^((a{30}){30}){30}$ 1,000   ^((){999}){999}$ 1,000
    ^a{99999999999999999999}$ number
"""
ALIKE = _ALIKE.split()
REFUSED = dict(zip(_REFUSED.split()[::2], _REFUSED.split()[1::2], strict=True))
REFUSED["^" + "(" * 60 + "a" + ")" * 60 + "$"] = "nested"
REFUSED["^" + "a" * 10_001 + "$"] = "10,000 characters"
TEXTS = [*"ab-^[]\\.7_éÉ٣ x\xa0A/\t\n+!c", "", "aa", "ab", "abab", "aaaa", "10.1234/x", "12"]
TEXTS += ["aabaa", "aaaaaa", "\N{GRINNING FACE}", "\t\n\r\f\v", "()[]{}|^$*+?"]


@pytest.mark.parametrize("pattern", ALIKE)
@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
def test_pattern_means_what_it_means_in_python(pattern: str):
    """Catches a text that is accepted or refused otherwise than Python's engine does."""
    ours = Pattern(pattern)
    theirs = re.compile(pattern, re.ASCII)
    for text in TEXTS:
        if text not in (
            "\xa0",
            "\n",
        ):  # JavaScript calls a no-break space white, and no dot a line end
            assert ours.matches(text) == bool(theirs.fullmatch(text)), text


NODE = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="Node.js is not installed"
)


@NODE
def test_pattern_means_what_it_means_in_javascript():
    """Catches a pattern with which an exported JSON Schema cannot be used, or means another."""
    code = (
        "const [patterns, texts] = JSON.parse(process.argv[1]);"
        "console.log(JSON.stringify(patterns.map(p => texts.map("
        "t => new RegExp(p.replace(/^\\^?/, '^(?:').replace(/\\$?$/, ')$'), 'u').test(t)))))"
    )
    done = subprocess.run(
        ["node", "--eval", code, json.dumps([ALIKE, TEXTS])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for pattern, theirs in zip(ALIKE, json.loads(done.stdout), strict=True):
        assert list(map(Pattern(pattern).matches, TEXTS)) == theirs, pattern


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_not_all_engines_know_is_refused_by_name(pattern: str):
    """Catches a pattern that an engine elsewhere refuses, or reads in another way."""
    with pytest.raises(NoPattern) as caught:
        Pattern(pattern)
    assert REFUSED[pattern] in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("pattern", "anchored"),
    [
        *(("^a$", True), ("^(a|b)$", True), (r"^[|]$", True), (r"^\|$", True)),
        *(("^a|b$", False), ("a$", False), ("^a", False), ("a", False), (r"^a\$", False)),
    ],
)
def test_anchors_stand_around_the_whole(pattern: str, anchored: bool):
    """Catches a pattern that also matches inside of a longer text."""
    assert Pattern(pattern).anchored == anchored


PARTS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "c"]),
    lambda part: st.one_of(
        st.lists(part, max_size=3).map("".join),
        st.lists(part, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(part, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=400)
@given(PARTS, st.lists(st.text("abc", max_size=8), min_size=1, max_size=8))
@example("(a*)*b", ["aab", "ba"])
@example("(a|b[ab]?c){2,3}", ["abc", "abacbc", "a", "abca", "aaaa"])
def test_any_pattern_means_what_it_means_in_python(pattern: str, texts: list[str]):
    """Catches an automaton that is built wrongly from its parts."""
    ours, theirs = Pattern(pattern), re.compile(pattern)
    for text in texts:
        assert ours.matches(text) == bool(theirs.fullmatch(text)), (pattern, text)
        if ours.engine:
            assert ours.matches(text) == bool(ours.engine.fullmatch(text)), (pattern, text)


@pytest.mark.parametrize("pattern", ALIKE)
def test_many_texts_are_judged_as_few(pattern: str):
    """Catches a class or a repetition that is translated wrongly where there are many texts."""
    many = [*TEXTS, *(f"{text}{number}" for number in range(50) for text in TEXTS)]
    ours = Pattern(pattern)
    assert list(ours.misfits(many)) == [text for text in many if not ours.matches(text)]
    assert set(ours.misfits(TEXTS)) == {text for text in TEXTS if not ours.matches(text)}


@pytest.mark.parametrize(
    "pattern",
    [
        *("^(a*)*b$", "^(a+)+b$", "^(a?)?b$", "^(a|a)*b$", "^(a|[ab])*c$", "^a*a*b$"),
        *("^(a?|b?)c$", "^(ab?){2,}b$", "^(a|)*$", r"^(\w|\d)+$", "^([^a]|b)+$", "^(a{2,3}){2}$"),
    ],
)
def test_no_engine_has_to_take_back_what_it_chose(pattern: str):
    """Catches a pattern that is left to an engine which may need time without end for it."""
    assert Pattern(pattern).engine is None


def test_patterns_of_keys_are_judged_soon():
    """Catches a pattern of what each row has its own of that leaves open where a text leads."""
    found = [
        pattern
        for path in (ROOT / "schemas").glob("*.json")
        for schema in [json.loads(path.read_text("utf-8"))]
        for field in schema["fields"]
        if (pattern := field.get("constraints", {}).get("pattern"))
        and (field["name"] in schema["primaryKey"] or field["constraints"].get("unique"))
    ]
    assert len(found) > 5
    assert [pattern for pattern in found if not Pattern(pattern).engine] == []


def test_states_are_made_anew():
    """Catches a verdict that changes once too many states were known."""
    pattern = Pattern("^([ab]*a[ab]{12}|[^ab]+)$")
    texts = [f"{number:017b}".replace("0", "a").replace("1", "b") for number in range(20_000)]
    texts += [chr(number) * 3 for number in range(0x4E00, 0x9000)]
    expected = [(text[0] not in "ab") or text[-13] == "a" for text in texts]
    assert list(map(pattern.matches, texts)) == expected
    assert list(map(pattern.matches, texts)) == expected
