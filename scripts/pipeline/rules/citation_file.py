"""Rules on CITATION.cff as a whole, which two libraries read; others compare what it repeats."""

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pipeline import files
from pipeline.issue import Fault, Keys, listed, show
from pipeline.package import Package, citation
from pipeline.package.citation import PATH, Citation
from pipeline.package.patterns import compiled
from pipeline.rules import package_rule

# Version 1.2.0, byte for byte as check-jsonschema ships it; README.md says under which license.
SCHEMA = os.path.join(os.path.dirname(citation.__file__), "citation-file-format.json")


@package_rule(
    "citation-file",
    "write the file as the Citation File Format 1.2.0 asks for, and a text with : or # in quotes",
    quick=False,
)
def citation_file(package: Package) -> Iterator[Fault]:
    """CITATION.cff, if present, is YAML in the Citation File Format, and plain at its top."""
    text = package.text(PATH)
    if text is None:
        if package.size(PATH) and PATH not in dict(package.unreadable()):
            yield Fault(PATH, 1, "", "is not in UTF-8")
        return
    try:
        found = citation.read(text)
    except citation.NoCitation as error:
        yield Fault(PATH, error.line, "", str(error))
        return
    misfits = list(_misfits(found))
    yield from misfits or _read_otherwise(text, found)


def _misfits(found: Citation) -> Iterator[Fault]:
    missing: dict[Keys, list[str]] = {}
    for error in _likely(_validator().iter_errors(found.data)):
        keys = tuple(error.absolute_path)
        if error.validator == "required":
            missing[keys] = [each for each in error.validator_value if each not in error.instance]
        elif error.validator == "additionalProperties":
            names = sorted(_unknown(error), key=lambda name: found.line(*keys, name))
            message = f"the format has no {listed(names)} here"
            yield Fault(PATH, found.line(*keys, names[0]), names[0], message)
        else:
            field = next((key for key in reversed(keys) if isinstance(key, str)), "")
            yield Fault(PATH, found.line(*keys), field, _why(error))
    for keys, names in missing.items():
        yield Fault(PATH, found.line(*keys), names[0], f"lacks {listed(names)}")


def _likely(errors: Iterable[Any]) -> Iterator[Any]:
    """Errors; of what fits none of several forms, those of the form that it misses by least."""
    for error in errors:
        forms: dict[object, list[Any]] = {}
        for inner in error.context or ():
            forms.setdefault(inner.schema_path[0], []).append(inner)
        if forms:
            yield from _likely(min(forms.values(), key=_distance))
        else:
            yield error


def _distance(errors: Iterable[Any]) -> int:
    return sum(
        len(_unknown(error)) if error.validator == "additionalProperties" else 1 for error in errors
    )


def _unknown(error: Any) -> set[str]:
    return {*error.instance} - {*error.schema["properties"]}


def _why(error: Any) -> str:
    what = show(error.instance)
    match error.validator:
        case "type":
            kinds = error.validator_value
            return f"{what} is not of type {kinds if isinstance(kinds, str) else listed(kinds)}"
        case "enum":
            return f"{what} is none of {listed(map(str, error.validator_value))}"
        case "pattern":
            return f"{what} does not match {show(error.validator_value)}"
        case _:
            return f"{what} does not fit {error.validator} of the format"


def _read_otherwise(text: str, found: Citation) -> Iterator[Fault]:
    """What of it `citation.plain`, to which YAML is only lines, would read as something else."""
    said = citation.plain(text)
    for key in ("title", "version", "date-released", "license"):
        ours = said.get(key, (1, ""))[1]
        theirs = citation.words(found.data[key]) if key in found.data else ""
        if ours != theirs:
            message = f"YAML reads {show(theirs)} where the line seems to say {show(ours)}"
            yield Fault(PATH, found.line(key), key, f"{message}; write it as plain text")


@cache
def _validator() -> Any:
    """A validator of the format in which nothing takes quadratic time."""
    from jsonschema import Draft7Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, wanted: str, value: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not _search(wanted).matches(value):
            yield ValidationError("pattern")

    def unique(_: Any, wanted: bool, value: Any, __: Any) -> Iterator[ValidationError]:
        if wanted and isinstance(value, list):
            texts = {json.dumps(each, sort_keys=True) for each in value}
            if len(texts) < len(value):
                yield ValidationError("uniqueItems")

    schema = json.loads(files.own(SCHEMA))
    return extend(Draft7Validator, {"pattern": pattern, "uniqueItems": unique})(schema)


def _search(wanted: str) -> Any:
    """A pattern of the format for a whole text; without ^ or $ it may stand anywhere in one."""
    before = "" if wanted.startswith("^") else ".*"
    after = "" if wanted.endswith("$") else ".*"
    return compiled(f"^{before}({wanted.removeprefix('^').removesuffix('$')}){after}$")
