"""What others say of the package: the JSON Schemas of the standard, and frictionless.

Both are rules by name, so that they can be skipped and explained. What they find counts where no
rule of this package found anything: most of it would only repeat or follow from that.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from pipeline.issue import CannotRun, Fault, Issue, Place
from pipeline.package import Package, profile
from pipeline.rules import Rule, package_rule

_PROCESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "frictionless_process.py")


@package_rule(
    "json-schema",
    "give the property the form that the standard asks for",
    quick=False,
    opinion=True,
)
def json_schema(package: Package) -> Iterator[Fault]:
    """Descriptor and schemas are valid against Data Package v2, and against the profile."""
    from jsonschema import Draft7Validator

    # dplib-py ships the official profiles; importing it for two files would cost too much.
    found = find_spec("dplib")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("no dplib", name="dplib-py")
    folder = os.path.join(found.submodule_search_locations[0], "profiles", "2.0")
    for document in package.documents():
        if document.error or any(document is refused for refused, _ in package.misfits):
            continue  # a rule said what is wrong, and the standard may allow it
        is_descriptor = document is package.document
        name = "datapackage.json" if is_descriptor else "tableschema.json"
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            official = json.load(file)
        ours = profile.profile("data-package" if is_descriptor else "table-schema")
        for shape in (official, ours):
            for error in Draft7Validator(shape).iter_errors(document.data):
                yield document.fault(error.message[:300], *error.absolute_path)


@package_rule("frictionless", "see what frictionless says of it", quick=False, opinion=True)
def frictionless(package: Package) -> Iterator[Fault]:
    """The validator frictionless finds no fault where the rules here find none."""
    with Frictionless(package) as process:
        yield from process.faults()


class Frictionless(contextlib.AbstractContextManager["Frictionless"]):
    """frictionless in a process of its own, which imports it while the rules are at work.

    It opens the package only when `faults` is called, and ends with this process: it reads from a
    pipe that is then closed.
    """

    def __init__(self, package: Package):
        self.descriptor = os.path.join(package.root, package.document.path)

    def __enter__(self) -> "Frictionless":
        """Start the process."""
        self.process = subprocess.Popen(
            # Not ours: its folder would hide libraries of the same names.
            [sys.executable, "-P", _PROCESS, self.descriptor],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()

    def faults(self) -> Iterator[Fault]:
        """What it finds; line 0 is a file as a whole."""
        output, errors = self.process.communicate(b"go\n")
        if self.process.returncode != 0:
            last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise CannotRun(f"the second opinion of frictionless failed: {last[0]}")
        for fault in json.loads(output):
            yield Fault(*fault)


class Others:
    """What the selected opinions are about a package, for the time of a `with`."""

    def __init__(self, package: Package, selected: list[Rule], process: Frictionless | None):
        self.package = package
        self.rules = [rule for rule in selected if rule.opinion]
        self.process = process

    def news(self, found: set[Place], say: Callable[[str], None]) -> Iterator[Issue]:
        """What they find and no rule did; `found` is where rules found something."""
        seen = {(place.path, place.line) for place in found}
        misled = any(p.path.endswith(".json") and p.rule != "statistics" for p in found)
        for rule in self.rules:
            say(f"waiting for {rule.id} (--skip {rule.id} does without)")
            for fault in self._faults(rule):
                if self._is_news(fault, seen, misled):
                    yield rule.issue(fault._replace(line=fault.line or 1))

    def _faults(self, rule: Rule) -> Iterator[Fault]:
        if rule.id != "frictionless":
            return rule.check(self.package)
        return self.process.faults() if self.process else iter(())

    def _is_news(self, fault: Fault, seen: set[tuple[str, int]], misled: bool) -> bool:
        """Whether what another validator found is not what a rule found, or follows from it.

        A fault of a whole file (line 0) or in a table that is not sound mostly follows from
        another; and whoever was misled by a faulty descriptor or schema judges something else.
        """
        if fault.path.endswith(".json") and fault.line:
            return (fault.path, fault.line) not in seen
        if misled or not fault.line:
            return not seen
        tables = self.package.tables.values()
        sound = all(table.sound for table in tables if table.path == fault.path)
        return sound and (fault.path, fault.line) not in seen


@contextlib.contextmanager
def asked(package: Package, selected: list[Rule]) -> Iterator[Others]:
    """The opinions among the selected rules; their process is at work meanwhile.

    Of a package that is broken or unsafe, or has a property that may lead anywhere, even to the
    network, frictionless is not asked: the rules say what is wrong, and nobody else may open it.
    """
    fit = not (package.misfits or package.unsafe) and len(package.resources) == len(package.specs)
    with contextlib.ExitStack() as stack:
        process = None
        if fit and any(rule.id == "frictionless" for rule in selected):
            process = stack.enter_context(Frictionless(package))
        yield Others(package, selected, process)
