"""Build the release artifacts of the data package. `--help` says how."""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pipeline import cli, formats, report, rules
from pipeline.folders import Target, Temporary
from pipeline.formats import bibliography, bundle, croissant, sqlite, sssom
from pipeline.issue import CannotRun
from pipeline.package import Package
from pipeline.validation import validate

EPILOG = """\
A release has a zip each for CSV, JSON and Parquet and one with everything, the tables as
a SQLite database, the papers as BibTeX, CSL-JSON and RIS, the mappings as SSSOM, a
Croissant description, manifest.json and SHA256SUMS. Built twice from the same package
with the same tools, it is the same byte for byte.

exit code: 0 built, 1 the package has faults, 2 could not run
"""
# What every zip carries beside its tables, where the package has it.
_BESIDE = ("CHANGELOG.md", "CITATION.cff", "LICENSE", "docs/data-dictionary.md")


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
    """Validate, export, and build what a release has beyond that; the exit code."""
    package = Package(options.package)
    target = Target(options.folder, package.root, bundle.is_release)
    selected = [rule for rule in rules.load().values() if rule.kind != "release"]
    found = report.Report(package.root, selected, 100)
    with Temporary() as made:
        exported = os.path.join(made, "exported")
        with cli.Progress() as progress:
            validate(package, selected, None, found, progress.say, export=True)
        report.WRITERS["text"](found, sys.stdout)
        if found.failed:
            return 1
        formats.write(package, exported)
        with target as new, cli.Progress() as progress:
            try:
                build(package.root, exported, new, progress.say)
            except KeyError as missing:
                raise CannotRun(f"a release needs {missing}, which the package has not") from None
            count = len(os.listdir(new)) + 1  # SHA256SUMS
    print(f"built {count} files in {options.folder}")
    return 0


def build(root: str, exported: str, folder: str, say: cli.Say) -> None:
    """Build every artifact of a release from an export into an empty folder.

    `root` is the folder of the package, from which only documents and JSON Schemas are taken.
    """
    package = Package(os.path.join(exported, "csv"))
    for resource in package.resources:
        resource.read()
    tables = {resource.name: list(formats.typed(resource)) for resource in package.resources}
    name, version = package.descriptor["name"], package.descriptor["version"]
    alone: dict[str, str] = {}
    for writer in (bibliography, sssom):
        if writer.TABLE in tables:
            say(f"writing {', '.join(writer.FILES)}")
            writer.write(package, tables, folder)
            alone |= {file: os.path.join(folder, file) for file in writer.FILES}
    say("writing the database")
    alone[f"{name}.sqlite"] = os.path.join(folder, f"{name}.sqlite")
    sqlite.write(package, tables, alone[f"{name}.sqlite"])
    say("writing the zips")
    beside = _files(root, _BESIDE)
    inside = {kind: _tree(os.path.join(exported, kind)) for kind in ("csv", "json", "parquet")}
    schemas = _tree(os.path.join(root, "schemas", "json"))
    inside["json"] |= {f"schemas/{path}": source for path, source in schemas.items()}
    zips = {
        f"{name}-{version}-{kind}.zip": _together(beside, files) for kind, files in inside.items()
    }
    # The one with everything is a package too: its descriptor and tables are not in a folder.
    others = {f"{kind}/{p}": s for kind in ("json", "parquet") for p, s in inside[kind].items()}
    zips[f"{name}-{version}.zip"] = _together(beside, inside["csv"], others, alone)
    for archive, members in zips.items():
        bundle.write_zip(os.path.join(folder, archive), members, package.descriptor["created"])
    say("writing croissant.json")
    csv = f"{name}-{version}-csv.zip"
    croissant.write(package, csv, bundle.sha256(os.path.join(folder, csv)), folder)
    bundle.write_manifest(package, tables, zips, folder)


def _together(*parts: dict[str, str]) -> dict[str, str]:
    """The files of all parts. Raises CannotRun where one would take the place of another."""
    found: dict[str, str] = {}
    for part in parts:
        if twice := sorted(found.keys() & part.keys()):
            raise CannotRun(
                f"a release has its own {twice[0]}; give that of the package a new path"
            )
        found |= part
    return found


def _files(root: str, names: tuple[str, ...]) -> dict[str, str]:
    """Those of these files that there are, by their names without folder."""
    paths = [os.path.join(root, name) for name in names]
    return {os.path.basename(path): path for path in paths if os.path.isfile(path)}


def _tree(folder: str) -> dict[str, str]:
    """Every file below a folder: its path inside, with `/`, and its path."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder).replace(os.sep, "/")] = path
    return found


if __name__ == "__main__":
    cli.main(parser(), run)
