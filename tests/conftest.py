"""What is made once for all tests: releases, as users download them, and JavaScript clients."""

import fcntl
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from commands import PACKAGES, ROOT, npm_installed, release

# The same examples in every run, and none that has to come within a time.
settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What makes a folder once for all processes of a run of the tests, which only read it."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent

    def make(name: str, write: Callable[[Path], object]) -> Path:
        folder, half = place / f"shared-{name}", place / f"half-{name}"
        with open(place / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                write(half)
                half.rename(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def released(once: Once) -> Path:
    """The folder of a release of this package."""
    return once("release", lambda folder: _release(folder, ROOT))


@pytest.fixture(scope="session")
def released_base(once: Once) -> Path:
    """The folder of a release of the base package, to be copied where a test needs one."""
    return once("release-of-base", lambda folder: _release(folder, PACKAGES / "base"))


def _release(folder: Path, package: Path) -> None:
    done = release(folder, package)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def unpacked(once: Once, released: Path) -> Path:
    """The zip with everything, unpacked into an empty folder by the standard library."""
    (archive,) = released.glob("*[0-9].zip")

    def unpack(folder: Path) -> None:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)

    return once("unpacked", unpack)


@pytest.fixture(scope="session")
def node(once: Once) -> Path:
    """The folder with the JavaScript clients installed."""
    return once("clients", partial(npm_installed, "clients"))


@pytest.fixture(scope="session")
def page(released: Path) -> Path:
    """The page as a release has it beside the zips."""
    return released / "spinal-metastases.html"


@pytest.fixture(scope="session")
def node_of_the_page(once: Once) -> Path:
    """The folder with html-validate and axe-core installed."""
    return once("page", partial(npm_installed, "page"))
