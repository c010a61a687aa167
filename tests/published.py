"""The published tables as the standard library reads them, and a copy of the package."""

import csv
import json
import shutil
from pathlib import Path

from commands import ROOT

DESCRIPTOR = json.loads((ROOT / "datapackage.json").read_text(encoding="utf-8"))
RESOURCES = {resource["name"]: resource for resource in DESCRIPTOR["resources"]}
SCHEMAS = {
    name: json.loads((ROOT / resource["schema"]).read_text(encoding="utf-8"))
    for name, resource in RESOURCES.items()
}
# What exports have beside the tables; in SQLite, claims is no table.
VIEWS = ("claims", "intervals")
NUMBERS = {"integer": int, "year": int, "number": float}


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table as the standard library reads them."""
    with open(ROOT / RESOURCES[name]["path"], encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected(name: str) -> list[dict]:
    """The rows of a table with the values that its schema promises."""
    types = {field["name"]: NUMBERS.get(field["type"], str) for field in SCHEMAS[name]["fields"]}
    return [
        {column: types[column](cell) if cell else None for column, cell in row.items()}
        for row in rows(name)
    ]


def of_view(folder: Path, name: str) -> list[dict]:
    """The records of a view in the JSON of a release that is unpacked in a folder."""
    return json.loads((folder / f"json/{name}.json").read_text(encoding="utf-8"))


def copied(folder: Path) -> Path:
    """The package without its documents."""
    package = folder / "package"
    for name in ("data", "schemas"):
        shutil.copytree(ROOT / name, package / name)
    shutil.copy(ROOT / "datapackage.json", package)
    return package
