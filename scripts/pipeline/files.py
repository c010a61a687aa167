"""The one place that opens files, and the one that writes them, but where a library has to.

What is read of a package is a plain file below the folder that was named: never through a link, a
pipe or a device, never hidden, never without bound. A file is replaced whole or not at all.
"""

import contextlib
import errno
import importlib
import io
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from pipeline import start
from pipeline.issue import CannotRun, show

# No file of a package is larger, no folder deeper.
MAX_BYTES = 1 << 30
MAX_DEPTH = 32
_BLOCK = 1 << 20
# The only file of a package whose name begins with a dot.
_SHOWN = ".zenodo.json"
# Hidden, or the name by which Windows knows a hidden folder such as .git as well.
HIDDEN = re.compile(r"\.|.*~[0-9]")
# By descriptors of folders, so that no folder can become a link between a look and a step.
_SAFE = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# What hashlib does without OpenSSL.
_LEAN = "_sha2" if sys.version_info >= (3, 12) else "_sha256"
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


class Entry(NamedTuple):
    """A file or folder below another: its path inside, with `/`, and what it is if it is neither.

    `strange` is None for a plain file and a folder.
    """

    path: str
    is_folder: bool
    strange: str | None


def strange(root: str, path: str) -> str | None:
    """What on the way to a path below a folder is hidden or a link; None where nothing is.

    The folder itself may be a link: whoever ran the command has named it.
    """
    parts = path.split("/")
    for number in range(1, len(parts) + 1):
        part = "/".join(parts[:number])
        if path != _SHOWN and HIDDEN.match(parts[number - 1]):
            return f"{show(part)} is hidden"
        if os.path.islink(os.path.join(root, part)):
            return f"{show(part)} is a link"
    return None


def _strange(mode: int, is_folder: bool) -> str | None:
    if stat.S_ISLNK(mode):
        return "is a link"
    if is_folder:
        return None if stat.S_ISDIR(mode) else "is no folder"
    if stat.S_ISDIR(mode):
        return "is a folder"
    return None if stat.S_ISREG(mode) else "is a pipe or a device"


def opened(root: str, path: str, limit: int = MAX_BYTES) -> io.BufferedReader:
    """A plain file below a folder, open to be read.

    Raises OSError, whose `strerror` says why it is not: it is not there, it is something else, it
    is hidden or behind a link, or it is larger than `limit` bytes.
    """
    try:
        with _folder(root, path) as (place, name):
            # Without descriptors, every folder on the way could be a link.
            if any(map(HIDDEN.match, path.split("/"))) or not _SAFE:
                _refuse(root, path)
            return _plain(place, name, path, limit)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):  # a link is no folder
            _refuse(root, path)
        raise


def named(path: str, limit: int) -> io.BufferedReader:
    """A plain file that whoever runs a command has named, by a link or not, open to be read.

    Raises OSError as `opened` does.
    """
    return _plain(None, path, path, limit, follow=True)


def _plain(
    place: int | None, name: str, path: str, limit: int, *, follow: bool = False
) -> io.BufferedReader:
    """The plain file of a name in a folder; messages call it by its path."""
    # Looked at before it is opened, which means something to some devices, and afterwards.
    mode = os.stat(name, dir_fd=place, follow_symlinks=follow).st_mode
    if why := _strange(mode, False):
        raise OSError(errno.ELOOP if stat.S_ISLNK(mode) else errno.EINVAL, why, path)
    handle = os.open(name, _READ if follow else _READ | _NO_LINK, dir_fd=place)
    status = os.fstat(handle)
    file: io.BufferedReader = io.BufferedReader(_AsItWas(handle, path, status.st_size))
    why, code = _strange(status.st_mode, False), errno.EINVAL
    if status.st_size > limit:
        why, code = f"is larger than {limit:,} bytes", errno.EFBIG
    if why:
        file.close()
        raise OSError(code, why, path)
    return file


def _refuse(root: str, path: str) -> None:
    """Raise OSError where something on the way to a path is hidden or a link."""
    if why := strange(root, path):
        raise OSError(errno.EINVAL, why, path)


class _AsItWas(io.FileIO):
    """A file that is read as far as it went when it was opened; one may grow without end."""

    def __init__(self, handle: int, path: str, size: int):
        super().__init__(handle)
        self._path = path
        self._left = size

    def readinto(self, buffer: Any, /) -> int | None:
        """Read into a buffer. Raises CannotRun where more is there than was at first."""
        size = super().readinto(buffer)
        self._left -= size or 0
        if self._left < 0:
            raise CannotRun(f"{self._path} grew while it was read; run the command again")
        return size


@contextlib.contextmanager
def _folder(root: str, path: str) -> Iterator[tuple[int | None, str]]:
    """The folder of a path as a descriptor, reached through no link, and the name in it.

    Where the system has no such descriptors, None and the whole path.
    """
    *folders, name = path.split("/")
    if not _SAFE:
        yield None, os.path.join(root, *folders, name)
        return
    place = os.open(root, _FOLDER)
    try:
        for folder in folders:
            above, place = place, os.open(folder, _FOLDER | _NO_LINK, dir_fd=place)
            os.close(above)
        yield place, name
    finally:
        os.close(place)


