"""Say what changed between two versions of the package. `--help` says how."""

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
from pipeline.cli import count
from pipeline.comparison import notes
from pipeline.comparison.changes import Comparison
from pipeline.issue import CannotRun
from pipeline.package import origin

DESCRIPTION = """\
Say what changed between two versions of a data package: tables, columns, rows, values,
and which version step that needs. A version is a folder, a datapackage.json, a zip, or a
git revision of the checkout in which this is run; OLD may also be "previous", the release
with the highest version below that of NEW, by the tags in the checkout of NEW.
"""
EPILOG = """\
exit code: 0 compared, 1 with --check: the version of NEW is too small, 2 could not run

examples:
  compare.py v1.2.0                            this package with a git revision
  compare.py release-1.2.0.zip . --check       and whether the version says what changed
  compare.py HEAD~1 HEAD --format markdown     two git revisions, as release notes
  compare.py previous --check                  this package with the release before it
"""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parse = cli.parser("compare.py", DESCRIPTION, EPILOG)
    add = parse.add_argument
    add("old", metavar="OLD", help="the earlier version")
    add(
        "new",
        nargs="?",
        default=cli.ROOT,
        metavar="NEW",
        help="the later version (default: the package of this script)",
    )
    add("--format", choices=notes.WRITERS, default="text", help="of the changes (default: text)")
    add("--check", action="store_true", help="fail where the version of NEW is too small")
    add("--limit", type=count, default=100, metavar="N", help="rows shown of each kind; 0: all")
    return parse


def run(options: argparse.Namespace) -> int:
    """Do what the options say; the exit code."""
    with origin.opened(options.new) as new, origin.earlier(options.old, new) as old:
        if old is None:
            if options.format == "json":
                raise CannotRun("there is no earlier release that JSON could name")
            print("The first release.")
            return 0
        rules.readable(old, options.old)
        rules.readable(new, options.new)
        found = Comparison(old, new)
    notes.WRITERS[options.format](found, sys.stdout, options.limit)
    if options.check and not found.is_enough:
        print(f"compare.py: {notes.verdict(found)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    cli.main(parser(), run)
