"""Everything in one JSON document: by feature what is about it, beside that what is shared.

`LAYOUT` says where the rows of each table stand; document and JSON Schema are made from it.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline import files
from pipeline.formats import content, json_records, metadata
from pipeline.issue import CannotRun
from pipeline.package import Package
from pipeline.package.typed import Record

OWNS = re.compile(r"json/[^/]+\.json")
LIBRARIES: dict[str, str] = {}
NEEDS: dict[str, tuple[str, ...]] = {"clinical_features": ()}


class Rows(NamedTuple):
    """Rows of a table at one place of the document.

    They stand below `key`, or the name of the table. Inside of another record, `by` is the field
    that names it, alone or before the first point (`back_pain.onset`); `one` says that there is at
    most one row, which is then no list. At the top stand all rows, or as a `rest` those that have
    no other place.
    """

    table: str
    key: str = ""
    by: str = ""
    description: str = ""
    one: bool = False
    rest: bool = False
    inside: tuple["Rows", ...] = ()

    @property
    def name(self) -> str:
        """The key below which the rows stand."""
        return self.key or self.table


_MAPPINGS = Rows("ontology_mappings", by="subject_id")
LAYOUT = (
    Rows(
        "clinical_features",
        inside=(
            _MAPPINGS._replace(
                description="The mappings of the feature and of its cells in pain_types."
            ),
            Rows(
                "pain_types",
                "pain_type",
                by="pain_type_id",
                description="What the feature is as a pain type, or null.",
                one=True,
                inside=(Rows("pain_laterality", "laterality", by="pain_type_id"),),
            ),
            Rows(
                "causal_relations",
                "causes",
                by="effect_id",
                description="The relations whose effect is the feature.",
            ),
            Rows(
                "causal_relations",
                "effects",
                by="cause_id",
                description="The relations whose cause is the feature.",
            ),
            Rows(
                "statements",
                by="feature_id",
                description="The claims of the source page about the feature.",
            ),
            Rows(
                "findings",
                by="feature_id",
                description="What studies report about the feature.",
                inside=(
                    Rows(
                        "intervals",
                        "interval_95",
                        by="finding_id",
                        description="The 95% interval of the figure, or null.",
                        one=True,
                    ),
                ),
            ),
        ),
    ),
    Rows("claims", description="What the findings say about each claim of the source page."),
    Rows("conditions", inside=(_MAPPINGS,)),
    Rows("spinal_regions", inside=(_MAPPINGS,)),
    Rows("primary_tumors", inside=(_MAPPINGS,)),
    Rows("source_passages"),
    Rows("citations"),
    Rows(
        "ontology_mappings",
        description=(
            "The mappings of concepts that are none of the records above, such as a laterality."
        ),
        rest=True,
    ),
    Rows("retired_ids"),
)


# What the document repeats of the descriptor.
_PACKAGE = {
    "description": "What the package is, from its descriptor.",
    "type": "object",
    "additionalProperties": False,
    "required": list(metadata.IDENTITY),
    "properties": {
        key: {"type": "array", "minItems": 1, "items": {"type": "object"}}
        if key in ("licenses", "sources")
        else {"type": "string"}
        for key in metadata.IDENTITY
    },
}


def write(package: Package, folder: str) -> None:
    """Write `json/PACKAGE.json`.

    Raises CannotRun where a table or a row has no place in it, or it breaks its schema.
    """
    name = f"{package.descriptor['name']}.json"
    for resource in package.resources:
        places = [place for place in _every(LAYOUT) if place.table == resource.name]
        if not places:
            advice = "say in LAYOUT of scripts/pipeline/formats/nested.py where"
            raise CannotRun(f"the table {resource.name} stands nowhere in json/{name}; {advice}")
        if missing := sorted({place.by for place in places} - {"", *resource.names}):
            path = resource.document.path
            raise CannotRun(f"{path} has no field {missing[0]}, which json/{name} needs")
    document = nest(package)
    schemas = json_records.json_schemas(package) | {name: json_schema(package)}
    json_records.check(name, document, schemas)
    files.write_json(os.path.join(folder, "json"), name, document)


def _every(layout: tuple[Rows, ...]) -> Iterator[Rows]:
    """Every place of a layout, and those inside of it."""
    for place in layout:
        yield place
        yield from _every(place.inside)


def nest(package: Package) -> Record:
    """The document. Raises CannotRun where a row stands nowhere in it."""
    nesting = _Nesting(package)
    tops = [place for place in LAYOUT if place.table in nesting.tables]
    # What has another place is only known when all others are filled.
    found = {place.name: nesting.fill(place) for place in sorted(tops, key=lambda p: p.rest)}
    for name, rows in nesting.tables.items():
        if lost := [row for index, row in enumerate(rows) if index not in nesting.placed[name]]:
            what = ", ".join(str(lost[0][key]) for key in nesting.keys[name])
            raise CannotRun(f"the row {what} of {name} stands nowhere in the nested document")
    identity = {"package": metadata.identity(package)}
    return identity | {place.name: found[place.name] for place in tops}


class _Nesting:
    """Fills the places of a layout, and remembers which rows of each table have one."""

    def __init__(self, package: Package):
        tables = content.tables(package)
        self.tables = {each.name: each.records() for each in tables}
        self.keys = {each.name: each.schema["primaryKey"] for each in tables}
        self.placed: dict[str, set[int]] = defaultdict(set)
        self._named: dict[tuple[str, str], dict[str, list[int]]] = {}

    def fill(self, place: Rows, key: str = "") -> list[Record] | Record | None:
        """The rows at a place of the record with a key, with what stands inside of them."""
        table = self.tables[place.table]
        if place.by:
            chosen = self._naming(place).get(key, [])[: 1 if place.one else None]
        else:
            taken = self.placed[place.table] if place.rest else set()
            chosen = [index for index in range(len(table)) if index not in taken]
        self.placed[place.table].update(chosen)
        rows = [self._with_inside(place, table[index]) for index in chosen]
        return next(iter(rows), None) if place.one else rows

    def _with_inside(self, place: Rows, row: Record) -> Record:
        key = row[self.keys[place.table][0]]
        inside = (each for each in place.inside if each.table in self.tables)
        return row | {each.name: self.fill(each, key) for each in inside}

    def _naming(self, place: Rows) -> dict[str, list[int]]:
        """The rows of a table by the record that a field names."""
        if (place.table, place.by) not in self._named:
            rows: dict[str, list[int]] = defaultdict(list)
            for index, row in enumerate(self.tables[place.table]):
                rows[str(row[place.by]).partition(".")[0]].append(index)
            self._named[place.table, place.by] = rows
        return self._named[place.table, place.by]


def json_schema(package: Package) -> dict[str, Any]:
    """The JSON Schema of the document; it refers to those of the tables."""
    tables = {each.name for each in content.tables(package)}
    tops = [place for place in LAYOUT if place.table in tables]
    return {
        "$schema": json_records.DIALECT,
        "$comment": json_records.GENERATED,
        "title": f"{package.descriptor.get('title')}, nested",
        "description": "The whole package in one document: under each clinical feature what is "
        "about it, beside them what is shared.",
        "type": "object",
        "additionalProperties": False,
        "required": ["package", *(place.name for place in tops)],
        "properties": {"package": _PACKAGE, **{p.name: _schema(p, tables) for p in tops}},
    }


def _schema(place: Rows, tables: set[str]) -> dict[str, Any]:
    """The JSON Schema of the rows at a place."""
    about = {"description": place.description} if place.description else {}
    inside = [each for each in place.inside if each.table in tables]
    if not place.one and not inside:
        return about | {"$ref": f"{place.table}.json"}
    record: dict[str, Any] = {"$ref": f"{place.table}.json#/$defs/record"}
    if inside:
        record["properties"] = {each.name: _schema(each, tables) for each in inside}
        record["required"] = [each.name for each in inside]
    record["unevaluatedProperties"] = False
    if place.one:
        return about | {"oneOf": [{"type": "null"}, record]}
    return about | {"type": "array", "items": record}
