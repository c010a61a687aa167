"""A folder is written whole or not at all: an interruption leaves the old one or the new one.

Everything is written to a new folder beside the target and changes places with it at the end. What
is replaced is looked at twice, so that nothing is lost that somebody else put there.
"""

import contextlib
import ctypes
import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator

from pipeline import files, start
from pipeline.issue import CannotRun

SUMS = "SHA256SUMS"
# The folders of a package, in which nothing else is written.
_OWN = ("data", "docs", "schemas")


class Temporary(contextlib.AbstractContextManager[str]):
    """A folder that is gone after a `with`, whatever ends it.

    Its removal is certain before it is made, so that no interruption comes between the two.
    """

    def __init__(self, beside: str | None = None):
        parent, name = os.path.split(beside) if beside else (temporary(), "")
        self.hidden = os.path.join(parent, f".{name[:40]}.{os.urandom(8).hex()}")

    def __enter__(self) -> str:
        """The path of the folder, which nobody else can read."""
        start.at_end(self.remove)
        os.mkdir(self.hidden, 0o700)
        return self.hidden

    def __exit__(self, *_: object) -> None:
        """Remove it with all that it holds."""
        self.remove()

    def remove(self) -> None:
        """Remove it if it is there."""
        shutil.rmtree(self.hidden, ignore_errors=True)


def temporary() -> str:
    """Where temporary files are; tempfile itself would leave one there where it is interrupted."""
    named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    for place in (*filter(None, named), "/tmp", "/var/tmp"):
        if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):
            return os.path.abspath(place)
    return os.getcwd()


class Target(contextlib.AbstractContextManager[str]):
    """A new folder that takes the place of the target unless writing into it fails.

    `root` is the folder of the package. A folder is replaced only where it is provably what was
    written there: SHA256SUMS, which stands on top of everything that is written, lists each of its
    files with its hash, and `ours` takes the listed paths for those of this command.

    Raises CannotRun where the target may not be replaced, at once and again at the end, and where
    the system cannot write; the target is then as it was.
    """

    def __init__(self, folder: str, root: str, ours: Callable[[set[str]], bool]):
        self.folder = os.path.abspath(folder)
        self.ours = ours
        self.made: list[str] = []
        self.beside = Temporary(self.folder)
        if not folder:
            raise CannotRun("needs the name of a folder to write to")
        with self._cannot():
            folder.encode()
            _outside(self.folder, root)
            self._writable()
            if os.path.lexists(self.folder):
                self._refuse(self.folder)

    def __enter__(self) -> str:
        """The path of the new folder, empty."""
        start.at_end(self._leave)
        with self._cannot():
            self._make(os.path.dirname(self.folder))
            self.new = os.path.join(self.beside.__enter__(), "new")
            os.mkdir(self.new)
        return self.new

    def _make(self, folder: str) -> None:
        """Make a folder and those above it, as far as they are missing."""
        if not os.path.isdir(folder):
            self._make(os.path.dirname(folder))
            self.made.append(folder)
            os.mkdir(folder)

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        """Let the folders change places, or throw the new one away."""
        try:
            if error is None or isinstance(error, OSError):
                with self._cannot():
                    if error:
                        raise error
                    self._finish()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Remove what is hidden, and folders above that were made for nothing."""
        self.beside.remove()
        for folder in reversed(self.made):
            with contextlib.suppress(OSError):  # it holds something
                os.rmdir(folder)

    def _finish(self) -> None:
        written = [entry.path for entry in files.walk(self.new) if not entry.is_folder]
        lines = [f"{files.sha256(self.new, path)}  {path}\n" for path in sorted(written)]
        files.write_text(self.new, SUMS, "".join(lines))
        if not os.path.lexists(self.folder):
            os.rename(self.new, self.folder)
            return
        files.resemble(self.new, os.stat(self.folder, follow_symlinks=False))
        _swap(self.new, self.folder)
        try:
            self._refuse(self.new)  # for what has come since the first look
        except BaseException:
            _swap(self.new, self.folder)
            raise

    @contextlib.contextmanager
    def _cannot(self) -> Iterator[None]:
        """Say why the system cannot write."""
        try:
            yield
        except UnicodeError as error:
            raise CannotRun(f"cannot write {self.folder}: its name is not UTF-8") from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            # Not every mount point is known as one before.
            busy = "it is a mount point or in use, name a new folder inside it"
            what = busy if error.errno == errno.EBUSY else f"{where}{error.strerror or error}"
            why = f"{what}; nothing changed"
            raise CannotRun(f"cannot write {self.folder}: {why}") from error

    def _writable(self) -> None:
        """Raise CannotRun where it is known now that writing will fail at the end."""
        if os.path.ismount(self.folder):
            advice = "name a new folder inside it"
            raise CannotRun(f"will not replace {self.folder}: it is a mount point; {advice}")
        parent = os.path.dirname(self.folder)
        while not os.path.lexists(parent):
            parent = os.path.dirname(parent)
        for place in (parent, self.folder) if os.path.isdir(self.folder) else (parent,):
            if not os.path.isdir(place) or not os.access(place, os.R_OK | os.W_OK | os.X_OK):
                why = "may not be written to" if os.path.isdir(place) else "is no folder"
                raise CannotRun(f"cannot write {self.folder}: {place} {why}")

    def _refuse(self, found: str) -> None:
        """Raise CannotRun where a folder is not empty and not wholly made of files that are ours.

        It is at the place of the target, or was.
        """
        if os.path.islink(found) or not os.path.isdir(found):
            raise CannotRun(f"will not write to {self.folder}: it is no folder")
        sums = _listed(found)
        ours = sums if self.ours(set(sums)) else {}
        folders = {path[: match.start()] for path in ours for match in re.finditer("/", path)}
        for entry in files.walk(found):
            if entry.path in folders if entry.is_folder else self._same(found, entry, ours):
                continue
            what = entry.path + ("/" if entry.is_folder else "")
            changed = ", which has changed since it was written" * (entry.path in ours)
            advice = f"it holds {what}{changed}; name a new or empty folder"
            raise CannotRun(f"will not replace {self.folder}: {advice}")

    def _same(self, found: str, entry: files.Entry, ours: dict[str, str]) -> bool:
        if entry.strange or not ours or not os.access(os.path.join(found, entry.path), os.R_OK):
            return False
        if entry.path == SUMS:
            return True
        return entry.path in ours and ours[entry.path] == files.sha256(found, entry.path)


def _listed(folder: str) -> dict[str, str]:
    """The files that the sums in a folder list, with their hashes; none where they cannot be read.

    A path stands for one file only, whatever the system makes of it.
    """
    try:
        lines = files.read(folder, SUMS).decode().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {path: value for value, _, path in (line.partition("  ") for line in lines)}


def _outside(folder: str, root: str) -> None:
    """Raise CannotRun for a folder around the package, or with what belongs to it."""
    root, real = os.path.realpath(root), os.path.realpath(folder)
    if os.path.join(root, "").startswith(os.path.join(real, "")):
        raise CannotRun(f"will not write over the package itself: {folder}")
    inside = os.path.relpath(real, root).split(os.sep) if real.startswith(root + os.sep) else []
    if inside and (len(inside) > 1 or files.HIDDEN.match(inside[0]) or inside[0].lower() in _OWN):
        advice = "name a folder beside datapackage.json, or one elsewhere"
        raise CannotRun(f"will not write into the package itself: {folder}; {advice}")


def _swap(new: str, folder: str) -> None:
    """Let two folders change places at once where the system can, else one after the other."""
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
