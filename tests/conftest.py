"""What is made once for all tests: a release as a user downloads it, and the JavaScript clients."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from commands import ROOT, release


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release of this package."""
    folder = tmp_path_factory.mktemp("released") / "release"
    done = release(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def unpacked(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip with everything, unpacked into an empty folder by the standard library."""
    folder = tmp_path_factory.mktemp("unpacked")
    (archive,) = released.glob("*[0-9].zip")
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the JavaScript clients installed; without npm a skip, but in CI a failure."""
    if not shutil.which("npm") and not os.environ.get("CI"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("clients") / "clients"
    ignored = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "tests/clients", folder, ignore=ignored)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(["npm", "ci", *options], cwd=folder, check=True, timeout=300)
    return folder
