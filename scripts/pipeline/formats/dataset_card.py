"""The card by which `datasets` and the Hugging Face Hub know every table of the Parquet files."""

import json
import re

from pipeline import files
from pipeline.formats import content, metadata, parquet
from pipeline.package import Package

# What the zip with everything has on its top, and no other zip has.
FOLDER = "top"
OWNS = re.compile(rf"{FOLDER}/README\.md")
LIBRARIES: dict[str, str] = parquet.LIBRARIES
NEEDS: dict[str, tuple[str, ...]] = {}
# The sizes that the Hub knows: fewer rows than this.
_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}


def write(package: Package, folder: str) -> None:
    """Write `top/README.md`."""
    files.write_text(folder, f"{FOLDER}/README.md", card(package))


def card(package: Package) -> str:
    """The card: what the Hub reads between two lines of hyphens, and a text for people.

    A table without rows is named in the text alone: `datasets` cannot load it.
    """
    sizes = {each.name: each.size for each in content.tables(package)}
    rows = sum(resource.table.rows for resource in package.resources)
    # Who names no table gets the one with the most rows.
    largest = max(package.resources, key=lambda resource: resource.table.rows).name
    known = metadata.licenses(package, "name")
    about = {
        "pretty_name": package.descriptor["title"],
        "license": [name.lower() for name in known] or "other",
        "language": ["en"],
        "tags": package.descriptor["keywords"],
        "size_categories": [next((s for n, s in _SIZES.items() if rows < n), "n>1M")],
        "configs": [
            {"config_name": name, "data_files": f"parquet/{name}.parquet"}
            | ({"default": True} if name == largest else {})
            for name, size in sizes.items()
            if size
        ],
    }
    head = "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in about.items()
    )
    listed = "".join(f"- `{name}`: {size} rows\n" for name, size in sizes.items())
    return f"""\
---
{head}---

# {package.descriptor["title"]}

{package.descriptor["description"]}

```python
from datasets import load_dataset

{largest} = load_dataset("PATH", "{largest}", split="train")
```

`PATH` is the folder of this file, or the repository on the Hub that has it. The tables:

{listed}
`data-dictionary.md` describes every column.

{metadata.citation(package)}
"""
