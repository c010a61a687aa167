"""What is made once for all tests: releases, as users download them, and JavaScript clients."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from commands import PACKAGES, npm_installed, release

# The same examples in every run, and none that has to come within a time.
settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release of this package."""
    folder = tmp_path_factory.mktemp("released") / "release"
    done = release(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def released_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release of the base package, to be copied where a test needs one."""
    folder = tmp_path_factory.mktemp("released") / "base"
    done = release(folder, PACKAGES / "base")
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
    """The folder with the JavaScript clients installed."""
    return npm_installed("clients", tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="session")
def page(released: Path) -> Path:
    """The page as a release has it beside the zips."""
    return released / "spinal-metastases.html"


@pytest.fixture(scope="session")
def node_of_the_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with html-validate and axe-core installed."""
    return npm_installed("page", tmp_path_factory.mktemp("npm"))
