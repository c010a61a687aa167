"""Add papers from a reference manager or PubMed, and check those that are there. See `--help`."""

import os
import sys

# Whatever comes before the guard does not end like a fault of the package either.
sys.excepthook = lambda *_: os._exit(2)
# Python leaves the folder of the script out where it was told to be safe.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pipeline import start

start.guard()

import argparse

from pipeline import cli, rules
from pipeline.issue import CannotRun, show, visible, visible_json
from pipeline.package import Package
from pipeline.papers import report
from pipeline.papers.adding import Adding
from pipeline.papers.checking import Checking
from pipeline.papers.links import links
from pipeline.papers.reading import FORMATS, read
from pipeline.papers.report import Report

DESCRIPTION = f"""\
Add papers to the package from files that reference managers and PubMed export, and check the
papers and figures that are there against such files: {FORMATS}.
Nothing is fetched from anywhere, and nothing of an abstract is written.
"""
EPILOG = """\
exit code: 0 done, 1 add: a paper was refused; check --strict: something to look at, 2 could not run

examples:
  papers.py links                          what to paste into PubMed
  papers.py add new.nbib                   write rows into data/citations.csv
  papers.py add library.ris --dry-run      only say what would be written
  papers.py check all.nbib more.ris        compare papers and figures with exports
"""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parse = cli.parser("papers.py", DESCRIPTION, EPILOG)
    commands = parse.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what, options in (
        ("add", "write rows for the papers of files; complete empty cells", _add_options),
        ("check", "compare papers and figures with files", _check_options),
        ("links", "print a PubMed query and the DOIs of the papers", _links_options),
    ):
        command = commands.add_parser(name, help=what, description=f"{what.capitalize()}.")
        command.add_argument(
            "--package",
            default=cli.ROOT,
            metavar="PACKAGE",
            help="a folder or a datapackage.json (default: the package of this script)",
        )
        options(command)
    return parse


def _add_options(command: argparse.ArgumentParser) -> None:
    _common(command)
    command.add_argument("--dry-run", action="store_true", help="write nothing")
    command.add_argument(
        "--allow-retracted",
        action="store_true",
        help="take in papers that were retracted or are a concern, and say so in their note",
    )


def _check_options(command: argparse.ArgumentParser) -> None:
    _common(command)
    command.add_argument("--strict", action="store_true", help="fail where there is a warning")


def _links_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=("text", "json"), default="text")


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", nargs="+", metavar="FILE", help=FORMATS)
    command.add_argument("--format", choices=report.WRITERS, default="text", help="default: text")


def run(options: argparse.Namespace) -> int:
    """Do what the options say; the exit code."""
    package = Package(options.package)
    try:
        return _run(package, options)
    except (ArithmeticError, LookupError, ValueError) as error:
        # A table with faults can break any of it; rows may be added beside those that matter less.
        if why := _unusable(package, error):
            raise CannotRun(why) from error
        raise


def _unusable(package: Package, error: Exception) -> str:
    """What is wrong with a package that could not be used, or nothing."""
    quick = [rule for rule in rules.load().values() if rule.quick and not rule.opinion]
    if what := rules.first_fault(Package(package.root), quick):
        return f"cannot use the package: {what}; validate and repair it first"
    names = {name for resource in package.resources for name in resource.names}
    if isinstance(error, KeyError) and error.args[0] not in names:
        return f"no table of the package has the field {show(error.args[0])}, which this needs"
    return ""


def _run(package: Package, options: argparse.Namespace) -> int:
    if options.command == "links":
        return _links(package, options)
    with cli.Progress() as progress:
        if options.command == "add":
            found, code = _add(package, options, progress.say)
        else:
            found, code = _check(package, options, progress.say)
    report.WRITERS[options.format](found, sys.stdout)
    return code


def _add(package: Package, options: argparse.Namespace, say: cli.Say) -> tuple[Report, int]:
    adding = Adding(package, options.allow_retracted)
    for path in options.files:
        say(path)
        adding.take(read(path))
    if not options.dry_run:
        adding.write()
    done = Report("add", adding.remarks, "")
    return done._replace(closing=_added(done, adding, options.dry_run)), int(adding.refused > 0)


def _added(done: Report, adding: Adding, dry_run: bool) -> str:
    counts = done.counts()
    said = ", ".join(
        f"{number:,} {what}"
        for what, number in (
            ("added", counts.get("added", 0)),
            ("completed", counts.get("completed", 0)),
            ("unchanged", counts.get("unchanged", 0)),
            ("refused", adding.refused),
        )
    )
    if dry_run or not adding.changed:
        return f"{said}; nothing was written"
    return f"{said}; wrote {adding.resource.path}: now run scripts/validate.py --fix"


def _check(package: Package, options: argparse.Namespace, say: cli.Say) -> tuple[Report, int]:
    checking = Checking(package)
    for path in options.files:
        say(path)
        checking.take(read(path))
    say("looking for figures")
    done = Report("check", checking.remarks(), "")
    counts = done.counts()
    papers = f"{len(checking.seen):,} of {len(checking.rows):,} papers are in the export"
    figures = ", ".join(
        f"{counts.get(f'figure-{kind}', 0):,} {kind.replace('-', ' ')}"
        for kind in ("found", "unsure", "not-found", "elsewhere")
    )
    cells = f"{counts.get('differs', 0):,} cells differ"
    done = done._replace(closing=f"{papers}; {cells}; figures in abstracts: {figures}")
    return done, int(options.strict and done.warned)


def _links(package: Package, options: argparse.Namespace) -> int:
    found = links(package)
    if options.format == "json":
        print(visible_json(found._asdict()))
        return 0
    print(f"PubMed query:\n{visible(found.pubmed_query)}\n\nDOIs:")
    print("\n".join(map(visible, found.dois)))
    if found.without:
        print(f"\nwithout PMID and DOI: {visible(', '.join(found.without))}")
    return 0


if __name__ == "__main__":
    cli.main(parser(), run)