def read(root: str, path: str, limit: int = MAX_BYTES) -> bytes:
    """The content of a plain file below a folder. Raises OSError as `opened` does."""
    with opened(root, path, limit) as file:
        return file.read(limit)


def hasher(size: int = MAX_BYTES) -> Any:
    """What makes the SHA-256 of about so many bytes, as hashlib does."""
    # Of few bytes, as the module random does it: to load OpenSSL takes longer than to hash these.
    with contextlib.suppress(ImportError):
        if size < _BLOCK:
            return importlib.import_module(_LEAN).sha256()
    import hashlib

    return hashlib.sha256()


def sha256(root: str, path: str) -> str:
    """The SHA-256 of a plain file below a folder, in hexadecimal. Raises OSError."""
    import hashlib

    with opened(root, path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def judged(root: str, path: str, known: str) -> Iterator[bytes]:
    """The content, block by block, of a plain file that had this SHA-256 when it was judged.

    Raises CannotRun where it is another now, at the end; what came before is not to be used.
    """
    digest = hasher()
    try:
        file = opened(root, path)
    except OSError as error:
        why = error.strerror or error
        raise CannotRun(f"{path} was checked and cannot be read again: {why}") from error
    with file:
        while block := file.read(_BLOCK):
            digest.update(block)
            yield block
    if digest.hexdigest() != known:
        raise CannotRun(f"{path} was changed after it was checked; run the command again")


def own(*path: str) -> str:
    """The text of a file of ours or of a library, trusted like the code beside it."""
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def walk(root: str, folder: str = "") -> Iterator[Entry]:
    """Everything below a folder inside another, in order; no link is followed.

    Raises OSError where a folder cannot be listed, is a link, or is more than MAX_DEPTH deep.
    """
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        if place.count("/") >= MAX_DEPTH:
            raise OSError(errno.ELOOP, f"folders are nested more than {MAX_DEPTH} deep", place)
        if place and os.path.islink(os.path.join(root, place)):
            raise OSError(errno.EINVAL, "is a link", place)
        with os.scandir(os.path.join(root, place)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            path = f"{place}/{entry.name}".lstrip("/")
            is_folder = entry.is_dir(follow_symlinks=False)
            mode = entry.stat(follow_symlinks=False).st_mode
            yield Entry(path, is_folder, _strange(mode, is_folder))
        waiting += [
            f"{place}/{entry.name}".lstrip("/")
            for entry in reversed(entries)
            if entry.is_dir(follow_symlinks=False)
        ]


def resemble(new: str | int, old: os.stat_result) -> None:
    """Give a file or folder the mode of another, and its owner where the system lets us."""
    if hasattr(os, "chown"):
        with contextlib.suppress(PermissionError):
            os.chown(new, old.st_uid, old.st_gid)
    os.chmod(new, stat.S_IMODE(old.st_mode))


def replace(root: str, path: str, content: bytes, before: bytes | None) -> None:
    """Put a file below a folder in place of the one that was read, at once.

    `before` is what was read there, None where nothing was; mode and owner stay. Raises CannotRun
    where something else is there now, it is reached through a link, or it cannot be written.
    """
    try:
        why = strange(root, path) or _changed(root, path, before)
        if why:
            raise CannotRun(f"will not write {path}: {why}")
        with _folder(root, path) as (place, name), contextlib.ExitStack() as stack:
            new = os.path.join(os.path.dirname(name), f".{os.urandom(8).hex()}")
            # From the folder itself, whatever happens; else by its path when all is over.
            start.at_end(partial(_unlink, os.path.join(root, os.path.dirname(path), new), None))
            stack.callback(_unlink, new, place)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with open(os.open(new, flags, 0o666, dir_fd=place), "wb") as file:
                file.write(content)
                if before is not None:
                    old = os.stat(name, dir_fd=place, follow_symlinks=False)
                    resemble(file.fileno() if _SAFE else os.path.join(root, new), old)
            os.replace(new, name, src_dir_fd=place, dst_dir_fd=place)
    except OSError as error:
        raise CannotRun(f"cannot write {path}: {error.strerror or error}") from error


def _changed(root: str, path: str, before: bytes | None) -> str | None:
    """Why a file is not the one that was read, or None where it is."""
    place = os.path.join(root, path)
    if before is None:
        return "it was written meanwhile; run this again" if os.path.lexists(place) else None
    if not os.access(place, os.W_OK):
        return "it is read-only"
    return None if read(root, path) == before else "it has changed meanwhile; run this again"


def _unlink(path: str, place: int | None) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path, dir_fd=place)


def write_text(folder: str, name: str, text: str) -> None:
    """Write a file in UTF-8 with the line ends that the text has, on every system."""
    write_bytes(folder, name, [text.encode()])


def write_bytes(folder: str, name: str, blocks: Iterable[bytes]) -> None:
    """Write a new file below a folder, and the folders on the way to it that are not there."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.writelines(blocks)


def write_json(folder: str, name: str, value: object) -> None:
    """Write a file with a value as JSON for people to read. Raises ValueError for NaN."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    write_text(folder, name, f"{text}\n")
