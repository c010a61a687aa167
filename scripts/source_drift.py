"""Compare the source page of today with the sentences that were recorded; `--help` says how.

The wording of the page is not licensed, so that the package has only a hash of each sentence. The
page is read from a file or from standard input; its sentences are printed, and written nowhere.
"""

import os
import sys

# Whatever comes before the guard does not end like a fault of the package either.
sys.excepthook = lambda *_: os._exit(2)
# Python leaves the folder of the script out where it was told to be safe.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pipeline import start

start.guard()

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from pipeline import cli, files
from pipeline.issue import CannotRun, show, visible, visible_json
from pipeline.package import Package
from pipeline.source_page import (
    MAX_PAGE_BYTES,
    STATUSES,
    Finding,
    Page,
    Passage,
    Sentence,
    compare,
    decoded,
    read,
    recorded,
)

DESCRIPTION = """\
Say which recorded sentences of the source page have changed, and which statements to
review.
"""
EPILOG = """\
exit code: 0 the page is as recorded, 1 it has changed, 2 could not run

PAGE is plain text: what a browser copies or saves as text, or the source of the wiki page.
Headings, references and footer may stay; they are left out.
"""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parse = cli.parser("source_drift.py", DESCRIPTION, EPILOG)
    add = parse.add_argument
    add("page", metavar="PAGE", help="a file with the text of the page; - for standard input")
    add(
        "--package",
        default=cli.ROOT,
        metavar="DIR",
        help="a folder or a datapackage.json (default: the package of this script)",
    )
    add(
        "--format",
        choices=("text", "json"),
        default="text",
        help="default: text; json has no wording",
    )
    return parse


def run(options: argparse.Namespace) -> int:
    """Do what the options say; the exit code."""
    passages = recorded(Package(options.package))
    name = "standard input" if options.page == "-" else options.page
    page = read(decoded(bytes_of(options.page), name), {passage.sha256 for passage in passages})
    if not page.sentences:
        raise CannotRun(f"no sentence in {name}; it takes the text of the whole page")
    findings = list(compare(passages, page.sentences))
    print((as_json if options.format == "json" else as_text)(findings, page))
    return int(any(finding.status != "unchanged" for finding in findings))


def bytes_of(page: str) -> bytes:
    """The content of a file, or of standard input for "-", up to one byte too many."""
    if page == "-":
        return sys.stdin.buffer.read(MAX_PAGE_BYTES + 1)
    with files.named(page, files.MAX_BYTES) as file:
        return file.read(MAX_PAGE_BYTES + 1)


def as_text(findings: list[Finding], page: Page) -> str:
    """Some lines for each sentence to look at, what was left out, and a closing line."""
    drifted = [finding for finding in findings if finding.status != "unchanged"]
    lines = list(chain.from_iterable(map(_lines_of, drifted)))
    lines += [f"left out as a heading: {show(heading)}" for heading in page.headings]
    if page.references:
        lines.append(f"left out as references and footer: {page.references} paragraphs")
    counts = Counter(finding.status for finding in findings)
    lines.append(", ".join(f"{counts[status]} {status}" for status in STATUSES))
    return "\n".join(lines)


def _lines_of(finding: Finding) -> Iterator[str]:
    status, passage, found = finding
    if passage is None:
        yield f"new: {_place(found)}; no statement rests on it"
    else:
        now = f", now {_place(found)}" if found and _place(found) != _place(passage) else ""
        to_do = "renumber it for" if status == "moved" else "review"
        statements = ", ".join(passage.statements) or "no statement"
        yield visible(
            f"{status}: {passage.passage_id}, {_place(passage)}{now}; {to_do} {statements}"
        )
    if found and status != "moved":
        yield f"    {visible(found.text)}"
        yield f"    sha256 {found.sha256}"


def _place(of: Passage | Sentence | None) -> str:
    if of is None:
        return "nowhere"
    return f"paragraph {of.paragraph}, sentence {of.sentence}"


def as_json(findings: list[Finding], page: Page) -> str:
    """One JSON object with every finding: places and hashes, but no wording of the page."""
    counts = Counter(finding.status for finding in findings)
    result = {
        "drift": counts["unchanged"] < len(findings),
        "counts": {status: counts[status] for status in STATUSES},
        "left_out": {"headings": len(page.headings), "references": page.references},
        "sentences": [
            {
                "status": status,
                "passage_id": passage and passage.passage_id,
                "recorded": passage and _facts(passage),
                "found": found and _facts(found),
                "statements": passage.statements if passage else [],
            }
            for status, passage, found in findings
        ],
    }
    return visible_json(result)


def _facts(of: Passage | Sentence) -> dict[str, int | str]:
    return {"paragraph": of.paragraph, "sentence": of.sentence, "sha256": of.sha256}


if __name__ == "__main__":
    cli.main(parser(), run)
