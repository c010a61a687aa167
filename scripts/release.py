"""Build the release artifacts of the data package. `--help` says how."""

import os
import sys

# Whatever comes before the guard does not end like a fault of the package either.
sys.excepthook = lambda *_: os._exit(2)
# Python leaves the folder of the script out where it was told to be safe.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pipeline import start

start.guard()

import argparse

from pipeline import cli, documents, files, report, rules
from pipeline.folders import Target, Temporary
from pipeline.formats import bundle, registry
from pipeline.issue import CannotRun, visible
from pipeline.package import Package
from pipeline.package.document import MAX_JSON_BYTES
from pipeline.validation import validate

EPILOG = """\
A release has a zip each for CSV, JSON, Parquet and the knowledge graph and one with
everything, which is a data set with its card, the page, the tables as a SQLite database,
the papers as BibTeX, CSL-JSON and RIS, the mappings as SSSOM, a Croissant description,
manifest.json and SHA256SUMS. Built twice from the same package with the same tools, it is
the same byte for byte.

exit code: 0 built, 1 the package has faults, 2 could not run
"""
# What every zip carries beside its tables, where the package has it.
_BESIDE = ("CHANGELOG.md", "CITATION.cff", "LICENSE")
_DICTIONARY = "docs/data-dictionary.md"


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    what = "Validate a data package and build its release artifacts."
    parse = cli.parser("release.py", what, EPILOG)
    parse.add_argument("folder", metavar="DIR", help="new, empty, or with an earlier release")
    parse.add_argument(
        "package",
        nargs="?",
        default=cli.ROOT,
        metavar="PACKAGE",
        help="a folder or a datapackage.json (default: the package of this script)",
    )
    return parse


def run(options: argparse.Namespace) -> int:
    """Validate, write every format, and bundle them; the exit code."""
    package = Package(options.package)
    target = Target(options.folder, package.root, bundle.is_release)
    selected = [rule for rule in rules.load().values() if rule.kind != "release"]
    found = report.Report(package.root, selected, 100)
    with cli.Progress() as progress:
        validate(package, selected, None, found, progress.say, export=True)
    report.WRITERS["text"](found, sys.stdout)
    if found.failed:
        return 1
    with target as new, cli.Progress() as progress:
        build(package, new, progress.say)
        count = len(os.listdir(new)) + 1  # SHA256SUMS
    print(f"built {count} files in {visible(options.folder)}")
    return 0


def build(package: Package, folder: str, say: cli.Say) -> None:
    """Build every artifact of a release of a valid package into an empty folder."""
    with Temporary() as made, Temporary() as beside:
        registry.write_each((*registry.EXPORT, *registry.RELEASE), package, made, say)
        for path, text in documents.render(package, rules.REGISTRY).items():
            place, name = os.path.split(path)
            if place == "schemas/json":
                files.write_text(os.path.join(made, "json/schemas"), name, text)
            elif path == _DICTIONARY:
                files.write_text(beside, name, text)
        for name in _BESIDE:
            if (carried := package.text(name)) is not None:
                files.write_text(beside, name, carried)
            elif os.path.lexists(os.path.join(package.root, name)):
                most = f"of at most {MAX_JSON_BYTES >> 20} MiB"
                raise CannotRun(f"a release cannot carry {name}: it is no text in UTF-8 {most}")
        say("writing the zips")
        bundle.write(package, made, beside, folder)


if __name__ == "__main__":
    cli.main(parser(), run)
