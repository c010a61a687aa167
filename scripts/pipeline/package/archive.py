"""Unpacks a zip, such as a downloaded release, so that it can be read like any folder.

Nothing is trusted that it says of itself: nothing is written outside of the folder that was named,
nothing without bound, and nothing that could not be removed again.
"""

import io
import lzma
import os
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from pipeline import files
from pipeline.issue import CannotRun, show
from pipeline.package import DESCRIPTOR

MAX_FILES = 10_000
# Tables compress well, but not like this; only a bomb does.
MAX_RATIO = 200
# What the names of so many files may take.
MAX_LISTING = 4 << 20
_CHUNK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ArithmeticError,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def unpack(path: str, folder: str) -> str:
    """Unpack a zip into a folder; the path of the descriptor inside it.

    Raises CannotRun where the file is no zip, is damaged, or would write elsewhere or without
    bound.
    """
    try:
        with _Zip(path) as file, zipfile.ZipFile(file) as archive:
            # As they are written: zipfile itself cuts a name at its first NUL.
            names = [member.orig_filename for member in archive.infolist()]
            refuse(path, names)
            members = [member for member in archive.infolist() if not member.is_dir()]
            _refuse_members(path, members)
            left = files.MAX_BYTES
            for member in members:
                # zipfile itself stops at the declared size, which was checked above.
                with archive.open(member) as source:
                    chunks = iter(partial(source.read, _CHUNK), b"")
                    left -= write(folder, member.filename, chunks, left)
    except _DAMAGED as error:
        raise CannotRun(f"cannot unpack {path}: {error}") from error
    except OSError as error:
        raise CannotRun(f"cannot unpack {path}: {error.strerror or error}") from error
    found = [name for name in names if name.rpartition("/")[2] == DESCRIPTOR]
    if not found:
        raise CannotRun(f"no data package: {path} has no {DESCRIPTOR}")
    depth = min(name.count("/") for name in found)
    nearest = [name for name in found if name.count("/") == depth]
    if len(nearest) > 1:
        raise CannotRun(f"{path} has several packages: {', '.join(nearest)}; unpack it, name one")
    return os.path.join(folder, nearest[0])


class _Zip(io.FileIO):
    """A zip whose list of names is not read where it is too long: zipfile reads it at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_LISTING:
            raise CannotRun(f"will not unpack {self.name}: it has more than {MAX_FILES:,} files")
        return super().read(size)


def refuse(what: str, names: Sequence[str]) -> None:
    """Raise CannotRun where files and folders with these names should not be written."""
    if len(names) > MAX_FILES:
        raise CannotRun(f"will not unpack {what}: it has more than {MAX_FILES:,} files")
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        if why := _unwritable(name):
            raise CannotRun(f"will not unpack {what}: {show(name)} {why}")
        if name in seen:
            raise CannotRun(f"will not unpack {what}: {show(name)} is there twice")
        seen.add(name)
        folders.update(name[: match.start()] for match in re.finditer("/", name))
        if len(folders) > MAX_FILES:
            raise CannotRun(f"will not unpack {what}: it has more than {MAX_FILES:,} folders")


def _unwritable(name: str) -> str | None:
    """Why a file or folder with this name should not be written."""
    if not name:
        return "is no name"
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        return "has a character that names must not have"
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        return "leads out of its folder"
    if name.count("/") > files.MAX_DEPTH:
        return f"is more than {files.MAX_DEPTH} folders deep"
    return None


def _refuse_members(path: str, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        if member.external_attr >> 28 == 0xA:
            raise CannotRun(f"will not unpack {path}: {show(member.filename)} is a link")
    size = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if size > files.MAX_BYTES or (size > _CHUNK and size > MAX_RATIO * packed):
        raise CannotRun(f"will not unpack {path}: it would grow to {size:,} bytes")


def write(folder: str, name: str, chunks: Iterable[bytes], left: int) -> int:
    """Write a file of an archive below a folder; its bytes, of which `left` are allowed."""
    size = 0

    def bounded() -> Iterator[bytes]:
        nonlocal size
        for chunk in chunks:
            size += len(chunk)
            if size > left:
                raise CannotRun(f"will not unpack further: {show(name)} is larger than it says")
            yield chunk

    files.write_bytes(folder, name, bounded())
    return size
