"""Which version step a change of each property asks for.

A step is major where data that were allowed no longer are, or what somebody relies on is gone;
minor where more is allowed or promised; patch where only words differ. A property has the value
None where it is not there.
"""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

# The old and the new value of a property to a step.
Weigh = Callable[[Any, Any], str]


def unsaid(value: Any) -> bool:
    """Whether a property says no more than one that is not there."""
    return value is None or value is False or value in ([], {}, "", [""])


def prose(_old: Any, _new: Any) -> str:
    """Words for people, and what no reader relies on."""
    return "patch"


def unproven(_old: Any, new: Any) -> str:
    """Of what cannot be proven looser, only its end is; all else counts as tightened."""
    return "minor" if unsaid(new) else "major"


def _renamed(_old: Any, _new: Any) -> str:
    return "major"


def _demand(_old: Any, new: Any) -> str:
    """Something that rows must be: true is tighter."""
    return "major" if new else "minor"


def _leave(_old: Any, new: Any) -> str:
    """Something that rows may be: true is looser."""
    return "minor" if new else "major"


def _unit(old: Any, _new: Any) -> str:
    """A unit that was not said before is prose; another one makes other values of all."""
    return "patch" if unsaid(old) else "major"


def _lower_bound(old: Any, new: Any) -> str:
    return _bound(old, new, lambda before, after: after < before)


def _upper_bound(old: Any, new: Any) -> str:
    return _bound(old, new, lambda before, after: after > before)


def _bound(old: Any, new: Any, is_looser: Callable[[Any, Any], bool]) -> str:
    if new is None:
        return "minor"
    if old is None:
        return "major"
    try:
        # JSON has numbers that no float holds.
        before, after = Decimal(str(old)), Decimal(str(new))
        if before == after:
            return "patch"  # another way to write the same
        looser = is_looser(before, after)
    except InvalidOperation:
        looser = is_looser(str(old), str(new))  # days
    return "minor" if looser else "major"


def _choices(old: Any, new: Any) -> str:
    """Alternatives of which one must hold: more of them are looser."""
    if unsaid(old) or unsaid(new):
        return unproven(old, new)
    return _meanings(old, new)


def _meanings(old: Any, new: Any) -> str:
    """Parts on which somebody relies: more of them harm nobody."""
    return _step(set(_parts(old)) - set(_parts(new)), set(_parts(new)) - set(_parts(old)))


def _demands(old: Any, new: Any) -> str:
    """Demands that must all hold: more of them are tighter."""
    return _step(set(_parts(new)) - set(_parts(old)), set(_parts(old)) - set(_parts(new)))


def _forbidden(old: Any, new: Any) -> str:
    """Values with the reasons for which they are forbidden, which are prose."""
    return _demands(list(old or ()), list(new or ()))


def _implications(old: Any, new: Any) -> str:
    """Demands with the reasons for them, which are prose."""
    before, after = ([{**each, "because": ""} for each in value or ()] for value in (old, new))
    return _demands(before, after)


def _step(tighter: set[str], looser: set[str]) -> str:
    if tighter:
        return "major"
    return "minor" if looser else "patch"


def _terms(old: Any, new: Any) -> str:
    """Other terms than those under which somebody uses the data; their titles are prose."""
    before, after = (
        [(each.get("name"), each.get("path")) for each in licenses or ()] for licenses in (old, new)
    )
    return "patch" if before == after else "major"


def _parts(value: Any) -> list[str]:
    """The elements of a list, or the members of an object, as texts that can be compared."""
    if isinstance(value, dict):
        value = [[name, inner] for name, inner in value.items()]
    return [json.dumps(each, sort_keys=True) for each in (value or [])]


# By the names that the profiles know; others are words in a descriptor, and unproven in a schema.
PACKAGE: dict[str, Weigh] = {
    **dict.fromkeys(("$schema", "title", "description", "homepage", "keywords"), prose),
    **dict.fromkeys(("id", "sources", "contributors"), prose),
    "name": _renamed,
    "licenses": _terms,
}
RESOURCE: dict[str, Weigh] = {
    **dict.fromkeys(("type", "title", "description", "format", "mediatype", "encoding"), prose),
    "path": unproven,
}
SCHEMA: dict[str, Weigh] = {
    **dict.fromkeys(("$schema", "title", "description", "example", "rdfType"), prose),
    **dict.fromkeys(("categories", "readingsOf"), prose),
    "unit": _unit,
    **dict.fromkeys(("required", "unique", "evidence"), _demand),
    **dict.fromkeys(("verbatim", "mayBeEmpty"), _leave),
    **dict.fromkeys(("minimum", "minLength"), _lower_bound),
    **dict.fromkeys(("maximum", "maxLength"), _upper_bound),
    **dict.fromkeys(("enum", "referencedBy", "referencesAnyOf", "curie", "locatedBy"), _choices),
    **dict.fromkeys(("foreignKeys", "uniqueKeys", "requires", "labeledBy"), _demands),
    **dict.fromkeys(("acyclic", "sameAs", "ascending", "ranges"), _demands),
    "implications": _implications,
    "forbidden": _forbidden,
    "uriPrefixes": _meanings,
    **dict.fromkeys(("type", "pattern", "primaryKey", "missingValues", "retires"), unproven),
    **dict.fromkeys(("emptyExactlyWhen", "countOf", "percentageOf", "derives"), unproven),
    **dict.fromkeys(("identifier", "authorYear", "namesCellsOf"), unproven),
}
