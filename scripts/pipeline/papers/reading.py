"""Opens a file of papers and tells its format by what stands in it."""

import codecs
import io
import os
from collections.abc import Iterator

from pipeline.issue import CannotRun, show
from pipeline.papers import Record, bibtex, csl_json, medline, ris

FORMATS = "PubMed (.nbib), RIS, BibTeX or CSL-JSON"
# More than a hundred thousand records with their abstracts.
MAX_BYTES = 1 << 28
_HEAD = 1 << 16


def read(path: str) -> Iterator[Record]:
    """The papers of a file, one after the other.

    Raises CannotRun where it cannot be opened, is not in UTF-8, is in none of the formats, or is
    cut off; what came before has then been yielded.
    """
    text = _text(path)
    head = text[:_HEAD]
    number = 0
    if medline.BEGINS.search(head):
        records = medline.read(io.StringIO(text), path)
    elif ris.BEGINS.search(head):
        records = ris.read(io.StringIO(text), path)
    elif csl_json.BEGINS.match(head):
        records = csl_json.read(text, path)
    elif bibtex.BEGINS.search(head):
        records = bibtex.read(text, path)
    else:
        raise CannotRun(f"{path}: is not in {FORMATS}{_advice(head)}")
    for number, record in enumerate(records, 1):  # noqa: B007
        yield record
    if not number:
        raise CannotRun(f"{path}: has no paper in it")


def _text(path: str) -> str:
    if not os.path.isfile(path):  # a pipe would be waited for without end
        raise CannotRun(f"{path}: is no file")
    if os.path.getsize(path) > MAX_BYTES:
        raise CannotRun(f"{path}: is larger than {MAX_BYTES >> 20} MiB; export it in parts")
    with open(path, "rb") as file:
        raw = file.read().removeprefix(codecs.BOM_UTF8)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw:
        raise CannotRun(f"{path}: is not a text in UTF-8; export it in UTF-8")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"byte {raw[error.start]:#04x} is not UTF-8; export it in UTF-8"
        raise CannotRun(f"{path}:{line}: {what}") from error
    if not text.strip():
        raise CannotRun(f"{path}: is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _advice(head: str) -> str:
    begin = head.lstrip()[:200]
    if begin.startswith("<"):
        return "; PubMed's other formats and pages cannot be read: choose the format PubMed"
    return f"; it begins with {show(begin[:30])}"
