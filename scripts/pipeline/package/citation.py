"""Reads CITATION.cff: what it says at its top from its lines alone, and the whole of it as YAML.

The lines need no library and cost nothing. What they say counts only where YAML says the same,
which the rule citation-file holds a file to; so there is one answer, quick or not.
"""

import contextlib
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, NamedTuple, NoReturn

from pipeline.issue import Keys, show

PATH = "CITATION.cff"
MAX_CHARACTERS = 100_000
MAX_DEPTH = 32
# What an integer or a float needs at most: one of more letters would take time to become a number.
_MAX_NUMBER = 30
_TAG = "tag:yaml.org,2002:"
_ENTRY = re.compile(r"([a-z][a-z-]*):(?=\s|$)(.*)", re.DOTALL)
_BLOCK = re.compile(r"[>|][0-9+-]*[ \t]*(?:#.*)?(?:\n|$)")
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^']|'')*)'", re.DOTALL)


class NoCitation(ValueError):
    """A text that is no YAML that can be used: the line, and why."""

    def __init__(self, line: int, why: str):
        super().__init__(why)
        self.line = line


class Citation(NamedTuple):
    """The values of a CITATION.cff, days among them as texts, and the line of each by its keys."""

    data: Any
    lines: dict[Keys, int]

    def line(self, *keys: str | int) -> int:
        """The line of the value at these keys and indexes, or of the nearest one around it."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 1)


def words(value: object) -> str:
    """A text, or each of a list, as its words with one blank between them."""
    return " ".join(" ".join(map(str, value if isinstance(value, list) else [value])).split())


def plain(text: str) -> dict[str, tuple[int, str]]:
    """What the lines at the top of a CITATION.cff say, in words, by key and with the line."""
    said: dict[str, tuple[int, str]] = {}
    for number, entry in _entries(text):
        if match := _ENTRY.fullmatch(entry):
            said[match[1]] = (number, words(_value(match[2].strip())))
    return said


def _value(text: str) -> str | list[str]:
    """A scalar of any style without its marks, or the scalars of a list."""
    if block := _BLOCK.match(text):
        return text[block.end() :]
    if re.match(r"-\s", text):
        return list(map(_scalar, re.split(r"(?:^|\n)[ \t]*-\s", text)))
    if text.startswith("["):
        return list(map(_scalar, _scalar(text).strip("[]").split(",")))
    return _scalar(text)


def _scalar(text: str) -> str:
    text = text.strip()
    if quoted := _QUOTED.match(text):
        return quoted[1] if quoted[2] is None else quoted[2].replace("''", "'")
    return "\n".join(_COMMENT.sub("", line) for line in text.split("\n"))


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Each line that begins an entry, with those below that belong to it, and its number."""
    start = 0
    entry: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = line.removesuffix("\r")
        if entry and (line[:1] in (" ", "\t") or line[:2] == "- "):
            entry.append(line)
        elif line.strip():
            if entry:
                yield start, "\n".join(entry)
            start, entry = number, [line]
    yield start, "\n".join(entry)


def read(text: str) -> Citation:
    """The values of a CITATION.cff. Raises NoCitation for what is no YAML, or too much of it."""
    from yaml import MarkedYAMLError, YAMLError
    from yaml.reader import ReaderError

    if len(text) > MAX_CHARACTERS:
        raise NoCitation(1, f"has more than {MAX_CHARACTERS:,} characters")
    try:
        loader = _loader()(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        sign = f"U+{error.character:04X}"
        raise NoCitation(line, f"cannot be read as YAML: it has the character {sign}") from error
    try:
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark or loader.get_mark()
        why = error.problem or error.context
        raise NoCitation(mark.line + 1, f"cannot be read as YAML: {why}") from error
    except (YAMLError, ValueError, OverflowError) as error:  # such as of \UFFFFFFFF
        raise NoCitation(loader.line + 1, f"cannot be read as YAML: {error}") from error
    if node is None:
        raise NoCitation(1, "says nothing")
    return Citation(data, _lines(node))


def _lines(root: Any) -> dict[Keys, int]:
    """The line of every value by its keys; that of a member of a mapping is the line of its key."""
    lines: dict[Keys, int] = {}
    waiting: list[tuple[Keys, int, Any]] = [((), 0, root)]
    while waiting:
        keys, line, node = waiting.pop()
        lines[keys] = line + 1
        if node.id == "sequence":
            items = enumerate(node.value)
            waiting += [((*keys, index), each.start_mark.line, each) for index, each in items]
        elif node.id == "mapping":
            waiting += [((*keys, key.value), key.start_mark.line, each) for key, each in node.value]
    return lines


@cache
def _loader() -> Any:
    """A safe loader of plain YAML: texts, numbers, lists and mappings, each written out.

    Neither an alias, which a few lines can multiply without end, nor a tag, nor a key twice.
    """
    import yaml

    class Plain(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()
            if isinstance(event, yaml.AliasEvent):
                _refuse("an alias is not supported; write the value again", event)
            if getattr(event, "tag", None) is not None:
                _refuse("a tag is not supported; leave it out", event)
            if self.depth == MAX_DEPTH:
                _refuse(f"nested more than {MAX_DEPTH} levels deep", event)
            self.depth += 1
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            _refuse_keys(node)
            return super().construct_mapping(node, deep)

    # A day is a text in the format, and << a key like others.
    left_out = (f"{_TAG}timestamp", f"{_TAG}merge")
    Plain.yaml_implicit_resolvers = {
        sign: [each for each in found if each[0] not in left_out]
        for sign, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for name in ("int", "float"):
        Plain.add_constructor(_TAG + name, partial(_number, yaml.SafeLoader.yaml_constructors))
    return Plain


def _refuse(problem: str, at: Any) -> NoReturn:
    from yaml import MarkedYAMLError

    raise MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


def _refuse_keys(node: Any) -> None:
    """Raise an error for a mapping with a key that is no text, or that stands twice."""
    seen: set[str] = set()
    for key, _ in node.value:
        if key.tag != f"{_TAG}str":
            _refuse("a key is no text; put it between quotes", key)
        if key.value in seen:
            _refuse(f"the key {show(key.value)} stands twice", key)
        seen.add(key.value)


def _number(constructors: dict[Any, Any], loader: Any, node: Any) -> int | float:
    # PyYAML takes 0b_ for a number, and time that grows faster than a long one.
    with contextlib.suppress(ValueError, OverflowError):
        if len(node.value) <= _MAX_NUMBER:
            number: int | float = constructors[node.tag](loader, node)
            return number
    _refuse("cannot be read as a number; put it between quotes", node)
