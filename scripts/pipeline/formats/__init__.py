"""Writes the tables of a valid package as CSV, JSON and Parquet. Equal input gives equal bytes."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

from pipeline import documents, files
from pipeline.folders import Target
from pipeline.issue import CannotRun
from pipeline.package import DESCRIPTOR, Package, Resource
from pipeline.package.field_types import FIELD_TYPES

# The files of an export, whatever its tables are called.
OURS = re.compile(
    r"csv/(datapackage\.json|(data|schemas)/.*\.(csv|json))|json/[^/]*\.json|parquet/[^/]*\.parquet"
).fullmatch
Record = dict[str, Any]
# The tables of which the nested document is made.
NESTED = {
    "causal_relations",
    "citations",
    "clinical_features",
    "conditions",
    "findings",
    "ontology_mappings",
    "pain_laterality",
    "pain_types",
    "retired_ids",
    "source_passages",
    "spinal_regions",
    "statements",
}

# The pandas types with a missing value of their own: what is written is what is read back.
_PANDAS = {"integer": "Int64", "year": "Int64", "number": "Float64", "boolean": "boolean"}


def write(package: Package, folder: str) -> None:
    """Export a valid package into a folder, replacing an earlier export that is there.

    Raises CannotRun where the folder holds anything else, or an artifact breaks its JSON Schema.
    """
    with target(package, folder) as new:
        tables = {resource.name: list(typed(resource)) for resource in package.resources}
        write_csv(package, os.path.join(new, "csv"))
        write_json(package, tables, os.path.join(new, "json"))
        write_parquet(package, tables, os.path.join(new, "parquet"))


def target(package: Package, folder: str) -> Target:
    """The folder to export to. Raises CannotRun where it holds anything but an earlier export."""
    return Target(folder, package.root, _is_export)


def _is_export(paths: set[str]) -> bool:
    return f"csv/{DESCRIPTOR}" in paths and all(map(OURS, paths))


def typed(resource: Resource) -> Iterator[Record]:
    """The rows of a valid table as records; an empty cell is None."""
    readers = [FIELD_TYPES[field["type"]].value for field in resource.fields]
    for row in resource.table.tuples(*resource.names):
        yield {
            name: read(cell) if cell else None
            for name, read, cell in zip(resource.names, readers, row, strict=True)
        }


def write_csv(package: Package, folder: str) -> None:
    """Copy descriptor, schemas and tables: a package of its own."""
    paths = {package.document.path}
    for resource in package.resources:
        paths |= {resource.path, resource.document.path}
    for path in sorted(paths):
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(os.path.join(package.root, path), target)


def write_json(package: Package, tables: dict[str, list[Record]], folder: str) -> None:
    """Write a file per table, and one with everything nested by feature; check each."""
    os.makedirs(folder)
    schemas = {
        f"{resource.name}.json": documents.json_schema(resource) for resource in package.resources
    }
    exports: dict[str, Any] = {f"{name}.json": rows for name, rows in tables.items()}
    nested = f"{package.descriptor['name']}.json"
    schema = _nested_schema(package, nested)
    if schema is not None:
        schemas[nested] = schema
        exports[nested] = nest(package, tables)
    _check(exports, schemas)
    for name, value in exports.items():
        files.write_json(folder, name, value)


def _nested_schema(package: Package, name: str) -> dict | None:
    """The JSON Schema of the nested document; without one or without its tables, there is none."""
    from jsonschema import Draft202012Validator, SchemaError

    text = package.text(f"schemas/json/{name}")
    if text is None:
        return None
    missing = NESTED - {resource.name for resource in package.resources}
    if missing:
        raise CannotRun(f"schemas/json/{name} needs the table {min(missing)}; adapt or delete it")
    try:
        schema = json.loads(text)
        Draft202012Validator.check_schema(schema)
    except (ValueError, SchemaError, RecursionError) as error:
        raise CannotRun(f"schemas/json/{name} is no JSON Schema: {error}") from error
    return schema


def _check(exports: dict[str, Any], schemas: dict[str, dict]) -> None:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    # What is in no file of the package is not found: nothing is fetched.
    registry = Registry().with_resources(
        (name, DRAFT202012.create_resource(schema)) for name, schema in schemas.items()
    )
    for name, value in exports.items():
        validator = Draft202012Validator(
            schemas[name],
            registry=registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        try:
            error = next(validator.iter_errors(value), None)
        except Unresolvable as unknown:
            raise CannotRun(
                f"the schema of json/{name} refers to what is not there: {unknown}"
            ) from unknown
        if error:
            what = f"{error.json_path}: {error.message}"[:300]
            raise CannotRun(f"json/{name} breaks its schema at {what}")


def nest(package: Package, tables: dict[str, list[Record]]) -> Record:
    """Everything in one document: by feature what is about it, and beside that what is shared."""

    def about(name: str, field: str, key: str) -> list[Record]:
        return [row for row in tables[name] if row[field] == key]

    def mappings(key: str) -> list[Record]:
        return [r for r in tables["ontology_mappings"] if r["subject_id"].split(".")[0] == key]

    mapped: set[str] = set()

    def with_mappings(row: Record, key: str) -> Record:
        mapped.add(row[key])
        return {**row, "ontology_mappings": mappings(row[key])}

    features = []
    for row in tables["clinical_features"]:
        key = row["feature_id"]
        pain_types = [
            {**pain_type, "laterality": about("pain_laterality", "pain_type_id", key)}
            for pain_type in about("pain_types", "pain_type_id", key)
        ]
        features.append(
            {
                **with_mappings(row, "feature_id"),
                "pain_type": pain_types[0] if pain_types else None,
                "causes": about("causal_relations", "effect_id", key),
                "effects": about("causal_relations", "cause_id", key),
                "statements": about("statements", "feature_id", key),
                "findings": about("findings", "feature_id", key),
            }
        )
    return {
        "package": identity(package),
        "clinical_features": features,
        "conditions": [with_mappings(row, "condition_id") for row in tables["conditions"]],
        "spinal_regions": [with_mappings(row, "region_id") for row in tables["spinal_regions"]],
        "source_passages": tables["source_passages"],
        "citations": tables["citations"],
        "ontology_mappings": [
            row
            for row in tables["ontology_mappings"]
            if row["subject_id"].split(".")[0] not in mapped
        ],
        "retired_ids": tables["retired_ids"],
    }


def identity(package: Package) -> Record:
    """What a document of its own repeats of the descriptor."""
    shown = ("name", "title", "description", "version", "created", "licenses", "sources")
    return {key: package.descriptor[key] for key in shown}


def citation(package: Package) -> str:
    """How to cite the package, in one line."""
    meta = package.descriptor
    makers = ", ".join(maker.get("title", "") for maker in meta["contributors"])
    return f"{makers} ({meta['created'][:4]}). {meta['title']}, version {meta['version']}."


def write_parquet(package: Package, tables: dict[str, list[Record]], folder: str) -> None:
    """Write a typed file per table; descriptions, license and citation go into the metadata."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    os.makedirs(folder)
    meta = {
        "title": package.descriptor["title"],
        "version": package.descriptor["version"],
        "license": " ".join(
            terms.get("name") or terms.get("path", "") for terms in package.descriptor["licenses"]
        ),
        "citation": citation(package),
    }
    for resource in package.resources:
        rows = tables[resource.name]
        frame = pd.DataFrame(
            {
                field["name"]: pd.array(
                    [row[field["name"]] for row in rows],
                    dtype=_PANDAS.get(field["type"], "string"),
                )
                for field in resource.fields
            }
        )
        table = pa.Table.from_pandas(frame, preserve_index=False)
        schema = table.schema
        for index, field in enumerate(resource.fields):
            described = {
                "title": field.get("title", ""),
                "description": field.get("description", ""),
            }
            schema = schema.set(index, schema.field(index).with_metadata(described))
        description = resource.schema.get("description", "")
        own = {**meta, "table": resource.name, "description": description}
        schema = schema.with_metadata({**(schema.metadata or {}), **own})
        pq.write_table(table.cast(schema), os.path.join(folder, f"{resource.name}.parquet"))
