"""The zip with everything as a data set for `datasets`, loaded without a network."""

import json
import os
import subprocess
import sys
from pathlib import Path

from published import RESOURCES, SCHEMAS, VIEWS, expected, of_view, rows

LOAD = """
import json, sys
import datasets
folder, tables = sys.argv[1], {}
for name in datasets.get_dataset_config_names(folder):
    table = datasets.load_dataset(folder, name, split="train")
    kinds = {column: kind.dtype for column, kind in table.features.items()}
    tables[name] = {"kinds": kinds, "rows": table.to_list()}
default = datasets.load_dataset(folder, split="train")
result = {"tables": tables, "default": default.num_rows}
print(json.dumps(result, default=lambda day: day.isoformat()))
"""
KINDS = {
    "string": {"string", "large_string"},
    "integer": {"int64"},
    "year": {"int64"},
    "number": {"float64"},
    "boolean": {"bool"},
    "date": {"date32"},
}


def test_datasets_load_every_table(unpacked: Path, tmp_path: Path):
    """Catches a table that the card does not name, a lost type, and a changed value."""
    offline = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(unpacked)],
        env={**os.environ, **offline},
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    # A table without rows cannot be loaded by anybody, and the card says that it has none.
    filled = [name for name in RESOURCES if rows(name)]
    card = (unpacked / "README.md").read_text(encoding="utf-8")
    for name in RESOURCES:
        assert f"- `{name}`: {len(rows(name))} rows" in card
    assert sorted(found["tables"]) == sorted([*filled, *VIEWS])
    for name in filled:
        kinds = found["tables"][name]["kinds"]
        for field in SCHEMAS[name]["fields"]:
            assert kinds[field["name"]] in KINDS[field["type"]], (name, field["name"])
        assert found["tables"][name]["rows"] == expected(name)
    for name in VIEWS:
        assert found["tables"][name]["rows"] == of_view(unpacked, name)
    assert found["default"] == max(len(rows(name)) for name in RESOURCES)
