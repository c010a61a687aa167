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

from pipeline.issue import show

_FOLDER = os.path.join(*[os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 3], "schemas")
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "an object"),
    "array": ((list,), "a list"),
    "string": ((str,), "a text"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
}
# The types of the fields that a format allows.
_FIELDS = {
    "field-name": ("string", "integer", "number", "boolean", "year", "date"),
    "number-field-name": ("number", "integer", "year"),
    "integer-field-name": ("integer",),
    "string-field-name": ("string",),
    "year-field-name": ("year",),
}
_in_json = json.JSONEncoder(sort_keys=True).encode
_is_address = re.compile(r"https?://[^\s/:?#]+\.[^\s/:?#]+(:\d+)?([/?#]\S*)?", re.ASCII).fullmatch

NAMES = ("data-package", "table-schema")

Keys = tuple[str | int, ...]
Shape = Any  # a JSON Schema: an object, true or false


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
    with open(os.path.join(_FOLDER, "profile", f"{name}.json"), encoding="utf-8") as file:
        return file.read()


@lru_cache
def profile(name: str) -> dict[str, Any]:
    """A JSON Schema of schemas/profile/."""
    return json.loads(source(name))


def is_named_by(schema: dict[str, Any]) -> bool:
    """Whether a Table Schema names the profile by its path."""
    return schema.get("$schema") == "profile/table-schema.json"


class Reader:
    """Tells where a JSON value does not fit a profile, by the keywords that the profiles use.

    `fields` are the names and the types of the fields of the table at hand, in their order.
    """

    def __init__(self, root: dict[str, Any], fields: Sequence[tuple[Any, Any]] = ()):
        self.root = root
        self.names = [name for name, _ in fields]
        self.types = {name: kind for name, kind in fields if isinstance(name, str)}

    def misfits(self, value: Any, shape: Shape, keys: Keys = ()) -> Iterator[Misfit]:
        """Every place in a value that does not fit a JSON Schema."""
        if shape is False:
            yield Misfit(keys, f"the property {keys[-1]!r} is not supported", True, True)
            return
        if not shape:
            return  # whatever it is
        if "$ref" in shape:
            shape = self.root["definitions"][shape["$ref"].rpartition("/")[2]]
        if wrong := self._wrong(value, shape, keys):
            yield self._weighed(Misfit(keys, wrong), value, shape)
        elif isinstance(value, list):
            if items := shape.get("items"):
                for index, inner in enumerate(value):
                    yield from self.misfits(inner, items, (*keys, index))
        elif isinstance(value, dict):
            yield from self._members(value, shape, keys)

    def _wrong(self, value: Any, shape: dict[str, Any], keys: Keys) -> str | None:
        """What is wrong with a value as a whole."""
        for keyword, check in _CHECKS.items():
            if keyword in shape and (wrong := check(shape[keyword], value)):
                return wrong
        if "format" in shape and isinstance(value, str):
            return self._no_form(value, shape["format"], keys)
        if "anyOf" not in shape:
            return None
        branches = [list(self.misfits(value, each)) for each in shape["anyOf"]]
        return " or ".join(found[0].message for found in branches) if all(branches) else None

    def _no_form(self, text: str, form: str, keys: Keys) -> str | None:
        if form == "uri" and not _is_address(text):
            return f"must be an address such as https://example.org, not {show(text)}"
        if form not in _FIELDS:
            return None
        if text not in self.types:
            return f"there is no field {show(text)} in this table"
        kind = self.types[text]
        if kind in _FIELDS["field-name"] and kind not in _FIELDS[form]:
            wanted = _any_of(_FIELDS[form])
            return f"must be a field of type {wanted}; {show(text)} is of type {kind}"
        if keys[0] == "fields" and isinstance(keys[1], int) and text == self.names[keys[1]]:
            return f"{show(text)} is the field itself"
        return None

    def _members(self, value: dict, shape: dict, keys: Keys) -> Iterator[Misfit]:
        for name in shape.get("required", []):
            if name not in value:
                yield self._weighed(Misfit(keys, f"lacks the property {name!r}"), value, shape)
        known, others = shape.get("properties", {}), shape.get("additionalProperties", {})
        for name in value if "propertyNames" in shape else ():
            yield from self.misfits(name, shape["propertyNames"], (*keys, name))
        for name in value if others != {} else filter(known.__contains__, value):
            yield from self.misfits(value[name], known.get(name, others), (*keys, name))
        for rule in shape.get("allOf", []):
            if _holds(rule["if"], value):
                given = " and ".join(f"{name} is {value[name]}" for name in rule["if"]["required"])
                for misfit in self.misfits(value, rule["then"], keys):
                    yield misfit._replace(message=f"{misfit.message} where {given}")

    def _weighed(self, misfit: Misfit, value: Any, shape: dict) -> Misfit:
        """A misfit, called not supported where the standard allows the value."""
        if "inStandard" not in shape or any(self.misfits(value, shape["inStandard"])):
            return misfit
        message = f"{misfit.message}; the standard allows it, but it is not supported here"
        return misfit._replace(message=message, unsupported=True)


