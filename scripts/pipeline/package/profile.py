"""What a descriptor and a schema may contain here, as schemas/profile/ says it in JSON Schema.

Read with the standard library, so that --quick knows it, too. Data Package v2 allows more: what
only that allows is refused as not supported, so that nothing a curator writes is passed over in
silence, and nothing is called wrong that is not. table-schema.json explains the keywords
`inStandard` and `rules` and the formats of the names of fields.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline import files
from pipeline.issue import Keys, show

_FOLDER = os.path.join(*[os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 3], "schemas")
_TYPES: dict[str, tuple[set[type], str]] = {
    "object": ({dict}, "an object"),
    "array": ({list}, "a list"),
    "string": ({str}, "a text"),
    "boolean": ({bool}, "true or false"),
    "integer": ({int}, "a whole number"),
    "number": ({int, float}, "a number"),
}
# The types of the fields that a format allows.
_FIELDS = {
    "field-name": ("string", "integer", "number", "boolean", "year", "date"),
    "number-field-name": ("number", "integer", "year"),
    "integer-field-name": ("integer",),
    "string-field-name": ("string",),
    "year-field-name": ("year",),
    "date-field-name": ("date",),
}
# Of a value whose shape has no other keywords, only the type is asked.
_PLAIN = {"type", "title", "description", "rules", "inStandard"}
_is_address = re.compile(r"https?://[^\s/:?#]+\.[^\s/:?#]+(:\d+)?([/?#]\S*)?", re.ASCII).fullmatch

NAMES = ("data-package", "table-schema")

Shape = Any  # a JSON Schema: an object, true or false
Ways = dict[str, "Ways"]


class Misfit(NamedTuple):
    """A value that does not fit the profile.

    `unsupported` where the standard allows it, `harmless` where all else can be read without it.
    """

    keys: Keys
    message: str
    unsupported: bool = False
    harmless: bool = False


def source(name: str) -> str:
    """A JSON Schema of schemas/profile/ as it stands there."""
    return files.own(_FOLDER, "profile", f"{name}.json")


@lru_cache
def profile(name: str) -> dict[str, Any]:
    """A JSON Schema of schemas/profile/."""
    found: dict[str, Any] = json.loads(source(name))
    return found


def is_named_by(schema: dict[str, Any]) -> bool:
    """Whether a Table Schema names the profile by its path."""
    return schema.get("$schema") == "profile/table-schema.json"


class _Asked:
    """What a shape asks of a value, in the order in which it is looked at; made once for each.

    `plain` are the types of those members of which nothing else is asked, `beyond` the checks of a
    value that has one of the `types`.
    """

    def __init__(self, shape: dict[str, Any]):
        self.shape = shape
        self.checks = [(check, shape[name]) for name, check in _CHECKS.items() if name in shape]
        self.beyond = [each for each in self.checks if each[0] is not _no_type]
        self.types = {kind for name in _several(shape.get("type", [])) for kind in _TYPES[name][0]}
        self.form: str | None = shape.get("format")
        self.items: Shape = shape.get("items")
        self.required: list[str] = shape.get("required", [])
        self.known: dict[str, Shape] = shape.get("properties", {})
        self.others: Shape = shape.get("additionalProperties", {})
        self.names: Shape = shape.get("propertyNames")
        self.conditions = [_condition(each) for each in shape.get("allOf", [])]
        self.deciding = {name for wanted, _ in self.conditions for name, _ in wanted}
        self._following: dict[str, list[tuple[str, Shape]]] = {}
        self.plain = {
            name: _TYPES[each["type"]][0]
            for name, each in self.known.items()
            if each and "type" in each and each.keys() <= _PLAIN and isinstance(each["type"], str)
        }

    def following(self, value: dict[str, Any]) -> list[tuple[str, Shape]]:
        """What else an object must be because of some of its members, and because of which."""
        deciding = repr([value.get(name) for name in self.deciding])
        if deciding not in self._following:
            self._following[deciding] = [
                (" and ".join(f"{name} is {value[name]}" for name, _ in wanted), then)
                for wanted, then in self.conditions
                if all(value.get(name) in texts for name, texts in wanted)
            ]
        return self._following[deciding]


class Reader:
    """Tells where a JSON value does not fit a profile, by the keywords that the profiles use."""

    def __init__(self, root: dict[str, Any]):
        self.root = root
        self._asked: dict[int, _Asked] = {}
        self._names: list[Any] = []
        self._types: dict[str, Any] = {}

    def misfits(self, value: Any, fields: Sequence[tuple[Any, Any]] = ()) -> Sequence[Misfit]:
        """Every place in a value that does not fit the profile.

        `fields` are the names and the types of the fields of the table at hand, in their order.
        """
        self._names = [name for name, _ in fields]
        self._types = {name: kind for name, kind in fields if isinstance(name, str)}
        return self._misfits(value, self.root, ())

    def _misfits(self, value: Any, shape: Shape, keys: Keys) -> Sequence[Misfit]:
        if shape is False:
            return [Misfit(keys, f"the property {show(keys[-1])} is not supported", True, True)]
        if not shape:
            return ()  # whatever it is
        asked = self._asked.get(id(shape)) or self._of(shape)
        shape = asked.shape
        for check, wanted in asked.beyond if type(value) in asked.types else asked.checks:
            if wrong := check(wanted, value):
                return [self._weighed(Misfit(keys, wrong), value, shape)]
        if asked.form and isinstance(value, str):
            wrong = self._no_form(value, asked.form, keys)
        else:
            wrong = self._no_branch(value, shape["anyOf"]) if "anyOf" in shape else None
        if wrong:
            return [self._weighed(Misfit(keys, wrong), value, shape)]
        if isinstance(value, dict):
            return self._members(value, shape, asked, keys)
        found: list[Misfit] = []
        if asked.items and isinstance(value, list):
            for index, inner in enumerate(value):
                found += self._misfits(inner, asked.items, (*keys, index))
        return found

    def _of(self, shape: dict[str, Any]) -> _Asked:
        """What a shape asks, or the one that it refers to."""
        meant = shape
        if "$ref" in shape:
            meant = self.root["definitions"][shape["$ref"].rpartition("/")[2]]
        asked = self._asked[id(shape)] = _Asked(meant)
        return asked

    def _no_branch(self, value: Any, shapes: list[Shape]) -> str | None:
        branches = [self._misfits(value, each, ()) for each in shapes]
        return " or ".join(found[0].message for found in branches) if all(branches) else None

    def _no_form(self, text: str, form: str, keys: Keys) -> str | None:
        if form == "uri" and not _is_address(text):
            return f"must be an address such as https://example.org, not {show(text)}"
        if form not in _FIELDS:
            return None
        if text not in self._types:
            return f"there is no field {show(text)} in this table"
        kind = self._types[text]
        if kind in _FIELDS["field-name"] and kind not in _FIELDS[form]:
            wanted = _any_of(_FIELDS[form])
            return f"must be a field of type {wanted}; {show(text)} is of type {kind}"
        if keys[0] == "fields" and isinstance(keys[1], int) and text == self._names[keys[1]]:
            return f"{show(text)} is the field itself"
        return None

    def _members(
        self, value: dict[str, Any], shape: dict[str, Any], asked: _Asked, keys: Keys
    ) -> list[Misfit]:
        found: list[Misfit] = []
        for name in asked.required:
            if name not in value:
                misfit = Misfit(keys, f"lacks the property {show(name)}")
                found.append(self._weighed(misfit, value, shape))
        known, plain, others = asked.known, asked.plain, asked.others
        for name in value if asked.names else ():
            found += self._misfits(name, asked.names, (*keys, name))
        for name in value if others != {} else filter(known.__contains__, value):
            inner = value[name]
            if name not in plain or type(inner) not in plain[name]:
                found += self._misfits(inner, known.get(name, others), (*keys, name))
        for given, then in asked.following(value) if asked.conditions else ():
            if not then["properties"].keys().isdisjoint(value):
                for misfit in self._misfits(value, then, keys):
                    found.append(misfit._replace(message=f"{misfit.message} where {given}"))
        return found

    def _weighed(self, misfit: Misfit, value: Any, shape: dict[str, Any]) -> Misfit:
        """A misfit, called not supported where the standard allows the value."""
        if "inStandard" not in shape or any(self._misfits(value, shape["inStandard"], ())):
            return misfit
        message = f"{misfit.message}; the standard allows it, but it is not supported here"
        return misfit._replace(message=message, unsupported=True)


@lru_cache
def _reader(name: str) -> Reader:
    return Reader(profile(name))


def _condition(rule: dict[str, Any]) -> tuple[list[tuple[str, list[str]]], Shape]:
    """The texts that an object must have for a rule, by property, and the shape it then has."""
    wanted = rule["if"]
    return [(name, wanted["properties"][name]["enum"]) for name in wanted["required"]], rule["then"]


def _several(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _no_type(wanted: Any, value: Any) -> str | None:
    kinds = _several(wanted)
    for kind in kinds:
        if type(value) in _TYPES[kind][0]:
            return None
        # JSON has one kind of number, whose fraction may be zero.
        if kind == "integer" and isinstance(value, float) and value.is_integer():
            return None
    return f"must be {_TYPES[kinds[0]][1]}, not {show(value)}"


def _not_listed(wanted: list[Any], value: Any) -> str | None:
    if value in wanted:
        return None
    return f"must be {_any_of(wanted)}, not {show(value)}"


def _any_of(values: Sequence[Any]) -> str:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in values]
    return " or ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def _no_match(wanted: str, value: Any) -> str | None:
    if not isinstance(value, str) or re.search(wanted, value):
        return None
    return f"{show(value)} does not match {wanted}"


def _too_small(wanted: int, value: Any) -> str | None:
    if not isinstance(value, (str, list, dict)):
        return f"must be at least {wanted}, not {value}" if value < wanted else None
    if len(value) >= wanted:
        return None
    return "must not be empty" if wanted == 1 else f"needs at least {wanted} entries"


def _too_many(wanted: int, value: Any) -> str | None:
    if not isinstance(value, list) or len(value) <= wanted:
        return None
    return f"has more than {wanted} entries"


def _repeated(wanted: bool, value: Any) -> str | None:
    seen: set[object] = set()
    for each in value if wanted else ():
        value = _hashable(each)
        if value in seen:
            return f"{show(each)} stands twice"
        seen.add(value)
    return None


def _hashable(value: Any) -> object:
    """What is the same for the same values of JSON alone, and can be in a set."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return frozenset([(name, _hashable(each)) for name, each in value.items()])
    return tuple(map(_hashable, value)) if isinstance(value, list) else (type(value), value)


