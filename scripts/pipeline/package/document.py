"""Reads the JSON files of a package, and tells on which line each value stands."""

import json
import re
from typing import Any

from pipeline import files
from pipeline.issue import Fault, Keys

MAX_JSON_BYTES = 4 << 20
# What no descriptor and no schema needs, but what would take memory and time out of proportion.
MAX_DEPTH = 32
MAX_VALUES = 100_000
MAX_TEXT = 100_000
_TOKEN = r'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|[^\s{}\[\]:,"]+'
_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"


class NoJSON(Exception):
    """A word that Python takes for a number, such as NaN."""


class Document:
    """A JSON file of the package: its text, its data, and where in the text each value stands.

    `data` is None where the file is missing or broken; `error` is then (line, message). `values`
    says how many values it has.
    """

    def __init__(self, root: str, path: str):
        self.path = path
        self.text = ""
        self.data: Any = None
        self.error: tuple[int, str] | None = None
        self.duplicates = False
        self.usable = False
        self.values = 0
        self._lines: dict[Keys, int] | None = None
        self._repeated: list[Keys] = []
        try:
            raw = files.read(root, path, MAX_JSON_BYTES)
        except OSError as error:
            why = error.strerror or error
            self.error = (1, f"cannot be read: {why}")
        else:
            self.error = self._parse(raw)
        if self.error:
            self.data = None

    def _parse(self, raw: bytes) -> tuple[int, str] | None:
        """Take the data from the bytes; the line and what is wrong where they are not usable."""
        try:
            self.text = raw.decode("utf-8")
            self.data = json.loads(
                self.text, object_pairs_hook=self._pairs, parse_constant=_no_constant
            )
            if "\\ud" in self.text.lower():
                json.dumps(self.data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return 1, "is not usable JSON: it has half of a surrogate pair"
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            return line, f"is not UTF-8: byte {raw[error.start]:#04x}"
        except json.JSONDecodeError as error:
            if self.text.startswith("\ufeff"):
                return 1, "begins with a byte-order mark; save it as UTF-8 without one"
            return error.lineno, f"is not JSON: {error.msg}, column {error.colno}"
        except RecursionError:
            return 1, f"is not usable JSON: {_TOO_DEEP}"
        except NoJSON as error:
            return _line_of(self.text, str(error)), f"is not JSON: {error} is no number there"
        except ValueError as error:
            return 1, f"is not usable JSON: {error}"
        self.values, why = _excess(self.data)
        return (1, f"is not usable JSON: {why}") if why else None

    @property
    def sha256(self) -> str:
        """That of its bytes."""
        digest = files.hasher(len(self.text))
        digest.update(self.text.encode())
        return str(digest.hexdigest())

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        self.duplicates = self.duplicates or len(mapping) != len(pairs)
        return mapping

    def repeated(self) -> list[Keys]:
        """The keys of every value whose key stands again in the same object."""
        if self.duplicates:
            self.line()  # looks at every key
        return self._repeated

    def line(self, *keys: str | int) -> int:
        """The line of the value at these keys and indexes, or of the nearest one around it."""
        if self._lines is None:
            self._lines, self._repeated = {}, []
            if self.data is not None:
                self._lines, self._repeated = _lines_of_json(self.text)
        while keys and keys not in self._lines:
            keys = keys[:-1]
        return self._lines.get(keys, 1)

    def fault(self, message: str, *keys: str | int) -> Fault:
        """A fault at the value with these keys; the last name among them is the field.

        What is wrong with how a field is judged is about that field.
        """
        names = [key for key in keys if isinstance(key, str)]
        judges = keys[:1] == ("fields",) and keys[2:3] not in ((), ("name",))
        about = (self.path, *keys[:2]) if judges else ()
        return Fault(self.path, self.line(*keys), names[-1] if names else "", message, about)


def _no_constant(word: str) -> None:
    raise NoJSON(word)


def _line_of(text: str, word: str) -> int:
    """The line of a word outside of all quotes."""
    at = next(token.start() for token in re.finditer(_TOKEN, text) if token[0] == word)
    return text.count("\n", 0, at) + 1


def _excess(data: Any) -> tuple[int, str | None]:
    """How many values there are in a JSON value, and of what it has more than is allowed."""
    depth, values, level = 0, 0, [data]
    while level:
        depth += 1
        values += len(level)
        if depth > MAX_DEPTH:
            return values, _TOO_DEEP
        if values > MAX_VALUES:
            return values, f"it has more than {MAX_VALUES:,} values"
        inner: list[Any] = []
        for value in level:
            if isinstance(value, str):  # most of them are
                if len(value) > MAX_TEXT:
                    return values, f"a text in it has more than {MAX_TEXT:,} characters"
            elif isinstance(value, dict):
                inner += value
                inner += value.values()
            elif isinstance(value, list):
                inner += value
        level = inner
    return values, None


def _lines_of_json(text: str) -> tuple[dict[Keys, int], list[Keys]]:
    """Where every value of a well-formed JSON text begins, and the keys that are repeated.

    The place of a member of an object is the line of its key, by the keys that lead to it.
    """
    lines: dict[Keys, int] = {}
    repeated: dict[Keys, None] = {}
    path: list[str | int] = []
    line, position, expects_key = 1, 0, False
    for token in re.finditer(_TOKEN, text):
        line += text.count("\n", position, token.start())
        position = token.start()
        mark = token[0]
        if mark in "}]":
            path.pop()
            expects_key = False
        elif mark == ",":
            if isinstance(path[-1], int):
                path[-1] += 1
            else:
                expects_key = True
        elif mark == ":":
            continue
        elif expects_key:
            path[-1] = json.loads(mark)
            if tuple(path) in lines:
                repeated[tuple(path)] = None
            lines[tuple(path)] = line
            expects_key = False
        else:
            lines.setdefault(tuple(path), line)
            if mark == "{":
                path.append("")
                expects_key = True
            elif mark == "[":
                path.append(0)
    return lines, list(repeated)
