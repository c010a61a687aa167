"""Rules on the Table Schemas."""

import os
import re
from collections.abc import Iterator
from itertools import chain, islice

from pipeline import documents
from pipeline.issue import Fault
from pipeline.package import Package
from pipeline.package.document import Document
from pipeline.package.field_types import FIELD_TYPES
from pipeline.package.patterns import NoPattern, compiled
from pipeline.package.table import Column
from pipeline.rules import REGISTRY, package_rule

DOCUMENTED = ("title", "description", "example")
FIELD_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def _schemas(package: Package) -> Iterator[Document]:
    return (document for document in package.schemas.values() if document.usable)


def _fields(package: Package) -> Iterator[tuple[Document, int, dict]]:
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
            yield document.fault(misfit.message, *misfit.keys)


@package_rule(
    "schema-unsupported", "remove the property, or teach schemas/profile/ and a rule about it"
)
def schema_unsupported(package: Package) -> Iterator[Fault]:
    """A schema has no property, type or missing value that this validator would pass over."""
    for document, misfit in package.misfits:
        if document is not package.document and misfit.unsupported:
            yield document.fault(misfit.message, *misfit.keys)


@package_rule("schema-unused", "name the schema in datapackage.json, or delete it")
def schema_unused(package: Package) -> Iterator[Fault]:
    """Every Table Schema in schemas/ belongs to a resource."""
    if not package.specs:
        return  # no table is declared at all, which another rule says
    folder = os.path.join(package.root, "schemas")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
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
            yield document.fault("the fields of the primary key do not come first", "primaryKey")


@package_rule("field-name", "use snake_case, with the unit at the end where there is one")
def field_name(package: Package) -> Iterator[Fault]:
    """The names of fields are snake_case."""
    for document, index, field in _fields(package):
        if not FIELD_NAME.fullmatch(field["name"]):
            message = f"{field['name']!r} is not snake_case"
            yield document.fault(message, "fields", index, "name")


@package_rule("field-undocumented", "add the property; the data dictionary is made from it")
def field_undocumented(package: Package) -> Iterator[Fault]:
    """Every field has title, description, example and an explicit required."""
    for document, index, field in _fields(package):
        missing = [name for name in DOCUMENTED if not field.get(name)]
        if "required" not in field.get("constraints", {}):
            missing.append("constraints.required")
        for name in missing:
            message = f"the field {field['name']!r} lacks {name}"
            yield document.fault(message, "fields", index, "name")


@package_rule("example-invalid", "give an example that could stand in the table")
def example_invalid(package: Package) -> Iterator[Fault]:
    """The example of a field is valid for the field."""
    checks = [
        each.check
        for each in REGISTRY.values()
        if each.module == "constraints" and each.kind == "column"
    ]
    for document, index, field in _fields(package):
        if "example" in field:
            example = Column(field, {field["example"]} - {""}, field["example"] == "", [])
            wrong = chain.from_iterable(check(example) for check in checks)
            for _, message in islice(wrong, 1):
                yield document.fault(message, "fields", index, "example")


@package_rule(
    "bound-invalid", "write the bound as a value of the field, and only where values have order"
)
def bound_invalid(package: Package) -> Iterator[Fault]:
    """The minimum and the maximum of a field are values of its type."""
    for document, index, field in _fields(package):
        for name in ("minimum", "maximum"):
            bound = field.get("constraints", {}).get(name)
            kind = FIELD_TYPES.get(field["type"])
            if kind and kind.ordered and bound is not None and not kind.fits(str(bound)):
                message = f"{bound!r} is no {name} of type {field['type']}"
                yield document.fault(message, "fields", index, "constraints", name)


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
            message = f"categories and enum of {field['name']!r} differ"
            yield document.fault(message, "fields", index, "categories")


@package_rule(
    "foreign-key-target", "name a resource of this package and the fields of one of its keys"
)
def foreign_key_target(package: Package) -> Iterator[Fault]:
    """A reference names a table and fields that there are; a foreign key names a key."""
    resources = {resource.name: resource for resource in package.resources}
    # What is declared but cannot be used has a fault of its own.
    broken = package.declared("name") - resources.keys()
    for resource in package.resources:
        for reference in resource.references():
            if reference.resource in broken:
                continue
            other = resources.get(reference.resource)
            names = ", ".join(reference.target)
            message = None
            if other is None:
                message = f"there is no resource {reference.resource!r}"
            elif not set(reference.target) <= set(other.names):
                message = f"{other.name!r} has no {names}"
            elif reference.is_key and tuple(reference.target) not in other.unique():
                message = f"{names} is no key of {other.name!r}"
            if message:
                yield resource.document.fault(message, *reference.keys)


@package_rule("stale-document", fix=True)
def stale_document(package: Package) -> Iterator[Fault]:
    """What is generated from schemas and rules is as it would be generated now."""
    for path, text in documents.render(package, REGISTRY).items():
        line = documents.first_difference(package.text(path), text)
        if line:
            yield Fault(path, line, "", "is not as it is generated now")
