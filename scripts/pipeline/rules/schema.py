"""Rules on the Table Schemas."""

import os
import re
from collections.abc import Iterator
from typing import Any

from pipeline.issue import Fault, listed, show
from pipeline.package import Package, Resource
from pipeline.package.document import Document
from pipeline.package.field_types import FIELD_TYPES, as_cell, identity, is_held
from pipeline.package.patterns import NoPattern, compiled
from pipeline.rules import package_rule, refusals

# The constraints that say which values a field takes.
_FORM = ("pattern", "enum", "minLength", "maxLength", "minimum", "maximum")
DOCUMENTED = ("title", "description", "example")
FIELD_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def _schemas(package: Package) -> Iterator[Document]:
    return (document for document in package.schemas.values() if document.usable)


def _fields(package: Package) -> Iterator[tuple[Document, int, dict[str, Any]]]:
    """Every field of every schema, with its place."""
    for document in _schemas(package):
        for index, field in enumerate(document.data["fields"]):
            yield document, index, field


@package_rule(
    "schema-shape", "give the property the type that Table Schema and docs/curation.md ask for"
)
def schema_shape(package: Package) -> Iterator[Fault]:
    """Every property of a schema has the right type and names only fields that there are."""
    for document, misfit in package.misfits:
        if document is not package.document and not misfit.unsupported:
            # A field that is gone is missed in many places.
            fault = document.fault(misfit.message, *misfit.keys)
            yield fault._replace(about=(document.path, "shape"))


@package_rule(
    "schema-unsupported", "remove the property, or teach schemas/profile/ and a rule about it"
)
def schema_unsupported(package: Package) -> Iterator[Fault]:
    """A schema has no property, type or missing value that this validator would pass over."""
    shapeless = {each.path for each, misfit in package.misfits if not misfit.unsupported}
    for document, misfit in package.misfits:
        if document is not package.document and misfit.unsupported:
            if document.path in shapeless:
                continue  # the rule schema-shape says more
            yield document.fault(misfit.message, *misfit.keys)


@package_rule("schema-unused", "name the schema in datapackage.json, or delete it")
def schema_unused(package: Package) -> Iterator[Fault]:
    """Every Table Schema in schemas/ belongs to a resource."""
    if not package.specs:
        return  # no table is declared at all, which another rule says
    folder = os.path.join(package.root, "schemas")
    for name in sorted(os.listdir(folder)) if package.has_folder("schemas") else ():
        path = f"schemas/{name}"
        if name.endswith(".json") and path not in package.schemas:
            yield Fault(path, 1, "", "is the schema of no resource")


@package_rule("primary-key-missing", "add primaryKey with the fields that identify a row")
def primary_key_missing(package: Package) -> Iterator[Fault]:
    """Every table has a primary key, and its fields come first."""
    for document in _schemas(package):
        key = document.data.get("primaryKey", [])
        first = [field["name"] for field in document.data["fields"][: len(key)]]
        if not key:
            yield document.fault("the table has no primary key", "primaryKey")
        elif key != first:
            message = "the fields of the primary key do not come first"
            fault = document.fault(message, "primaryKey")
            place = [field["name"] for field in document.data["fields"]].index(key[0])
            yield fault._replace(about=(document.path, "fields", place))


@package_rule("field-name", "use snake_case, with the unit at the end where there is one")
def field_name(package: Package) -> Iterator[Fault]:
    """The names of fields are snake_case."""
    for document, index, field in _fields(package):
        if not FIELD_NAME.fullmatch(field["name"]):
            message = f"{show(field['name'])} is not snake_case"
            yield document.fault(message, "fields", index, "name")


@package_rule("field-undocumented", "add the property; the data dictionary is made from it")
def field_undocumented(package: Package) -> Iterator[Fault]:
    """Every field has title, description, example and an explicit required."""
    for document, index, field in _fields(package):
        missing = [name for name in DOCUMENTED if not field.get(name)]
        if "required" not in field.get("constraints", {}):
            missing.append("constraints.required")
        if missing:
            message = f"the field {show(field['name'])} lacks {listed(missing)}"
            yield document.fault(message, "fields", index, "name")


@package_rule("bound-invalid", "write the bound as a value of the field")
def bound_invalid(package: Package) -> Iterator[Fault]:
    """The minimum and the maximum of a field are values of its type."""
    for document, index, field in _fields(package):
        kind, given = FIELD_TYPES[field["type"]], field.get("constraints", {})
        for name in given.keys() & {"minimum", "maximum"}:
            text = as_cell(given[name])
            if kind.ordered and (why := _no_bound(field["type"], text)):
                yield document.fault(f"{show(text)} {why}", "fields", index, "constraints", name)


def _no_bound(kind: str, text: str) -> str | None:
    """Why a text cannot bound the values of a type, as they are written here."""
    if not FIELD_TYPES[kind].fits(text):
        return f"is not {FIELD_TYPES[kind].words}"
    if kind == "number" and not is_held(text):
        return "has more digits than a double-precision float holds"
    return None


