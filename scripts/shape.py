"""What a descriptor and a schema may contain here: the standard as far as it is in use.

Data Package v2 allows more. A property that this validator would not check is refused by name,
so that nothing a curator writes is passed over in silence.

In a shape, a property that ends in `!` is required; a list with one shape stands for any number
of that shape, a set for any of its texts, and `...` as a property for any; FieldName is the name
of a field of the table.
"""

from collections.abc import Iterator
from typing import NamedTuple


class FieldName(str):
    """In a shape: a text that names a field of the same table."""

    __slots__ = ()


_NUMBER = (int, float, str)
_REFERENCE = {"fields!": [FieldName], "reference!": {"resource!": str, "fields!": [str]}}
_COLUMN = {"resource!": str, "field!": str}

FIELD = {
    "name!": str,
    "type!": str,
    "title": str,
    "description": str,
    "example": str,
    "unit": str,
    "rdfType": str,
    "constraints": {
        "required": bool,
        "unique": bool,
        "enum": [str],
        "pattern": str,
        "minimum": _NUMBER,
        "maximum": _NUMBER,
        "minLength": int,
        "maxLength": int,
    },
    "categories": [{"value!": str, "label": str}],
    # Beyond the standard; docs/curation.md explains each.
    "evidence": bool,
    "verbatim": bool,
    "identifier": {"issn", "pii"},
    "countOf": FieldName,
    "derives": FieldName,
    "requires": [FieldName],
    "labeledBy": [FieldName],
    "emptyExactlyWhen": {FieldName: [str]},
    "curie": {...: str},
    "uriPrefixes": {...: str},
    "forbidden": {...: str},
    "percentageOf": {
        "count!": FieldName,
        "total!": FieldName,
        "when!": {FieldName: [str]},
    },
    "authorYear": {"authors!": FieldName, "year!": FieldName},
    "referencedBy": [_COLUMN],
    "referencesAnyOf": [{**_COLUMN, "cells": bool}],
    "namesCellsOf": {**_COLUMN, "by!": FieldName},
}

SCHEMA = {
    "$schema": {"https://datapackage.org/profiles/2.0/tableschema.json"},
    "name": str,
    "title": str,
    "description": str,
    "fields!": [FIELD],
    "primaryKey": [FieldName],
    "uniqueKeys": [[FieldName]],
    "foreignKeys": [_REFERENCE],
    "missingValues": [str],
    "mayBeEmpty": bool,
    "acyclic": [{"from!": FieldName, "to!": FieldName, "within": FieldName}],
    "sameAs": [_REFERENCE],
    "ascending": [[FieldName]],
    "locatedBy": [[FieldName]],
    "retires": {"resource!": FieldName, "id!": FieldName, "replacement!": FieldName},
}

DESCRIPTOR = {
    "$schema": {"https://datapackage.org/profiles/2.0/datapackage.json"},
    "name": str,
    "id": str,
    "title": str,
    "description": str,
    "homepage": str,
    "version": str,
    "created": str,
    "keywords": [str],
    "licenses": [{"name": str, "title": str, "path": str}],
    "sources": [{"title": str, "path": str, "version": str}],
    "contributors": [{"title": str, "path": str, "organization": str, "roles": [str]}],
    "resources!": [
        {
            "name!": str,
            "path!": str,
            "schema!": str,
            "type": {"table"},
            "title": str,
            "description": str,
            "format": {"csv"},
            "mediatype": {"text/csv"},
            "encoding": {"utf-8"},
            "bytes": int,
            "hash": str,
            "rows": int,
        }
    ],
}

_WORDS = {str: "a text", bool: "true or false", int: "a whole number", _NUMBER: "a number"}

Keys = tuple[str | int, ...]


class Misfit(NamedTuple):
    """A value that does not fit its shape; `unknown` where only its name is not supported."""

    keys: Keys
    message: str
    unknown: bool = False


def misfits(
    value: object, shape: object, keys: Keys = (), fields: frozenset[str] = frozenset()
) -> Iterator[Misfit]:
    """Every place in a JSON value that does not fit a shape; `fields` are those of the table."""
    if isinstance(shape, dict):
        if isinstance(value, dict):
            yield from _misfits_of_object(value, shape, keys, fields)
        else:
            yield Misfit(keys, f"must be an object, not {_say(value)}")
    elif isinstance(shape, list):
        if isinstance(value, list):
            for index, inner in enumerate(value):
                yield from misfits(inner, shape[0], (*keys, index), fields)
        else:
            yield Misfit(keys, f"must be a list, not {_say(value)}")
    elif isinstance(shape, set):
        if not isinstance(value, str) or value not in shape:
            yield Misfit(keys, f"must be {' or '.join(sorted(shape))}, not {_say(value)}")
    elif shape is FieldName:
        if not isinstance(value, str):
            yield Misfit(keys, f"must be {_WORDS[str]}, not {_say(value)}")
        elif value not in fields:
            yield Misfit(keys, f"there is no field {value!r} in this table")
    elif not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        yield Misfit(keys, f"must be {_WORDS[shape]}, not {_say(value)}")


def _misfits_of_object(
    value: dict, shape: dict, keys: Keys, fields: frozenset[str]
) -> Iterator[Misfit]:
    known = {str(name).rstrip("!"): inner for name, inner in shape.items()}
    other = shape.get(..., shape.get(FieldName))
    for name in map(str, shape):
        if name.endswith("!") and name[:-1] not in value:
            yield Misfit(keys, f"lacks the property {name[:-1]!r}")
    for name, inner in value.items():
        if FieldName in shape:
            yield from misfits(name, FieldName, (*keys, name), fields)
        if other is None and name not in known:
            yield Misfit((*keys, name), f"the property {name!r} is not supported", True)
        else:
            yield from misfits(inner, known.get(name, other), (*keys, name), fields)


def misfits_of_schema(schema: object) -> Iterator[Misfit]:
    """Every place in a Table Schema that does not fit: shapes, names of fields, lopsided keys."""
    fields = schema.get("fields") if isinstance(schema, dict) else None
    listed = fields if isinstance(fields, list) else []
    names = [field.get("name") for field in listed if isinstance(field, dict)]
    known = frozenset(name for name in names if isinstance(name, str))
    fits = True
    for misfit in misfits(schema, SCHEMA, fields=known):
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
