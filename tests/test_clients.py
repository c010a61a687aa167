"""Independent clients of the descriptor: all read the same values, and follow every relation."""

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import datapackage
import frictionless
import pytest

from planted import ROOT
from test_exports import expected
from test_package import RESOURCES

CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the JavaScript clients installed; without npm a skip, but in CI a failure."""
    if not shutil.which("npm") and not os.environ.get("CI"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("clients") / "clients"
    shutil.copytree(CLIENTS, folder, ignore=shutil.ignore_patterns("node_modules"))
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(["npm", "ci", *options], cwd=folder, check=True, timeout=300)
    return folder


def plain(value: object) -> object:
    """A value as JSON has it: days as text."""
    return value.isoformat() if isinstance(value, datetime.date) else value


def test_frictionless():
    """Catches a package that its reference implementation calls invalid or reads differently."""
    command = [sys.executable, "-m", "frictionless", "validate", "datapackage.json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
    package = frictionless.Package(str(ROOT / "datapackage.json"))
    for resource in package.resources:
        records = [row.to_dict(json=True) for row in resource.read_rows()]
        assert [
            {key: float(v) if isinstance(v, str) and key in NUMBERS else v for key, v in r.items()}
            for r in records
        ] == expected(resource.name)


# frictionless writes decimals as JSON text, so as not to lose digits.
NUMBERS = ("value", "lower", "upper", "confidence")


def test_python_datapackage():
    """Catches a descriptor that the older Python library does not read, or a broken relation."""
    package = datapackage.Package(str(ROOT / "datapackage.json"))
    assert package.valid, package.errors
    assert package.resource_names == list(RESOURCES)
    for resource in package.resources:
        assert resource.check_relations()
        records = [
            {
                key: float(v) if key in NUMBERS and v is not None else plain(v)
                for key, v in r.items()
            }
            for r in resource.read(keyed=True)
        ]
        assert records == expected(resource.name)


def test_javascript_datapackage(node: Path):
    """Catches a descriptor that JavaScript does not read, or a broken relation."""
    descriptor = os.path.relpath(ROOT / "datapackage.json", node)
    done = subprocess.run(
        ["node", "read.js", descriptor], cwd=node, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    tables = json.loads(done.stdout)
    assert list(tables) == list(RESOURCES)
    for name, records in tables.items():
        for record in records:
            if record.get("published_online"):
                record["published_online"] = record["published_online"][:10]
        assert records == expected(name)


def test_sarif_is_valid(node: Path, tmp_path: Path):
    """Catches a SARIF log that breaks the official JSON Schema."""
    from jsonschema import Draft7Validator

    from planted import PACKAGES, build, validate

    schemas = node / "node_modules/@microsoft/jest-sarif/lib/schemas"
    schema = json.loads(next(schemas.glob("sarif-2.1.0*.json")).read_text(encoding="utf-8"))
    case = PACKAGES / "invalid/row-order/two-swapped.json"
    broken = build(json.loads(case.read_text(encoding="utf-8")), tmp_path)
    for package, found in ((PACKAGES / "base", 0), (broken, 1)):
        done = validate(package, "--format", "sarif")
        assert done.returncode == found
        log = json.loads(done.stdout)
        assert list(Draft7Validator(schema).iter_errors(log)) == []
        assert len(log["runs"][0]["results"]) == found
