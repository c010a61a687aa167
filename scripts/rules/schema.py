"""Rules on the Table Schemas."""

import re
from collections.abc import Iterator

from package import Document, Fault, Package
from rules import rule
from rules.table import TYPES, constraint_tests

DOCUMENTED = ("title", "description", "example")
FIELD_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def _schemas(package: Package) -> Iterator[Document]:
    return (document for document in package.schemas.values() if document.usable)


@rule("schema-shape", "give the property the type that Table Schema and docs/curation.md ask for")
def schema_shape(package: Package) -> Iterator[Fault]:
    """Every property of a schema has the right type and names only fields that there are."""
    for document, misfit in package.misfits:
        if document is not package.document and not misfit.unknown:
            yield document.fault(misfit.message, *misfit.keys)


@rule("schema-unsupported", "remove the property, or teach scripts/shape.py and a rule about it")
def schema_unsupported(package: Package) -> Iterator[Fault]:
    """A schema has no property, type or missing value that this validator would pass over."""
    for document, misfit in package.misfits:
        if document is not package.document and misfit.unknown:
            yield document.fault(misfit.message, *misfit.keys)
    for document in _schemas(package):
        if document.data.get("missingValues", [""]) != [""]:
            yield document.fault("the empty cell must be the only missing value", "missingValues")
        for index, field in enumerate(document.data["fields"]):
            if field["type"] not in TYPES:
                message = f"the type {field['type']!r} is not supported; use {', '.join(TYPES)}"
                yield document.fault(message, "fields", index, "type")


@rule("schema-unused", "name the schema in datapackage.json, or delete it")
def schema_unused(package: Package) -> Iterator[Fault]:
    """Every Table Schema in schemas/ belongs to a resource."""
    import os

    folder = os.path.join(package.root, "schemas")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        path = f"schemas/{name}"
        if name.endswith(".json") and path not in package.schemas:
            yield Fault(path, 1, "", "is the schema of no resource")


@rule("primary-key-missing", "add primaryKey with the fields that identify a row")
def primary_key_missing(package: Package) -> Iterator[Fault]:
    """Every table has a primary key, and its fields come first."""
    for document in _schemas(package):
        key = document.data.get("primaryKey", [])
        first = [field["name"] for field in document.data["fields"][: len(key)]]
        if not key:
            yield document.fault("the table has no primary key", "primaryKey")
        elif key != first:
            yield document.fault("the fields of the primary key do not come first", "primaryKey")


@rule("field-name", "use snake_case, with the unit at the end where there is one")
def field_name(package: Package) -> Iterator[Fault]:
    """The names of fields are snake_case."""
    for document in _schemas(package):
        for index, field in enumerate(document.data["fields"]):
            if not FIELD_NAME.fullmatch(field["name"]):
                message = f"{field['name']!r} is not snake_case"
                yield document.fault(message, "fields", index, "name")


@rule("field-undocumented", "add the property; the data dictionary is made from it")
def field_undocumented(package: Package) -> Iterator[Fault]:
    """Every field has title, description, example and an explicit required."""
    for document in _schemas(package):
        for index, field in enumerate(document.data["fields"]):
            missing = [name for name in DOCUMENTED if not field.get(name)]
            if "required" not in field.get("constraints", {}):
                missing.append("constraints.required")
            for name in missing:
                message = f"the field {field['name']!r} lacks {name}"
                yield document.fault(message, "fields", index, "name")


@rule("example-invalid", "give an example that could stand in the table")
def example_invalid(package: Package) -> Iterator[Fault]:
    """The example of a field is valid for the field."""
    for document in _schemas(package):
        for index, field in enumerate(document.data["fields"]):
            for test in constraint_tests(field):
                if "example" in field and (message := test(field["example"])):
                    yield document.fault(message, "fields", index, "example")
                    break


@rule("pattern-unanchored", "write the pattern as ^(...)$ or as ^...$ without | outside brackets")
def pattern_unanchored(package: Package) -> Iterator[Fault]:
    """A pattern is a regular expression anchored at both ends of every alternative."""
    for document in _schemas(package):
        for index, field in enumerate(document.data["fields"]):
            pattern = field.get("constraints", {}).get("pattern")
            if pattern is None:
                continue
            keys = ("fields", index, "constraints", "pattern")
            try:
                re.compile(pattern)
            except re.error as error:
                yield document.fault(f"is no regular expression: {error}", *keys)
                continue
            if not (pattern.startswith("^") and pattern.endswith("$")) or _alternatives(pattern):
                yield document.fault("also matches inside of a longer text", *keys)


def _alternatives(pattern: str) -> bool:
    """Whether a | stands outside of all brackets."""
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", pattern)
    while (shorter := re.sub(r"\([^()]*\)", "", bare)) != bare:
        bare = shorter
    return "|" in bare


@rule("categories-differ", "list the same values in categories and in enum, in the same order")
def categories_differ(package: Package) -> Iterator[Fault]:
    """Categories stand beside an enum with the same values, for readers that know only one."""
    for document in _schemas(package):
        for index, field in enumerate(document.data["fields"]):
            values = [category["value"] for category in field.get("categories", [])]
            enum = field.get("constraints", {}).get("enum", [])
            if values != enum:
                message = f"categories and enum of {field['name']!r} differ"
                yield document.fault(message, "fields", index, "categories")


@rule("foreign-key-target", "name a resource of this package and the fields of one of its keys")
def foreign_key_target(package: Package) -> Iterator[Fault]:
    """A reference names a table and fields that there are; a foreign key names a key."""
    resources = {resource.name: resource for resource in package.resources}
    for resource in package.resources:
        schema, document = resource.schema, resource.document
        references = [
            (("foreignKeys", index, "reference"), key, True)
            for index, key in enumerate(schema.get("foreignKeys", []))
        ]
        references += [
            (("sameAs", index, "reference"), key, False)
            for index, key in enumerate(schema.get("sameAs", []))
        ]
        for keys, key, needs_key in references:
            target, fields = key["reference"]["resource"], key["reference"]["fields"]
            if target not in resources:
                yield document.fault(f"there is no resource {target!r}", *keys, "resource")
                continue
            other = resources[target]
            if len(fields) != len(key["fields"]) or not set(fields) <= set(other.names):
                message = f"{', '.join(fields)} are not the matching fields of {target!r}"
                yield document.fault(message, *keys, "fields")
            elif needs_key and fields not in _keys(other):
                message = f"{', '.join(fields)} is no key of {target!r}"
                yield document.fault(message, *keys, "fields")
        for index, field in enumerate(resource.fields):
            columns = [
                (name, column)
                for name in ("referencedBy", "referencesAnyOf", "namesCellsOf")
                for column in _list(field.get(name, []))
            ]
            for name, column in columns:
                other = resources.get(column["resource"])
                if other is None or column["field"] not in other.names:
                    message = f"there is no {column['resource']}.{column['field']}"
                    yield document.fault(message, "fields", index, name)


def _keys(resource) -> list[list[str]]:
    unique = [[f["name"]] for f in resource.fields if f.get("constraints", {}).get("unique")]
    return [resource.primary_key, *resource.schema.get("uniqueKeys", []), *unique]


def _list(value: object) -> list:
    return value if isinstance(value, list) else [value]