def _holds(condition: dict[str, Any], value: dict[str, Any]) -> bool:
    """Whether an object has one of the texts that a condition lists for each property in it."""
    wanted = condition["properties"]
    return all(value.get(name) in wanted[name]["enum"] for name in condition["required"])


def _no_type(wanted: Any, value: Any) -> str | None:
    kinds = wanted if isinstance(wanted, list) else [wanted]
    for kind in kinds:
        if _is(value, kind):
            return None
    return f"must be {_TYPES[kinds[0]][1]}, not {show(value)}"


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind][0]) and isinstance(value, bool) == (kind == "boolean")


def _not_listed(wanted: list, value: Any) -> str | None:
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


def _repeated(wanted: bool, value: Any) -> str | None:
    seen: set[str] = set()
    for each in value if wanted else ():
        text = _in_json(each)
        if text in seen:
            return f"{show(each)} stands twice"
        seen.add(text)
    return None


_CHECKS: dict[str, Callable[[Any, Any], str | None]] = {
    "type": _no_type,
    "enum": _not_listed,
    "pattern": _no_match,
    "minLength": _too_small,
    "minItems": _too_small,
    "minProperties": _too_small,
    "minimum": _too_small,
    "uniqueItems": _repeated,
}


def misfits_of_descriptor(descriptor: Any) -> Iterator[Misfit]:
    """Every place in a descriptor that does not fit."""
    shape = profile("data-package")
    return Reader(shape).misfits(descriptor, shape)


def misfits_of_schema(schema: Any) -> Iterator[Misfit]:
    """Every place in a Table Schema that does not fit: shapes, names of fields, lopsided keys."""
    listed = schema.get("fields") if isinstance(schema, dict) else None
    known = [each if isinstance(each, dict) else {} for each in _list(listed)]
    names = [each.get("name") for each in known]
    shape, fits = profile("table-schema"), True
    types = [each.get("type") for each in known]
    for misfit in Reader(shape, list(zip(names, types, strict=True))).misfits(schema, shape):
        fits &= misfit.harmless
        yield misfit
    if not fits:
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


def named_values(schema: dict) -> Iterator[tuple[Keys, str, str]]:
    """(place, field, value) for every value of a field that a property of a schema names."""
    root = profile("table-schema")
    return _named_values(schema, root, root, ())


def _named_values(
    value: Any, shape: Shape, root: dict, keys: Keys
) -> Iterator[tuple[Keys, str, str]]:
    reference = shape.get("$ref", "")
    if reference == "#/definitions/values":
        for field, texts in value.items():
            yield from (((*keys, field), field, text) for text in texts)
        return
    shape = root["definitions"][reference.rpartition("/")[2]] if reference else shape
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _named_values(inner, shape.get("items", {}), root, (*keys, index))
    elif isinstance(value, dict):
        for name, inner in value.items():
            known = shape.get("properties", {}).get(name)
            if known:
                yield from _named_values(inner, known, root, (*keys, name))
