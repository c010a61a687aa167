"""Rules that are judged by others: by standards, by frictionless, and by what is generated."""

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.issue import CannotRun, Fault
from pipeline.package import Package
from pipeline.rules import FIX, rule

if TYPE_CHECKING:
    import subprocess


SECOND = os.path.join(os.path.dirname(__file__), "frictionless_process.py")


@rule(
    "json-schema",
    "give the property the form that the standard asks for",
    stage="opinion",
    quick=False,
)
def json_schema(package: Package) -> Iterator[Fault]:
    """Descriptor and schemas are valid against the JSON Schemas of Data Package v2."""
    from importlib.util import find_spec

    from jsonschema import Draft7Validator

    # dplib-py ships the official profiles; importing it for two files would cost too much.
    package_of_profiles = find_spec("dplib")
    if package_of_profiles is None:
        raise ModuleNotFoundError("no dplib", name="dplib-py")
    folder = os.path.join(package_of_profiles.submodule_search_locations[0], "profiles", "2.0")
    for document in package.documents():
        if document.error:
            continue
        profile = "datapackage.json" if document is package.document else "tableschema.json"
        with open(os.path.join(folder, profile), encoding="utf-8") as file:
            validator = Draft7Validator(json.load(file))
        for error in validator.iter_errors(document.data):
            yield document.fault(error.message[:300], *error.absolute_path)


# The last of the opinions: the others are formed while its process is at work.
@rule("frictionless", "see what frictionless says of it", stage="opinion", quick=False)
def frictionless(package: Package) -> Iterator[Fault]:
    """The validator frictionless finds no fault where the rules here find none."""
    if package.misfits or package.unsafe or len(package.resources) != len(package.specs):
        # Broken, unsafe, or with a property that may lead anywhere, even to the network: the
        # rules say so, and nobody else may open it.
        return (fault for fault in ())
    import subprocess

    descriptor = os.path.join(package.root, package.document.path)
    process = subprocess.Popen(
        [sys.executable, SECOND, descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    faults = _faults(process)
    next(faults)  # begun, so that closing it ends the process
    return faults


def _faults(process: "subprocess.Popen") -> Iterator[Fault]:
    try:
        yield Fault("", 0, "", "")
        output, errors = process.communicate()
        if process.returncode != 0:
            last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise CannotRun(f"the second opinion of frictionless failed: {last[0]}")
        for fault in json.loads(output):
            yield Fault(*fault)
    finally:
        process.kill()
        process.wait()


@rule("stale-document", FIX)
def stale_document(package: Package) -> Iterator[Fault]:
    """What is generated from schemas and rules is as it would be generated now."""
    from pipeline import documents

    for path, text in documents.render(package).items():
        line = documents.first_difference(package.text(path), text)
        if line:
            yield Fault(path, line, "", "is not as it is generated now")
