"""The package itself: its descriptor, its schemas and its tables, as they were read.

Beside schemas that name the profile stands the profile by which they were judged.
"""

import os
import re

from pipeline import files
from pipeline.package import Package, profile

# A package of its own, which the zip with everything has on its top.
FOLDER = "csv"
OWNS = re.compile(rf"{FOLDER}/.+")
LIBRARIES: dict[str, str] = {}
NEEDS: dict[str, tuple[str, ...]] = {}


def write(package: Package, folder: str) -> None:
    """Copy everything below `csv/`.

    Raises CannotRun where a file is no longer what was read and judged.
    """
    read = {document.path: document.sha256 for document in package.documents()}
    read |= {resource.path: resource.table.sha256 for resource in package.resources}
    for path, sha256 in sorted(read.items()):
        files.write_bytes(folder, f"{FOLDER}/{path}", files.judged(package.root, path, sha256))
    naming = (each for each in package.schemas.values() if profile.is_named_by(each.data))
    for place in {os.path.dirname(each.path) for each in naming}:
        beside = os.path.join(folder, FOLDER, place, "profile")
        for name in profile.NAMES:
            files.write_text(beside, f"{name}.json", profile.source(name))
