"""Opens a file of papers and tells its format by what stands in it."""

import codecs
import errno
from collections.abc import Iterator
from itertools import chain, islice

from pipeline import files
from pipeline.issue import CannotRun, show
from pipeline.papers import Record, bibtex, csl_json, medline, ris

FORMATS = "PubMed (.nbib), RIS, BibTeX or CSL-JSON"
# More than a hundred thousand records with their abstracts.
MAX_BYTES = 1 << 28
# As many lines tell the format.
_HEAD = 1000


def read(path: str) -> Iterator[Record]:
    """The papers of a file, one after the other.

    Raises CannotRun where it cannot be opened, is not in UTF-8, is in none of the formats, or is
    cut off; what came before has then been yielded.
    """
    lines = _lines(path)
    start = list(islice(lines, _HEAD))
    head = "".join(start)
    lines = chain(start, lines)
    if medline.BEGINS.search(head):
        records = medline.read(lines, path)
    elif ris.BEGINS.search(head):
        records = ris.read(lines, path)
    elif csl_json.BEGINS.match(head):
        records = csl_json.read("".join(lines), path)
    elif bibtex.BEGINS.search(head):
        records = bibtex.read("".join(lines), path)
    elif head.strip():
        raise CannotRun(f"{path}: is not in {FORMATS}{_advice(head)}")
    else:
        raise CannotRun(f"{path}: is empty")
    number = 0
    for number, record in enumerate(records, 1):  # noqa: B007
        yield record
    if not number:
        raise CannotRun(f"{path}: has no paper in it")


def _lines(path: str) -> Iterator[str]:
    """The lines of a file, each with a line feed at its end where it has an end."""
    try:
        file = files.named(path, MAX_BYTES)
    except OSError as error:
        advice = "; export it in parts" if error.errno == errno.EFBIG else ""
        raise CannotRun(f"{path}: {error.strerror or error}{advice}") from error
    with file:
        for number, raw in enumerate(file, 1):
            if number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise CannotRun(f"{path}: is in UTF-16; export it in UTF-8")
            if b"\0" in raw:
                raise CannotRun(f"{path}:{number}: has a NUL in it, which no text has")
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                what = f"byte {raw[error.start]:#04x} is not UTF-8; export it in UTF-8"
                raise CannotRun(f"{path}:{number}: {what}") from error
            line = line.replace("\r\n", "\n")
            if "\r" in line:  # lines of an old Macintosh
                yield from (f"{part}\n" for part in line.removesuffix("\n").split("\r"))
            else:
                yield line


def _advice(head: str) -> str:
    begin = head.lstrip()[:200]
    if begin.startswith("<"):
        return "; PubMed's other formats and pages cannot be read: choose the format PubMed"
    return f"; it begins with {show(begin[:30])}"
