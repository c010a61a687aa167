"""Rules on the mappings to ontology terms."""

import re
from collections.abc import Iterator
from itertools import filterfalse

from pipeline.issue import Fault, show
from pipeline.package import Package, Resource
from pipeline.package.patterns import NoPattern, compiled, usable
from pipeline.package.table import Column
from pipeline.rules import column_rule, package_rule, table_rule, tables_of


@column_rule("curie", "write prefix:local with a prefix that the schema lists under curie")
def curie(column: Column) -> Iterator[tuple[str, str]]:
    """A compact identifier has a known prefix and the form that belongs to it."""
    given = column.field.get("curie", {})
    forms = {prefix: usable(local) for prefix, local in given.items()}
    if not given or None in forms.values():
        return  # the rule curie-pattern says so
    for text in column.texts:
        prefix, colon, local = text.partition(":")
        form = forms.get(prefix)
        if not (colon and form and form.matches(local)):
            yield text, f"{show(text)} has no known form"


@package_rule("curie-pattern", "write what follows each prefix as a pattern, as for constraints")
def curie_pattern(package: Package) -> Iterator[Fault]:
    """Each form of a compact identifier is a prefix without a colon, and a pattern."""
    for resource in package.resources:
        for index, field in enumerate(resource.fields):
            for prefix, local in field.get("curie", {}).items():
                keys = ("fields", index, "curie", prefix)
                if ":" in prefix:
                    yield resource.document.fault("the prefix has a colon", *keys)
                try:
                    compiled(local)
                except NoPattern as error:
                    yield resource.document.fault(f"cannot be used: {error}", *keys)


@package_rule("uri-prefix", "list the same prefixes under uriPrefixes as under curie")
def uri_prefix(package: Package) -> Iterator[Fault]:
    """Every prefix of a compact identifier stands for the beginning of an address or a URN."""
    for resource in package.resources:
        for index, field in enumerate(resource.fields):
            addresses = field.get("uriPrefixes", {})
            for name in field.get("curie", {}):
                if name not in addresses:
                    message = f"nothing says what the prefix {name} stands for"
                    yield resource.document.fault(message, "fields", index, "curie", name)
            for name, address in addresses.items():
                if "curie" in field and name not in field["curie"]:
                    message = f"{name} is no prefix of curie"
                    yield resource.document.fault(message, "fields", index, "uriPrefixes", name)
                elif not _begins_uri(address):
                    message = f"{show(address)} is not the beginning of an address or a URN"
                    yield resource.document.fault(message, "fields", index, "uriPrefixes", name)


_begins_uri = re.compile(r"(https?://|urn:)[!-~]+[/#:_=]").fullmatch


@column_rule("forbidden-term", "map to another term; the schema says why under forbidden")
def forbidden_term(column: Column) -> Iterator[tuple[str, str]]:
    """No mapping leads to a term that is known to be the wrong one."""
    terms = column.field.get("forbidden", {})
    for text in column.texts & terms.keys():
        yield text, f"{text} must not be used: {terms[text]}"


@table_rule("label-disagrees", "copy label and version from the ontology into both rows")
def label_disagrees(resource: Resource) -> Iterator[Fault]:
    """A term has the same label and version in every row that names it, as most of them do."""
    table = resource.table
    for field in resource.fields:
        for name in field.get("labeledBy", []):
            if len(table.distinct(field["name"], name)) == len(table.distinct(field["name"])):
                continue
            rows: dict[str, dict[str, list[int]]] = {}
            for row, (term, value) in enumerate(table.values(field["name"], name)):
                rows.setdefault(term, {}).setdefault(value, []).append(row)
            for values in rows.values():
                # Most rows are right; of as many, those that come first.
                its = max(values, key=lambda value: len(values[value]))
                line = table.lines[values.pop(its)[0]]
                for value, others in values.items():
                    message = f"{show(value)}, but {show(its)} on line {line}"
                    for row in others:
                        yield table.fault(row, name, message, field["name"])


@table_rule("mapping-subject-unknown", "name a concept of one of the listed tables")
def mapping_subject_unknown(resource: Resource) -> Iterator[Fault]:
    """The subject of a mapping is a concept of this package, or a filled cell named with a dot."""
    table = resource.table
    for field in resource.fields:
        targets = field.get("referencesAnyOf", [])
        found = tables_of(resource, *((t["resource"], [t["field"]]) for t in targets))
        if not targets or not found:
            continue
        known = {""}
        named = {text.rpartition(".")[2] for text in table.each(field["name"])}
        for other, target in zip(found, targets, strict=True):
            known.update(other.each(target["field"]))
            if target.get("cells"):
                cells = other.filled_cells(target["field"], list(named.intersection(other.names)))
                known.update(map(".".join, cells))
        tables = ", ".join(dict.fromkeys(target["resource"] for target in targets))
        unknown = filterfalse(known.__contains__, table.each(field["name"]))
        wrong = {value: f"{show(value)} is in none of {tables}" for value in unknown}
        ids = {message: value for value, message in wrong.items()}
        for fault in table.faults(field["name"], wrong):
            yield fault._replace(about=("id", ids[fault.message].partition(".")[0]))
