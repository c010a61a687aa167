"""Takes a package out of a git revision.

Only objects are asked for: no filter, hook, helper or other command that a repository configures is
run, nothing is fetched, and the checkout itself is not touched.
"""

import contextlib
import functools
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

from pipeline import files, folders, versions
from pipeline.issue import CannotRun, show
from pipeline.package import DESCRIPTOR, Package
from pipeline.package.archive import MAX_FILES, MAX_LISTING, refuse, write

# Longer than git needs for any object; it would wait for a pipe in place of one without end.
SECONDS = 60
_CHUNK = 1 << 20
_FIRST = re.compile(r"(?:\b(\w+)\s+)?(?:\b(?:the|our|its)\s+)?\bfirst\s+release\b", re.IGNORECASE)
_COMPARED = frozenset(
    {"about", "after", "as", "before", "by", "for", "from", "in", "like", "no", "not", "of"}
    | {"since", "than", "to", "unlike", "until", "with"}
)
# Where the files of a package are; an export has no others either.
_PARTS = (DESCRIPTOR, "data", "schemas")
# Nothing of the system, of the user or of the environment decides what git does.
_SANITIZED = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
# What a repository could configure; an older git knows no GIT_NO_LAZY_FETCH.
_OVERRULED = ("protocol.allow=never", "core.fsmonitor=false", f"core.hooksPath={os.devnull}")


def previous(package: Package) -> str | None:
    """The tag of the release before that of a package: of the highest version below its own.

    None only where there is none, which no missing tag proves alone: CHANGELOG.md has to call the
    version the first release. Raises CannotRun where it cannot be told.
    """
    version: str = package.descriptor.get("version", "")
    if not versions.is_version(version):
        raise CannotRun(f"the package has no version of its own: {show(version)}")
    if why := shallow(package.root):
        raise CannotRun(f"the previous release may not be here: {why}")
    if below := ask(package.root, "rev-parse", "--show-prefix").strip():
        raise CannotRun(f"its releases cannot be told: it is in {show(below)} of its repository")
    tags = ask(package.root, "for-each-ref", "--format=%(refname:strip=2)", "refs/tags/v*")
    found = {tag[1:] for tag in tags.splitlines() if versions.is_version(tag[1:])} - {version}
    before = [each for each in found if versions.order(each) < versions.order(version)]
    if before:
        return f"v{max(before, key=versions.order)}"
    if found:
        raise CannotRun(f"{version} comes before v{min(found, key=versions.order)}, the first tag")
    if "tagopt=--no-tags" in ask(package.root, "config", "--local", "--list").lower():
        raise CannotRun("this clone was made without tags; git fetch --tags gets them")
    if not _is_called_first(version, package.text("CHANGELOG.md") or ""):
        advice = f"git fetch --tags, or call {version} the first release in CHANGELOG.md if it is"
        raise CannotRun(f"there is no tag of a release before {version} here; {advice}")
    return None


def _is_called_first(version: str, changelog: str) -> bool:
    """Whether the entry of a version calls it the first release, and no other entry does."""
    entries = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    first = [entry for entry in entries if any(map(_is_itself, _FIRST.finditer(entry)))]
    return len(first) == 1 and first[0].startswith(f"[{version}]")


def _is_itself(found: re.Match[str]) -> bool:
    """Whether the words mean the version at hand, and not the one that it is compared with."""
    return (found[1] or "").lower() not in _COMPARED


def check_out(name: str, place: str, folder: str) -> str:
    """Take the package out of a git revision into a folder; the path of its descriptor."""
    try:
        # A hyphen would make an option of it, a caret an exclusion.
        if name.startswith(("-", "^")):
            raise CannotRun("it begins as no name does")
        commit = ask(place, "rev-parse", "--verify", f"{name}^{{commit}}").strip()
    except CannotRun as error:
        what = "is no file or folder, and no git revision in this checkout"
        with contextlib.suppress(CannotRun):
            error = CannotRun("; ".join(filter(None, (str(error), shallow(place)))))
        raise CannotRun(f"{show(name)} {what}: {error}") from error
    listing = ask(place, "ls-tree", "-r", "-t", "-z", "-l", "--full-tree", commit, *_PARTS)
    entries = [entry.partition("\t") for entry in listing.split("\0") if entry]
    what = f"the revision {name}"
    refuse(what, [path for _, _, path in entries])
    blobs: dict[str, tuple[str, int]] = {}
    for facts, _, path in entries:
        mode, kind, oid, size = facts.split()
        if kind == "tree":
            continue
        if mode not in ("100644", "100755", "100664"):
            strange = "a link" if mode == "120000" else "another repository"
            raise CannotRun(f"will not unpack {what}: {show(path)} is {strange}")
        if not size.isdigit():
            advice = "git fetch gets it"
            raise CannotRun(f"{what} has no {show(path)} here: the clone is partial; {advice}")
        blobs[path] = oid, int(size)
    if DESCRIPTOR not in blobs:
        raise CannotRun(f"no data package: {what} has no {DESCRIPTOR}")
    if (total := sum(size for _, size in blobs.values())) > files.MAX_BYTES:
        raise CannotRun(f"will not unpack {what}: it would grow to {total:,} bytes")
    try:
        _write_blobs(place, blobs, folder)
    except OSError as error:
        raise CannotRun(f"cannot unpack {what}: {error.strerror or error}") from error
    return os.path.join(folder, DESCRIPTOR)


