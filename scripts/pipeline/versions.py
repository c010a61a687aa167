"""Semantic versions: how they follow each other, and which step is large enough for a change.

While the major version is 0, a minor step does for what would need a major one. After a
pre-release, which promises nothing, any later version will do.
"""

import re
from typing import Any

# The grammar of semver.org, without build metadata, which does not order versions.
_VERSION = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
# What semver.org advises; Python makes no number of thousands of digits.
MAX_LENGTH = 255
STEPS = ("none", "patch", "minor", "major")


def is_version(value: object) -> bool:
    """Whether a value is a semantic version without build metadata, of a length for people."""
    return (
        isinstance(value, str)
        and len(value) <= MAX_LENGTH
        and _VERSION.fullmatch(value) is not None
    )


def order(version: str) -> tuple[Any, ...]:
    """What versions are ordered by: numbers, then pre-releases before the release itself."""
    core, _, words = version.partition("-")
    parts = words.split(".") if words else ()
    # Numbers come before words.
    before = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
    return (_numbers(core), not before, before)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.partition("-")[0].split(".")))


def smallest(old: str, step: str) -> str:
    """The smallest version after an old one, pre-releases aside, that says this step."""
    if step == "none":
        return old
    major, minor, patch = _numbers(old)
    if "-" in old:
        return f"{major}.{minor}.{patch}"
    if step == "patch":
        return f"{major}.{minor}.{patch + 1}"
    if step == "minor" or major == 0:
        return f"{major}.{minor + 1}.0"
    return f"{major + 1}.0.0"


def is_enough(old: str, new: str, step: str) -> bool:
    """Whether a new version says a step of this size, or a larger one, after the old version.

    A pre-release says what the version says that it comes before. No version goes backward.
    """
    if step == "none":
        return order(new) >= order(old)
    if "-" in old:
        return order(new) > order(old)
    return _numbers(new) >= _numbers(smallest(old, step))
