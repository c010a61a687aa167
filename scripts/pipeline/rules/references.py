"""Rules on what a schema refers to: tables, fields, their values, and the ids that they share."""

from collections.abc import Collection, Iterator
from typing import Any

from pipeline.issue import Fault, Keys, show
from pipeline.package import Package, Reference, Resource, profile
from pipeline.rules import package_rule, refusals, table_rule, tables_of


@package_rule(
    "foreign-key-target", "name a resource of this package and the fields of one of its keys"
)
def foreign_key_target(package: Package) -> Iterator[Fault]:
    """A reference names a table and fields that there are; what rows are found by is a key."""
    # What is declared but cannot be used has a fault of its own.
    told = package.declared("name") - {resource.name for resource in package.resources}
    for resource in package.resources:
        for reference in resource.references:
            if reference.resource not in told and (what := _no_target(package, reference)):
                about = ("target", reference.resource)
                yield resource.document.fault(what, *reference.keys)._replace(about=about)
                if package.resource(reference.resource) is None:
                    told.add(reference.resource)  # once, however many refer to it


def _no_target(package: Package, reference: Reference) -> str | None:
    other = package.resource(reference.resource)
    if other is None:
        return f"there is no resource {show(reference.resource)}"
    if not other.places.keys() >= {*reference.target}:
        return f"{show(other.name)} has no {', '.join(reference.target)}"
    if reference.key and not package.has_key(other.name, reference.key):
        return f"{', '.join(reference.key)} is no key of {show(other.name)}"
    return None


@package_rule("edge-ends-differ", "make both fields references to the rows of one table")
def edge_ends_differ(package: Package) -> Iterator[Fault]:
    """Both ends of an edge name rows of one table; others could not close a cycle."""
    for resource in package.resources:
        for index, edge in enumerate(resource.schema.get("acyclic", [])):
            start, end = (package.concept(resource.name, edge[key]) for key in ("from", "to"))
            if edge["from"] == edge["to"] or (start and end and start != end):
                message = f"{edge['from']} and {edge['to']} do not name rows of the same table"
                yield resource.document.fault(message, "acyclic", index)


@package_rule("value-unknown", "name a value that the field can have")
def value_unknown(package: Package) -> Iterator[Fault]:
    """A value of a field that a property names is one that the field can have."""
    for resource in package.resources:
        named: dict[str, dict[str, Keys]] = {}
        for keys, name, text in profile.named_values(resource.schema):
            named.setdefault(name, {}).setdefault(text, keys)
        for name, places in named.items():
            for text, why in _never(package, resource, resource.field(name), places).items():
                fault = resource.document.fault(why, *places[text])
                yield fault._replace(about=resource.about(name))
        for index, field in enumerate(resource.fields):
            for text, why in refusals(field, field.get("forbidden", {}), "curie").items():
                yield resource.document.fault(why, "fields", index, "forbidden", text)


def _never(
    package: Package, resource: Resource, field: dict[str, Any], texts: Collection[str]
) -> dict[str, str]:
    """Why no cell of a field has some texts; of a field of any texts, none can be meant."""
    wrong = refusals(field, texts, "curie")
    others = [text for text in texts if text and text not in wrong]
    if field["type"] != "string" or "curie" in field:
        return wrong
    for name, column in resource.links.get(field["name"], [])[:1]:
        other = package.resource(name)
        # Where there is no such table or field, the rule foreign-key-target says so.
        if other and column in other.places and other.is_told:
            known = other.table.distinct(column)
            wrong |= {text: f"{name} has no {show(text)}" for text in others if text not in known}
        return wrong
    if field.get("constraints", {}).keys() & {"enum", "pattern"}:
        return wrong
    return wrong | {
        text: f"{field['name']} can be any text: nothing lists {show(text)}" for text in others
    }


@table_rule("concept-ambiguous", "give one of the two concepts another id")
def concept_ambiguous(resource: Resource) -> Iterator[Fault]:
    """An id that a mapping can name stands for one concept: it is in one of the tables only.

    In two of them only where one refers to the other, so that both rows are about the same.
    """
    package = resource.package
    for field in resource.fields:
        targets = field.get("referencesAnyOf", [])
        found = tables_of(resource, *((each["resource"], [each["field"]]) for each in targets))
        owners: dict[str, tuple[str, str]] = {}
        for table, each in zip(found or (), targets, strict=bool(found)):
            concept = package.concept(each["resource"], each["field"])
            if concept is None:
                return
            taken = {
                text: f"{show(text)} is a {owner[1]} of {owner[0]}, too"
                for text in table.distinct(each["field"]) - {""}
                if (owner := owners.setdefault(text, concept)) != concept
            }
            yield from table.faults(each["field"], taken)
        for table, each in zip(found or (), targets, strict=bool(found)):
            if each.get("cells"):
                cells = set(map(".".join, table.filled_cells(each["field"], table.names)))
                yield from _named_as_cells(package, cells & owners.keys(), owners, each["resource"])


def _named_as_cells(
    package: Package, texts: set[str], owners: dict[str, tuple[str, str]], other: str
) -> Iterator[Fault]:
    """The ids that are also the names of cells of a table, at the rows that have them."""
    for text in texts:
        name, field = owners[text]
        taken = {text: f"{show(text)} is the name of a cell of {other}, too"}
        yield from package.tables[name].faults(field, taken)