def _write_blobs(place: str, blobs: dict[str, tuple[str, int]], folder: str) -> None:
    """Write the content of objects of git, by the paths of their files, as it is stored."""
    with tempfile.TemporaryFile(dir=folders.temporary()) as asked:
        asked.write("".join(f"{oid}\n" for oid, _ in blobs.values()).encode())
        asked.seek(0)
        with _running(place, "cat-file", "--batch", stdin=asked) as answer:
            for path, (oid, size) in blobs.items():
                head = answer.readline(_CHUNK).decode(errors="replace").strip()
                if head != f"{oid} blob {size}":
                    raise CannotRun(f"git has another {show(path)}: {head}")
                if (
                    write(folder, path, _chunks(answer, size), size) != size
                    or answer.read(1) != b"\n"
                ):
                    raise CannotRun(f"git has only half of {show(path)}")


def _chunks(answer: IO[bytes], size: int) -> Iterator[bytes]:
    """The next bytes of an answer, so many of them as there are."""
    while size and (chunk := answer.read(min(size, _CHUNK))):
        size -= len(chunk)
        yield chunk


def shallow(place: str) -> str:
    """What to do about a clone without its whole history; nothing where it has it."""
    if ask(place, "rev-parse", "--is-shallow-repository").strip() != "true":
        return ""
    return "this clone is shallow, git fetch --unshallow --tags gets the rest"


def ask(place: str, *arguments: str) -> str:
    """What git prints. Raises CannotRun with all that it says where it fails."""
    with _running(place, *arguments) as answer:
        found = answer.read(MAX_LISTING + 1)
        if len(found) > MAX_LISTING:
            raise CannotRun(f"will not unpack it: it has more than {MAX_FILES:,} files")
    return os.fsdecode(found)


@contextlib.contextmanager
def _running(
    place: str, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL
) -> Iterator[IO[bytes]]:
    """What git prints, while it runs in a folder."""
    if shutil.which("git") is None:
        raise CannotRun("git is not installed")
    overruled = (word for setting in (*_OVERRULED, *_trusted()) for word in ("-c", setting))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    with tempfile.TemporaryFile(dir=folders.temporary()) as said:
        process = subprocess.Popen(
            ["git", "--no-pager", *overruled, *arguments],
            cwd=place,
            env=environment | _SANITIZED,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        limit = threading.Timer(SECONDS, process.kill)
        with process, contextlib.ExitStack() as stack:
            stack.callback(limit.cancel)
            stack.callback(process.kill)
            try:
                limit.start()
            except RuntimeError as error:  # there is no memory for it
                raise MemoryError from error
            assert process.stdout is not None
            yield process.stdout
            rest = process.stdout.read(1)
            code = process.wait()
        said.seek(0)
        words = " ".join(said.read(_CHUNK).decode(errors="replace").split())
        # What git cannot read it passes over, and calls it a success.
        if code or rest or words.startswith("warning: ignoring"):
            raise CannotRun(words or f"git ended with {code} after at most {SECONDS} seconds")


@functools.cache
def _trusted() -> list[str]:
    """The folders that the user and the system trust although they belong to somebody else."""
    found: list[str] = []
    for whose in ("--system", "--global"):
        done = subprocess.run(
            ["git", "config", whose, "--null", "--get-all", "safe.directory"],
            cwd=os.path.abspath(os.sep),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
        found += [f"safe.directory={each}" for each in os.fsdecode(done.stdout).split("\0") if each]
    return found