@package_rule("bounds-crossed", "exchange the two bounds, or correct one of them")
def bounds_crossed(package: Package) -> Iterator[Fault]:
    """No minimum is above its maximum: no value could lie between them."""
    for document, index, field in _fields(package):
        kind, given = FIELD_TYPES[field["type"]], field.get("constraints", {})
        bounds = {name: as_cell(given[name]) for name in ("minimum", "maximum") if name in given}
        pairs = [tuple(kind.value(text) for text in bounds.values() if kind.fits(text))]
        pairs += [tuple(given[name] for name in ("minLength", "maxLength") if name in given)]
        for pair in filter(_crossed, pairs):
            message = f"no value lies between {pair[0]} and {pair[1]}"
            yield document.fault(message, "fields", index, "constraints")
    for document in _schemas(package):
        for index, each in enumerate(document.data.get("ranges", [])):
            pair = tuple(each[name] for name in ("minimum", "maximum") if name in each)
            if _crossed(pair):
                message = f"no value lies between {pair[0]} and {pair[1]}"
                yield document.fault(message, "ranges", index)


def _crossed(pair: tuple[Any, ...]) -> bool:
    return len(pair) == 2 and pair[0] > pair[1]


@package_rule(
    "pattern-unanchored",
    "write ^(...)$, or ^...$ without | outside brackets, from letters, classes, groups and "
    "repetitions",
)
def pattern_unanchored(package: Package) -> Iterator[Fault]:
    """A pattern is anchored at both ends of every alternative, and means the same everywhere."""
    for document, index, field in _fields(package):
        pattern = field.get("constraints", {}).get("pattern")
        if pattern is None:
            continue
        keys = ("fields", index, "constraints", "pattern")
        try:
            if not compiled(pattern).anchored:
                yield document.fault("also matches inside of a longer text", *keys)
        except NoPattern as error:
            yield document.fault(f"cannot be used: {error}", *keys)


@package_rule(
    "categories-differ", "list the same values in categories and in enum, in the same order"
)
def categories_differ(package: Package) -> Iterator[Fault]:
    """Categories of a text stand beside an enum with the same values: readers may know only one."""
    for document, index, field in _fields(package):
        values = [category["value"] for category in field.get("categories", [])]
        enum = field.get("constraints", {}).get("enum", [])
        if field["type"] == "string" and values != enum:
            message = f"categories and enum of {show(field['name'])} differ"
            yield document.fault(message, "fields", index, "categories")


@package_rule("reference-form", "give both fields the same type, pattern, enum and bounds")
def reference_form(package: Package) -> Iterator[Fault]:
    """Both ends of a reference take the same ids: one refuses none that the other allows."""
    for resource in package.resources:
        told: set[tuple[str, str]] = set()
        for reference in resource.references:
            other = package.resource(reference.resource)
            for mine, its in reference.same:
                for keys, what in _unlike(resource, mine, other, its):
                    if (mine, keys[-1]) not in told:
                        told.add((mine, keys[-1]))
                        fault = resource.document.fault(what, *resource.about(mine)[1:], *keys)
                        # Where many differ from what they refer to, that is to blame.
                        yield fault._replace(about=other.about(its)) if other else fault


def _unlike(
    resource: Resource, mine: str, other: Resource | None, its: str
) -> Iterator[tuple[list[str], str]]:
    """What a field demands and the one that it refers to does not: (keys of the property, why)."""
    if other is None or its not in other.places:
        return  # the rule foreign-key-target says so
    field, target = resource.field(mine), other.field(its)
    place = f"{its} of {other.name}"
    if field["type"] != target["type"]:
        yield ["type"], f"is {field['type']}, but that of {place} is {target['type']}"
    for name in _FORM:
        own, there = (each.get("constraints", {}).get(name) for each in (field, target))
        # A reference that says nothing takes what the other end allows.
        if own is not None and own != there and as_cell(own) != as_cell(there):
            yield ["constraints", name], f"is not that of {place}"


@package_rule(
    "enum-invalid", "write a value that the field can have, once, or correct what refuses it"
)
def enum_invalid(package: Package) -> Iterator[Fault]:
    """A value of an enum has the type of its field and fits its pattern, range and length."""
    for document, index, field in _fields(package):
        constraints = field.get("constraints", {})
        others = {name: value for name, value in constraints.items() if name != "enum"}
        texts = constraints.get("enum", [])
        wrong = refusals({**field, "constraints": others}, texts)
        seen: set[str | float] = set()
        for text in texts:
            value = identity(field["type"], text)
            if text in wrong or value in seen:
                why = wrong.get(text, f"{text} stands there in another spelling")
                yield document.fault(why, "fields", index, "constraints", "enum")
            seen.add(value)


@package_rule(
    "example-invalid", "give an example that could stand in the table, or correct what refuses it"
)
def example_invalid(package: Package) -> Iterator[Fault]:
    """The example of a field is valid for the field."""
    for document, index, field in _fields(package):
        texts = [field["example"]] if "example" in field else []
        for why in refusals(field, texts).values():
            yield document.fault(why, "fields", index, "example")
