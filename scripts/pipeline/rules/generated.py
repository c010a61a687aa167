"""Rules on what is generated: documents, and what stands between marks in others."""

from collections.abc import Iterator

from pipeline import documents
from pipeline.issue import Fault, listed
from pipeline.package import Package
from pipeline.rules import REGISTRY, package_rule


@package_rule("stale-document", fix=True, last=True)
def stale_document(package: Package) -> Iterator[Fault]:
    """What is generated from schemas and rules is as it would be generated now."""
    yield from _stale(package, documents.of_schemas(package, REGISTRY))


@package_rule("generated-marks", "put each mark there once, and its end below it")
def generated_marks(package: Package) -> Iterator[Fault]:
    """What is generated inside of a document stands between one mark and its end."""
    for path, line, mark in documents.unpaired(package):
        yield Fault(path, line, "", f"{mark} and its end are not there once each, in this order")


@package_rule(
    "stale-evidence",
    "run scripts/validate.py --fix; without tables to draw from, delete the marks",
    quick=False,
    last=True,
)
def stale_evidence(package: Package) -> Iterator[Fault]:
    """What README.md says and shows of the tables together is as it would be generated now."""
    yield from _stale(package, documents.of_evidence(package))
    for path, line in documents.without_tables(package):
        yield Fault(path, line, "", "the package has no tables from which the numbers follow")


def _stale(package: Package, rendered: dict[str, str]) -> Iterator[Fault]:
    lines = {
        path: line
        for path, text in rendered.items()
        if (line := documents.first_difference(package.text(path), text))
    }
    if lines:
        path, *others = lines
        more = f", nor is {listed(others)}" if others else ""
        yield Fault(path, lines[path], "", f"is not as it is generated now{more}")
