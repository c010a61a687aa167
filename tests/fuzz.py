"""Damage packages at random, and look for an internal fault: `make fuzz`, with COUNT and SEED.

Knows the structure of what it damages: values and keys of JSON documents, cells, rows and headers
of tables, lines of documents, entries of zips. Every command is run over the result. A finding is
printed with its seed, and becomes a case.
"""

import argparse
import csv
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from cases import refresh
from commands import PACKAGES, SCRIPTS

BASE = PACKAGES / "base"
TEXTS = [
    "", " ", "0", "-0", "1e99", "1e999", "9" * 30, "abc", "a,b", '"', "\0", "\r", "\n", "\ufeff",
    "\ufffd", "=1+1", "../x",
    "/etc/passwd", "x" * 5000, "\u202e", "é", "e\u0301", "<!-- end of tables -->",
    "::error::", "\x1b[31m", "true", "2024-02-30", "NaN", "^(a+)+$", "[", "{", "others",
    "A B; A B", "aux", "%s", "{0}",
]  # fmt: skip
VALUES = [None, True, False, 0, -1, 1.5, 10**400, [], {}, [[]], [{}], {"x": []}, ["x", "x"], *TEXTS]


def places(value: Any, keys: tuple = ()) -> list[tuple]:
    """The keys of every value inside of a JSON value."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        found.append((*keys, key))
        if isinstance(inner, (dict, list)):
            found += places(inner, (*keys, key))
    return found


def damage_json(dice: random.Random, path: Path) -> None:
    """Replace, remove, repeat or rename values of a JSON document."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for _ in range(dice.randint(1, 3)):
        *keys, last = dice.choice(places(document))
        parent = document
        for key in keys:
            parent = parent[key]
        what = dice.randrange(4)
        if what == 0:
            del parent[last]
        elif what == 1 and isinstance(parent, list):
            parent.append(parent[last])
        elif what == 1:
            parent[dice.choice(TEXTS)] = parent[last]
        else:
            parent[last] = dice.choice(VALUES)
        if not document:
            break
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")


def damage_table(dice: random.Random, path: Path) -> None:
    """Change cells, repeat, remove or turn rows, cut or widen them."""
    text = path.read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    for _ in range(dice.randint(1, 4)):
        row = dice.choice(rows)
        what = dice.randrange(6)
        if what < 3 and row:
            row[dice.randrange(len(row))] = dice.choice([*TEXTS, *dice.choice(rows)])
        elif what == 3:
            rows.append(list(row))
        elif what == 4:
            row.append(dice.choice(TEXTS))
        else:
            rows.reverse()
    out = io.StringIO()
    csv.writer(out, lineterminator=dice.choice(["\n", "\r\n"])).writerows(rows)
    path.write_bytes(out.getvalue().encode("utf-8", "replace"))


def damage_bytes(dice: random.Random, path: Path) -> None:
    """Cut a file, flip a byte, or put something into it."""
    content = bytearray(path.read_bytes())
    at = dice.randrange(len(content) + 1)
    content[at : at + dice.choice([0, 0, 1, 50])] = dice.choice(TEXTS).encode()
    path.write_bytes(content)


def damaged(dice: random.Random, folder: Path) -> Path:
    """A package with damage in one to three of its files."""
    package = Path(shutil.copytree(BASE, folder / "package"))
    dice.choice([str, lambda p: Path(p, "README.md").write_text(dice.choice(TEXTS))])(package)
    files = sorted(path for path in package.rglob("*") if path.is_file())
    for path in dice.sample(files, dice.randint(1, 3)):
        ways = {".json": damage_json, ".csv": damage_table}
        way = dice.choice([ways.get(path.suffix, damage_bytes)] * 4 + [damage_bytes])
        try:
            way(dice, path)
        except (ValueError, LookupError):
            damage_bytes(dice, path)
    if dice.random() < 0.7:
        try:
            refresh(package)
        except (ValueError, LookupError, TypeError, AttributeError):
            return package
    return package


def zipped(dice: random.Random, package: Path, path: Path) -> Path:
    """A zip of a package, perhaps with a strange entry or damage."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(package.rglob("*")):
            archive.write(file, file.relative_to(package))
        if dice.random() < 0.5:
            archive.writestr(dice.choice([text for text in TEXTS if text.strip("\0")]), "x")
    if dice.random() < 0.5:
        damage_bytes(dice, path)
    return path


def commands(dice: random.Random, package: Path, folder: Path) -> list[list[object]]:
    """What is run over a package."""
    return [
        ["validate.py", package, "--quick", "--format", dice.choice(["text", "json", "sarif"])],
        dice.choice(
            [
                ["validate.py", package, "--quick", "--fix"],
                ["validate.py", zipped(dice, package, folder / "p.zip"), "--quick"],
                ["validate.py", package, "--quick", "--since", BASE],
                ["validate.py", package, "--skip", "frictionless", "--export", folder / "export"],
                [
                    "compare.py",
                    BASE,
                    package,
                    "--format",
                    dice.choice(["text", "json", "markdown"]),
                ],
                ["compare.py", package, BASE],
                ["release.py", folder / "release", package],
            ]
        ),
    ]


def main() -> int:
    """Damage as many packages as were asked for; 1 where a command failed in itself."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--count", type=int, default=25)
    parse.add_argument("--seed", type=int, default=1)
    options = parse.parse_args()
    failed = 0
    for seed in range(options.seed, options.seed + options.count):
        dice = random.Random(seed)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for command in commands(dice, damaged(dice, folder), folder):
                script, *others = map(str, command)
                done = subprocess.run(
                    [sys.executable, str(SCRIPTS / script), *others],
                    capture_output=True,
                    env={**os.environ, "PYTHONWARNINGS": "ignore"},
                )
                said = done.stderr.decode(errors="replace")
                if (
                    done.returncode not in (0, 1, 2)
                    or "internal fault" in said
                    or "Traceback" in said
                ):
                    failed += 1
                    print(f"seed {seed}: {' '.join([script, *others])}\n{said[-500:]}")
    print(f"{options.count} packages, {failed} findings")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
