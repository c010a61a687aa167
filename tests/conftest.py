"""A release as a user downloads it, built once for all tests that read one."""

import zipfile
from pathlib import Path

import pytest

from commands import release


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
