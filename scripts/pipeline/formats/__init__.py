"""The tables of a valid package as files. Equal input gives equal bytes.

A format is a module of this room with the attributes of `Format`, named in `registry`.
"""

import re
from typing import Protocol

from pipeline.package import Package


class Format(Protocol):
    """A module that writes a package in one format.

    `OWNS` matches the paths of its files in a folder, with `/`; a group `table` is the name of the
    table that is in the file. `LIBRARIES` are those whose versions can change a byte, by the name
    under which each is installed the module that is used of it. Where the package lacks a table of
    `NEEDS`, the format is passed over; the fields that it names must be there.
    """

    __name__: str
    OWNS: re.Pattern[str]
    LIBRARIES: dict[str, str]
    NEEDS: dict[str, tuple[str, ...]]

    def write(self, package: Package, folder: str) -> None:
        """Write its files of a package, all read and found valid, below a new folder."""
