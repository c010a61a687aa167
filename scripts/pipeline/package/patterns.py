"""Regular expressions that a schema gives."""

import re


def compiled(pattern: str) -> re.Pattern[str] | None:
    """A regular expression, or None where it is none or too much for Python."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None
