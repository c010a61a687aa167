"""What others say of the package: the JSON Schemas of the standard, and frictionless.

Both are rules by name, so that they can be skipped and explained. They are asked where no rule of
this package found anything: what they say of the rest would only repeat it or follow from it, and
nobody else opens what is broken.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator

from pipeline import files
from pipeline.issue import CannotRun, Fault, Issue
from pipeline.package import Package, profile
from pipeline.rules import Rule, package_rule

# Many times what frictionless takes, with little to do and for each mebibyte of the tables.
_SECONDS, _SECONDS_PER_MEBIBYTE = 120, 60
_BYTES, _BYTES_PER_BYTE = 2 << 30, 64
_PROCESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "frictionless_process.py")


@package_rule(
    "json-schema",
    "give the property the form that the standard asks for",
    quick=False,
    opinion=True,
)
def json_schema(package: Package) -> Iterator[Fault]:
    """Descriptor and schemas are valid against Data Package v2, and against the profile."""
    from importlib.util import find_spec

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
        official = json.loads(files.own(folder, name))
        ours = profile.profile("data-package" if is_descriptor else "table-schema")
        for shape in (official, ours):
            for error in Draft7Validator(shape).iter_errors(document.data):
                yield document.fault(error.message[:300], *error.absolute_path)


@package_rule("frictionless", "see what frictionless says of it", quick=False, opinion=True)
def frictionless(package: Package, process: "Frictionless | None" = None) -> Iterator[Fault]:
    """The validator frictionless finds no fault where the rules here find none."""
    # Not every rule may have been asked, but what a broken table leads to is known.
    if not process or not all(table.sound for table in package.tables.values()):
        raise CannotRun("frictionless is not asked about a broken package; run the other rules too")
    yield from process.faults()


class Frictionless(contextlib.AbstractContextManager["Frictionless"]):
    """frictionless in a process of its own, which imports it while the rules are at work.

    It opens the package only when `faults` is called. It ends with this process, which holds the
    pipe from which it reads, and has bounds for time and memory that grow with the tables.
    """

    def __init__(self, package: Package):
        self.descriptor = os.path.join(package.root, package.document.path)
        size = sum(package.size(resource.path) for resource in package.resources)
        self.seconds = _SECONDS + _SECONDS_PER_MEBIBYTE * (size >> 20)
        self.bytes = _BYTES + _BYTES_PER_BYTE * size

    def __enter__(self) -> "Frictionless":
        """Start the process."""
        import subprocess

        bounds = map(str, (self.seconds, self.bytes))
        self.process = subprocess.Popen(
            # Not ours: its folder would hide libraries of the same names.
            [sys.executable, "-P", _PROCESS, self.descriptor, *bounds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Whatever terminals are set to, these are pipes between two processes of ours.
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )
        # The pipe stays open, for its end is the end of the process.
        self.pipe, self.process.stdin = self.process.stdin, None
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()
        if self.pipe:
            with contextlib.suppress(OSError):
                self.pipe.close()

    def faults(self) -> Iterator[Fault]:
        """What it finds. Raises CannotRun where it does not come to an end."""
        import subprocess

        advice = "--skip frictionless does without it"
        try:
            if self.pipe:
                self.pipe.write(b"go\n")
                self.pipe.flush()
            output, errors = self.process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired as error:
            why = f"it has not ended after {self.seconds:,} seconds"
            raise CannotRun(
                f"the second opinion of frictionless failed: {why}; {advice}"
            ) from error
        except BrokenPipeError:
            output, errors = self.process.communicate()
        if self.process.returncode != 0:
            last = errors.decode(errors="replace").strip().splitlines()[-1:]
            bounds = f"{self.seconds:,} seconds and {self.bytes >> 20:,} MiB"
            why = last[0] if last else f"the system ended it, which gives it {bounds}"
            raise CannotRun(f"the second opinion of frictionless failed: {why}; {advice}")
        for fault in json.loads(output):
            yield Fault(*fault)


class Others:
    """What the selected opinions are about a package, for the time of a `with`."""

    def __init__(self, package: Package, selected: list[Rule], process: Frictionless | None):
        self.package = package
        self.rules = [rule for rule in selected if rule.opinion]
        self.process = process

    def news(self, say: Callable[[str], None]) -> Iterator[Issue]:
        """What they find, to be asked where no rule found anything."""
        for rule in self.rules:
            say(f"waiting for {rule.id} (--skip {rule.id} does without)")
            also = (self.process,) if rule.id == "frictionless" else ()
            yield from map(rule.issue, rule.check(self.package, *also))


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
