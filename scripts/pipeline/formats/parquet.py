"""A typed file per table; descriptions, license and citation are in the metadata."""

import os
import re
from datetime import date
from typing import TYPE_CHECKING, Any

from pipeline.formats import content, metadata
from pipeline.package import Package
from pipeline.package.typed import TypedTable

if TYPE_CHECKING:
    import pyarrow as pa

OWNS = re.compile(r"parquet/(?P<table>[^/]+)\.parquet")
LIBRARIES: dict[str, str] = {"pandas": "pandas", "pyarrow": "pyarrow"}
NEEDS: dict[str, tuple[str, ...]] = {}
# The pandas types with a missing value of their own: what is written is what is read back.
_PANDAS = {
    "string": "string",
    "integer": "Int64",
    "year": "Int64",
    "number": "Float64",
    "boolean": "boolean",
    "date": "date32[day][pyarrow]",
}


def write(package: Package, folder: str) -> None:
    """Write `parquet/TABLE.parquet` for each table and view."""
    import pyarrow.parquet as pq

    below = os.path.join(folder, "parquet")
    os.makedirs(below)
    about = {
        "title": package.descriptor["title"],
        "version": package.descriptor["version"],
        "license": " ".join(metadata.licenses(package, "name", "path")),
        "citation": metadata.citation(package),
    }
    for each in content.tables(package):
        table = _in_pandas(each)
        own = {"table": each.name, "description": each.schema.get("description", "")}
        schema = table.schema.with_metadata({**(table.schema.metadata or {}), **about, **own})
        for index, field in enumerate(each.fields):
            described = {key: field.get(key, "") for key in ("title", "description")}
            schema = schema.set(index, schema.field(index).with_metadata(described))
        pq.write_table(table.cast(schema), os.path.join(below, f"{each.name}.parquet"))


def _in_pandas(table: TypedTable) -> "pa.Table":
    """The columns in the types of pandas, which a Parquet file remembers."""
    import pandas as pd
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for field in table.fields:
        column = table.columns[field["name"]]
        if field["type"] == "date":
            column = [day and date.fromisoformat(day) for day in column]
        columns[field["name"]] = pd.array(column, dtype=_PANDAS[field["type"]])
    return pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)
