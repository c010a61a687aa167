"""What a descriptor and a schema may contain here, as schemas/profile/ says it in JSON Schema.

Data Package v2 allows more. A property that this validator would not check is refused by name,
so that nothing a curator writes is passed over in silence. Only the keywords of JSON Schema that
the profile uses are known; the format `field-name` is a text that names a field of the table.
"""

import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

_FOLDER = os.path.join(*[os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 3], "schemas")
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "an object"),
    "array": ((list,), "a list"),
    "string": ((str,), "a text"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
}

Keys = tuple[str | int, ...]


class Misfit(NamedTuple):
    """A value that does not fit the profile; `unknown` where only its name is not supported."""

    keys: Keys
    message: str
    unknown: bool = False


def profile(name: str) -> dict:
    """A JSON Schema of schemas/profile/."""
    with open(os.path.join(_FOLDER, "profile", f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def misfits(value: Any, shape: dict, keys: Keys = (), fields: frozenset = frozenset()) -> Iterator:
    """Every place in a JSON value that does not fit a JSON Schema; `fields` are of the table."""
    kinds = shape.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield Misfit(keys, f"must be {_TYPES[kinds[0]][1]}, not {_say(value)}")
    elif "enum" in shape and value not in shape["enum"]:
        yield Misfit(keys, f"must be {' or '.join(shape['enum'])}, not {_say(value)}")
    elif shape.get("format") == "field-name" and value not in fields:
        yield Misfit(keys, f"there is no field {value!r} in this table")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from misfits(inner, shape["items"], (*keys, index), fields)
    elif isinstance(value, dict):
        for name in shape.get("required", []):
            if name not in value:
                yield Misfit(keys, f"lacks the property {name!r}")
        for name, inner in value.items():
            yield from misfits(name, shape.get("propertyNames", {}), (*keys, name), fields)
            known = shape.get("properties", {}).get(name, shape["additionalProperties"])
            if known is False:
                yield Misfit((*keys, name), f"the property {name!r} is not supported", True)
            else:
                yield from misfits(inner, known, (*keys, name), fields)


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind][0]) and isinstance(value, bool) == (kind == "boolean")


def misfits_of_schema(schema: Any) -> Iterator[Misfit]:
    """Every place in a Table Schema that does not fit: shapes, names of fields, lopsided keys."""
    fields = schema.get("fields") if isinstance(schema, dict) else None
    listed = fields if isinstance(fields, list) else []
    names = [field.get("name") for field in listed if isinstance(field, dict)]
    known = frozenset(name for name in names if isinstance(name, str))
    fits = True
    for misfit in misfits(schema, profile("table-schema"), fields=known):
        fits &= misfit.unknown
        yield misfit
    if not fits:
        return
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Misfit(("fields", index, "name"), f"the field {name!r} is declared twice")
    for name in ("foreignKeys", "sameAs"):
        for index, key in enumerate(schema.get(name, [])):
            if len(key["fields"]) != len(key["reference"]["fields"]):
                yield Misfit((name, index, "fields"), "both sides must have as many fields")


def _say(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