_CHECKS: dict[str, Callable[[Any, Any], str | None]] = {
    "type": _no_type,
    "enum": _not_listed,
    "pattern": _no_match,
    "minLength": _too_small,
    "minItems": _too_small,
    "maxItems": _too_many,
    "minProperties": _too_small,
    "minimum": _too_small,
    "uniqueItems": _repeated,
}


def misfits_of_descriptor(descriptor: Any) -> Sequence[Misfit]:
    """Every place in a descriptor that does not fit."""
    return _reader("data-package").misfits(descriptor)


def misfits_of_schema(schema: Any) -> Iterator[Misfit]:
    """Every place in a Table Schema that does not fit: shapes, names of fields, lopsided keys."""
    listed = schema.get("fields") if isinstance(schema, dict) else None
    known = [each if isinstance(each, dict) else {} for each in _list(listed)]
    names = [each.get("name") for each in known]
    types = [each.get("type") for each in known]
    misfits = _reader("table-schema").misfits(schema, list(zip(names, types, strict=True)))
    yield from misfits
    if not all(misfit.harmless for misfit in misfits):
        return
    seen: set[str | None] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Misfit(("fields", index, "name"), f"the field {show(name)} is declared twice")
        seen.add(name)
    for name in ("foreignKeys", "sameAs"):
        for index, key in enumerate(schema.get(name, [])):
            if len(key["fields"]) != len(key["reference"]["fields"]):
                yield Misfit((name, index, "fields"), "both sides must have as many fields")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def named_values(schema: dict[str, Any]) -> Iterator[tuple[Keys, str, str]]:
    """(place, field, value) for every value of a field that a property of a schema names."""
    return _named_values(schema, _ways(), ())


def _named_values(value: Any, ways: Ways, keys: Keys) -> Iterator[tuple[Keys, str, str]]:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _named_values(inner, ways, (*keys, index))
    elif ways:
        for name in filter(ways.__contains__, value):
            yield from _named_values(value[name], ways[name], (*keys, name))
    else:
        for field, texts in value.items():
            yield from (((*keys, field), field, text) for text in texts)


@lru_cache
def _ways() -> Ways:
    """The properties of a schema that lead to values of fields, each with those inside of it."""
    root = profile("table-schema")

    def ways(shape: Shape) -> Ways | None:
        reference = shape.get("$ref", "")
        if reference == "#/definitions/values":
            return {}
        shape = root["definitions"][reference.rpartition("/")[2]] if reference else shape
        if "items" in shape:
            return ways(shape["items"])
        inside = ((name, ways(each)) for name, each in shape.get("properties", {}).items())
        return {name: each for name, each in inside if each is not None} or None

    return ways(root) or {}
