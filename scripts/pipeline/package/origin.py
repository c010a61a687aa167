"""Opens a release that somebody names: a folder, a datapackage.json, a zip or a git revision.

A revision is one of the checkout in which the command is run. Only the package is taken out of
it, into a folder that is gone afterwards; the checkout itself is not touched.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator

from pipeline.issue import CannotRun, show
from pipeline.package import DESCRIPTOR, Package, archive

# Where the files of a package are; an export has no others either.
_PARTS = (DESCRIPTOR, "data", "schemas")


@contextlib.contextmanager
def opened(name: str) -> Iterator[Package]:
    """The package with this name, its tables not yet read, for the time of a `with`.

    A file or folder of the name comes before a revision. Raises CannotRun where there is
    neither.
    """
    with tempfile.TemporaryDirectory() as folder:
        if not os.path.lexists(name):
            path = _checked_out(name, folder)
        elif os.path.isfile(name) and name.lower().endswith(".zip"):
            path = archive.unpack(name, folder)
        else:
            path = name
        yield Package(path)


def _checked_out(name: str, folder: str) -> str:
    """Take the package out of a git revision into a folder; the path of its descriptor."""
    try:
        # A hyphen would make an option of it, a caret an exclusion.
        if name.startswith(("-", "^")):
            raise CannotRun("it begins as no name does")
        commit = _git("rev-parse", "--verify", f"{name}^{{commit}}")
        top = _git("rev-parse", "--show-toplevel")
    except CannotRun as error:
        what = "is no file or folder, and no git revision in this checkout"
        raise CannotRun(f"{show(name)} {what}: {error}") from error
    tracked = _git("-C", top, "ls-tree", "--name-only", commit).splitlines()
    if DESCRIPTOR not in tracked:
        raise CannotRun(f"no data package: the revision {name} has no {DESCRIPTOR}")
    # Stored without compression, or the guard against zip bombs could take it for one.
    packed = os.path.join(folder, "revision.zip")
    _git(
        *("-C", top, "-c", "core.autocrlf=false", "archive", "--format=zip", "-0"),
        *(f"--output={packed}", commit, *(part for part in _PARTS if part in tracked)),
    )
    return archive.unpack(packed, os.path.join(folder, "package"))


def _git(*arguments: str) -> str:
    """What git prints. Raises CannotRun with the last line of what it says when it fails."""
    try:
        done = subprocess.run(["git", *arguments], stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError as error:
        raise CannotRun("git is not installed") from error
    if done.returncode != 0:
        why = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["git failed"]
        raise CannotRun(why[0])
    return os.fsdecode(done.stdout).rstrip("\n")
