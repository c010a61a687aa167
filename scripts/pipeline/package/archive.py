"""Unpacks a downloaded release so that it can be validated like any folder.

Nothing is written outside of the folder that was asked for, and no more than MAX_BYTES.
"""

import lzma
import os
import shutil
import zipfile
import zlib

from pipeline.issue import CannotRun
from pipeline.package import DESCRIPTOR

MAX_FILES = 10_000
MAX_BYTES = 1 << 30
# Tables compress well, but not like this; only a bomb does.
MAX_RATIO = 200
_CHUNK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)


def unpack(path: str, folder: str) -> str:
    """Unpack a zip into a folder; the path of the descriptor inside it.

    Raises CannotRun where the file is no zip, is damaged, or would write elsewhere or without
    bound.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _refuse(path, members)
            left = MAX_BYTES
            for member in members:
                left -= _unpack(archive, member, folder, left)
    except _DAMAGED as error:
        raise CannotRun(f"cannot unpack {path}: {error}") from error
    except OSError as error:
        raise CannotRun(f"cannot unpack {path}: {error.strerror or error}") from error
    found = [member.filename for member in members if _is_descriptor(member.filename)]
    if not found:
        raise CannotRun(f"no data package: {path} has no {DESCRIPTOR}")
    depth = min(name.count("/") for name in found)
    nearest = [name for name in found if name.count("/") == depth]
    if len(nearest) > 1:
        raise CannotRun(f"{path} has several packages: {', '.join(nearest)}; unpack it, name one")
    return os.path.join(folder, nearest[0])


def _is_descriptor(name: str) -> bool:
    return name.rpartition("/")[2] == DESCRIPTOR


def _refuse(path: str, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_FILES:
        raise CannotRun(f"will not unpack {path}: it has more than {MAX_FILES:,} files")
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise CannotRun(f"will not unpack {path}: {name!r} leads out of its folder")
        if member.external_attr >> 28 == 0xA:
            raise CannotRun(f"will not unpack {path}: {name!r} is a link")
        if name in seen:
            raise CannotRun(f"will not unpack {path}: {name!r} is there twice")
        seen.add(name)
    size = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if size > MAX_BYTES or (size > _CHUNK and size > MAX_RATIO * packed):
        raise CannotRun(f"will not unpack {path}: it would grow to {size:,} bytes")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: str, left: int) -> int:
    target = os.path.join(folder, member.filename)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    # zipfile itself stops at the declared size, which was checked above.
    with archive.open(member) as source, open(target, "xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
        size = file.tell()
    if size > left:
        raise CannotRun(f"will not unpack further: {member.filename!r} is larger than it says")
    return size
