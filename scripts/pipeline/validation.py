"""The one place where reading, judging and reporting are put in order."""

from pipeline.cli import Say
from pipeline.issue import CannotRun
from pipeline.package import Package
from pipeline.report import Report
from pipeline.rules import Rule, run, second_opinion


def validate(
    package: Package,
    selected: list[Rule],
    earlier: Package | None,
    report: Report,
    say: Say,
    export: bool = False,
) -> None:
    """Judge a package by the selected rules and collect the issues in a report.

    `earlier` is a release to compare with, its tables read. With `export`, what an export imports
    is imported while others are waited for. Raises CannotRun where nothing was there to check.
    """
    with second_opinion.asked(package, selected) as others:
        report.collect(run(package, selected, earlier, say, each=not report.limit))
        if export:
            from pipeline.formats import registry

            registry.load()
        if report.total == report.notes:
            report.collect(others.news(say))
    report.count(package.tables.values())
    if not report.failed and not report.rows:
        broken = (f"{each.path} {each.error[1]}" for each in package.documents() if each.error)
        raise CannotRun(f"nothing was checked: {next(broken, 'the package has no rows')}")
