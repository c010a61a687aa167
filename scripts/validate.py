"""Validate the data package and export it. `--help` says how."""

import os
import sys

# Whatever comes before the guard does not end like a fault of the package either.
sys.excepthook = lambda *_: os._exit(2)
# Python leaves the folder of the script out where it was told to be safe.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pipeline import start

start.guard()

import argparse
import contextlib

from pipeline import cli, report, rules
from pipeline.issue import CannotRun, nearest, show, visible
from pipeline.package import Package, origin
from pipeline.rules import Rule
from pipeline.validation import validate

EPILOG = """\
exit code: 0 valid, 1 faults found, 2 could not run

examples:
  validate.py                       validate this package
  validate.py --export dist         and write CSV, JSON, Parquet and the page to dist/
  validate.py --fix                 repair what is mechanical, then validate
  validate.py release.zip           validate a downloaded release
  validate.py --since v1.2.0        and name ids that were lost since, and new findings
  validate.py --since previous      or since the one before, by the tags of the checkout
  validate.py --explain row-order   say what a rule is about
"""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    what = "Validate a data package; repair it; export it as CSV, JSON, Parquet and a page."
    parse = cli.parser("validate.py", what, EPILOG)
    add = parse.add_argument
    add(
        "package",
        nargs="?",
        default=cli.ROOT,
        metavar="PACKAGE",
        help="a folder, a datapackage.json or a zip (default: the package of this script)",
    )
    what = "write a valid package to DIR as CSV, JSON, Parquet and a page"
    add("--export", metavar="DIR", help=what)
    add("--fix", action="store_true", help="first repair what is mechanical, and say what")
    add("--quick", action="store_true", help="only the rules that need nothing but Python")
    earlier = "an earlier release: a folder, a zip, a git revision, or previous"
    add("--since", metavar="OLD", help=earlier)
    add("--format", choices=report.WRITERS, default="text", help="of the report (default: text)")
    add("--limit", type=cli.count, default=100, metavar="N", help="issues shown per rule; 0: each")
    add("--rule", action="append", default=[], metavar="ID", help="only this rule; may be repeated")
    add("--skip", action="append", default=[], metavar="ID", help="not this rule; may be repeated")
    add("--list-rules", action="store_true", help="list the rules and stop")
    add("--explain", metavar="ID", help="say what a rule is about and stop")
    return parse


def run(options: argparse.Namespace) -> int:
    """Do what the options say; the exit code."""
    registry = rules.load()
    if options.list_rules:
        for rule in registry.values():
            print(f"{rule.id:24} {rule.severity:8} {rule.sentence}")
        return 0
    if options.explain is not None:
        rule = registry[_known(options.explain)]
        print(f"{rule.id} ({rule.severity}, {rule.module})\n{rule.sentence}\nrepair: {rule.repair}")
        return 0
    selected = _select(options)
    if options.quick:
        # Nothing needs NumPy then; pyarrow would spend half of its own import on it.
        sys.modules["numpy"] = None  # type: ignore[assignment]
    with contextlib.ExitStack() as stack:
        return _validate(options, selected, stack)


def _known(name: str) -> str:
    if name in rules.REGISTRY:
        return name
    near = nearest(name, rules.REGISTRY)
    advice = f"did you mean {near}?" if near else "--list-rules lists them"
    raise CannotRun(f"there is no rule {show(name)}; {advice}")


def _select(options: argparse.Namespace) -> list[Rule]:
    wanted = {_known(name) for name in options.rule} or rules.REGISTRY.keys()
    unwanted = {_known(name) for name in options.skip}
    if options.export is not None and (
        options.quick or options.rule or unwanted - {"frictionless"}
    ):
        raise CannotRun("--export needs every rule; only the rule frictionless may be skipped")
    if options.since is None:
        since = {rule.id for rule in rules.REGISTRY.values() if rule.kind == "release"}
        if asked := sorted(since.intersection(options.rule)):
            raise CannotRun(f"the rule {asked[0]} needs an earlier release; name it with --since")
        unwanted |= since
    chosen = [
        rule
        for rule in rules.REGISTRY.values()
        if rule.id in wanted and rule.id not in unwanted and (rule.quick or not options.quick)
    ]
    if not chosen:
        raise CannotRun("nothing to check: no rule is left")
    return chosen


def _validate(
    options: argparse.Namespace, selected: list[Rule], stack: contextlib.ExitStack
) -> int:
    package = _opened(options, stack)
    earlier = None
    if options.since is not None:
        earlier = stack.enter_context(origin.earlier(options.since, package))
        if earlier is None:
            print("the first release: there is none to compare with", file=sys.stderr)
        else:
            rules.readable(earlier, options.since)
    if options.export is not None:
        from pipeline.formats import registry

        registry.target(package, options.export)
    shown = package.root if os.path.isdir(options.package) else options.package
    found = report.Report(shown, selected, options.limit)
    with cli.Progress() as progress:
        validate(package, selected, earlier, found, progress.say, options.export is not None)
    report.WRITERS[options.format](found, sys.stdout)
    if found.failed:
        return 1
    if options.export is not None:
        registry.write(package, options.export)
    return 0


def _opened(options: argparse.Namespace, stack: contextlib.ExitStack) -> Package:
    """The package, repaired first where that was asked for; a zip for the time of the run."""
    if options.fix:
        from pipeline import fix

        if options.package.lower().endswith(".zip"):
            raise CannotRun("--fix repairs a folder, not a zip; unpack it first")
        for name, what in fix.fix(options.package):
            print(f"fixed {visible(name)}: {visible(what)}", file=sys.stderr)
    return stack.enter_context(origin.opened(options.package, revisions=False))


if __name__ == "__main__":
    cli.main(parser(), run)
