"""Opens a package that somebody names: a folder, a datapackage.json, a zip or a git revision.

What comes out of a zip or a repository is written into a folder that is gone afterwards. What only
they need is imported for them: most runs are on a folder.
"""

import contextlib
import os
from collections.abc import Iterator

from pipeline.package import Package

# The name of the release before this one, wherever an earlier version may be named.
PREVIOUS = "previous"


@contextlib.contextmanager
def opened(name: str, *, revisions: bool = True) -> Iterator[Package]:
    """The package with this name, its tables not yet read, for the time of a `with`.

    A file or folder of the name comes before a revision of the checkout in which this runs.
    Raises CannotRun where there is none.
    """
    if os.path.isfile(name) and name.lower().endswith(".zip"):
        from pipeline.folders import Temporary
        from pipeline.package import archive

        with Temporary() as folder:
            yield Package(archive.unpack(name, folder))
    elif revisions and not os.path.lexists(name):
        with _checked_out(name, ".") as package:
            yield package
    else:
        yield Package(name)


@contextlib.contextmanager
def earlier(name: str, package: Package) -> Iterator[Package | None]:
    """An earlier version of a package, or None where PREVIOUS is asked for and there is none.

    Raises CannotRun where there is none of another name, or the previous one cannot be told.
    """
    if name != PREVIOUS or os.path.lexists(name):
        with opened(name) as found:
            yield found
        return
    from pipeline.package import git

    tag = git.previous(package)
    if tag is None:
        yield None
    else:
        with _checked_out(f"refs/tags/{tag}", package.root) as found:
            yield found


@contextlib.contextmanager
def _checked_out(name: str, place: str) -> Iterator[Package]:
    from pipeline.folders import Temporary
    from pipeline.package import git

    with Temporary() as folder:
        yield Package(git.check_out(name, place, folder))
