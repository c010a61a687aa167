"""Writes a folder at once: an interruption leaves the old one or the new one, never a mixture.

Everything is written to a new folder beside the target and changes places with it at the end.
"""

import contextlib
import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable

from pipeline.issue import CannotRun


def refuse(folder: str, root: str, ours: Callable[[str], object]) -> None:
    """Raise CannotRun where a folder is not new, empty or wholly made of files that are ours.

    `root` is the folder of the package, which is never replaced; `ours` takes a path inside the
    folder, with `/`.
    """
    if not folder:
        raise CannotRun("needs the name of a folder to write to")
    folder = os.path.abspath(folder)
    if (os.path.realpath(root) + os.sep).startswith(os.path.realpath(folder) + os.sep):
        raise CannotRun(f"will not write over the package itself: {folder}")
    if not os.path.lexists(folder):
        return
    if os.path.islink(folder) or not os.path.isdir(folder):
        raise CannotRun(f"will not write to {folder}: it is no folder")
    for place, folders, files in os.walk(folder):
        # No link is ours, and none is followed.
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in (*files, *links):
            path = os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")
            if not ours(path):
                advice = "name a new or empty folder"
                raise CannotRun(f"will not replace {folder}: it holds {path}; {advice}")


class Target(contextlib.AbstractContextManager):
    """A new folder that takes the place of the target unless writing into it fails.

    Raises CannotRun where the system cannot write; the target is then as it was.
    """

    def __init__(self, folder: str):
        self.folder = os.path.abspath(folder)
        parent, name = os.path.split(self.folder)
        try:
            os.makedirs(parent, exist_ok=True)
            self.new = tempfile.mkdtemp(prefix=f".{name}.", dir=parent)
            os.chmod(self.new, 0o755)
        except OSError as error:
            raise CannotRun(f"cannot write beside {self.folder}: {error.strerror}") from error

    def __enter__(self) -> str:
        """The path of the new folder."""
        return self.new

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        """Let the folders change places, or throw the new one away."""
        try:
            if error is None:
                _swap(self.new, self.folder)
        except OSError as trouble:
            error = trouble
        finally:
            shutil.rmtree(self.new, ignore_errors=True)
        if isinstance(error, OSError):
            why = error.strerror or error
            raise CannotRun(f"cannot write {self.folder}: {why}; nothing changed") from error


def write_text(folder: str, name: str, text: str) -> None:
    """Write a file in UTF-8 with the line ends that the text has, on every system."""
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def write_json(folder: str, name: str, value: object) -> None:
    """Write a file with a value as JSON for people to read. Raises ValueError for NaN."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    write_text(folder, name, f"{text}\n")


def _swap(new: str, folder: str) -> None:
    """Let two folders change places at once where the system can, else one after the other."""
    if not os.path.exists(folder):
        os.rename(new, folder)
        return
    libc = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    exchange = {"linux": ("renameat2", -100), "darwin": ("renameatx_np", -2)}.get(sys.platform)
    if libc and exchange and hasattr(libc, exchange[0]):
        call = getattr(libc, exchange[0])
        if call(exchange[1], os.fsencode(new), exchange[1], os.fsencode(folder), 2) == 0:
            return
    old = f"{new}.old"
    os.rename(folder, old)
    try:
        os.rename(new, folder)
    except OSError:
        os.rename(old, folder)
        raise
    os.rename(old, new)
