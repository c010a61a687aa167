"""Rules on figures: they lie where their measure can, and agree with their counts and bounds."""

import math
import re
from collections.abc import Iterator
from operator import contains

from pipeline.issue import Fault, show
from pipeline.package import Resource
from pipeline.package.field_types import is_integer, is_number
from pipeline.package.table import Table
from pipeline.rules import table_rule

# A number, or a sum or difference of numbers in brackets.
_TERM = r"\d{1,18}|\(\d{1,18}(?: [+-] \d{1,18})+\)"
_quotient = re.compile(f"({_TERM})/({_TERM})", re.ASCII).fullmatch
_complement = re.compile(r"100 - (\d{1,18}(?:\.\d{1,18})?)", re.ASCII).fullmatch
_SUMMAND = re.compile(r"([+-]? ?)(\d+)")


@table_rule(
    "conditional-range", "check the figure and what it measures; the schema gives its range"
)
def conditional_range(resource: Resource) -> Iterator[Fault]:
    """A number lies within the range that another cell gives it: a percentage in 0 to 100."""
    table = resource.table
    # Many ranges are about the same fields: what stands together in these is looked up once.
    known: dict[tuple[str, ...], dict[tuple[str, ...], dict[str, float]]] = {}
    for each in resource.schema.get("ranges", []):
        low, high = each.get("minimum", -math.inf), each.get("maximum", math.inf)
        wanted = list(map(set, each["when"].values()))
        for name in each["fields"]:
            fields = (name, *each["when"])
            if fields not in known:
                known[fields] = _numbers(table, fields)
            outside = {
                text
                for given, numbers in known[fields].items()
                if all(map(contains, wanted, given))
                for text, number in numbers.items()
                if not low <= number <= high
            }
            for row, text, reason in table.where(each["when"], name, outside.__contains__):
                bound = f"less than {low}" if float(text) < low else f"more than {high}"
                what = f"{text} is {bound}, but {reason}"
                yield table.fault(row, name, what, *each["when"])


def _numbers(table: Table, fields: tuple[str, ...]) -> dict[tuple[str, ...], dict[str, float]]:
    """The numbers in the first of some fields, by what stands in the others."""
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for text, *given in table.each(*fields):
        if is_number(text):
            found.setdefault(tuple(given), {})[text] = float(text)
    return found


@table_rule("count-exceeds-total", "check both counts in the paper")
def count_exceeds_total(resource: Resource) -> Iterator[Fault]:
    """A count is not larger than its total."""
    table = resource.table
    for field in resource.fields:
        if total := field.get("countOf"):
            wrong = {
                (n, of): f"{n} events, but {of} in total"
                for n, of in table.each(field["name"], total)
                if _both(n, of) and int(n) > int(of)
            }
            yield from table.faults(field["name"], wrong, total)


def _both(*counts: str) -> bool:
    return all(map(is_integer, counts))


@table_rule("percentage-disagrees", "check figure and counts in the paper")
def percentage_disagrees(resource: Resource) -> Iterator[Fault]:
    """A percentage is its count divided by its total, to the decimals that it gives."""
    table = resource.table
    for field in resource.fields:
        if share := field.get("percentageOf"):
            when = share["when"]
            others = (share["count"], share["total"], *when)
            wrong = {}
            for texts in table.each(field["name"], *others):
                value, n, total, *given = texts
                if not is_number(value) or not _both(n, total) or int(n) > int(total):
                    continue  # a rule of its own
                if any(its not in wanted for its, wanted in zip(given, when.values(), strict=True)):
                    continue
                if what := _no_share(value, int(n), int(total)):
                    wrong[texts] = f"{value}, but {n} of {total} is {what}"
            yield from table.faults(field["name"], wrong, *others)


def _no_share(value: str, n: int, total: int) -> str:
    """What a percentage should be that is none of its counts, or nothing."""
    if total == 0:
        return "no percentage"
    exact = 100 * n / total
    return f"{exact:.4g}%" if _differs(value, exact) else ""


def _differs(value: str, exact: float) -> bool:
    """Whether a decimal text is not the rounding of a number to as many decimals."""
    decimals = len(value.partition(".")[2])
    return abs(float(value) - exact) > 0.5 * 10.0**-decimals + 1e-9


@table_rule("derivation-disagrees", "correct the arithmetic, or the figure")
def derivation_disagrees(resource: Resource) -> Iterator[Fault]:
    """A derivation gives the figure, and a quotient divides the counts of its row.

    Its terms are numbers, or sums and differences in brackets; a complement to 100 has no count.
    """
    table = resource.table
    for field in resource.fields:
        if "derives" in field:
            share = resource.field(field["derives"]).get("percentageOf")
            counts = (share["count"], share["total"]) if share else ()
            others = (field["derives"], *counts)
            wrong = {
                texts: what
                for texts in table.each(field["name"], *others)
                if texts[0] and (what := _no_arithmetic(*texts))
            }
            yield from table.faults(field["name"], wrong, *others)


def _no_arithmetic(derivation: str, value: str, *counts: str) -> str | None:
    """What is wrong with a derivation of a value, given the counts of the row."""
    if match := _complement(derivation):
        exact = 100 - float(match[1])
        if counts and counts[0]:
            return f"{derivation}, but {show(counts[0])} are counted"
    elif match := _quotient(derivation):
        events, total = map(_sum, match.groups())
        if total == 0:
            return "divides by zero"
        exact = 100 * events / total
        if counts and counts != (str(events), str(total)):
            given = " of ".join(count or "none" for count in counts)
            return f"{derivation} divides {events} by {total}, but the counts are {given}"
    else:
        return f"{show(derivation)} is no arithmetic that can be checked"
    if is_number(value) and _differs(value, exact):
        return f"{derivation} gives {exact:.4g}, not {value}"
    return None


def _sum(term: str) -> int:
    return sum(-int(n) if sign == "- " else int(n) for sign, n in _SUMMAND.findall(term))


@table_rule("interval-order", "check the bounds in the paper")
def interval_order(resource: Resource) -> Iterator[Fault]:
    """A value lies between the bounds of its interval."""
    table = resource.table
    for names in resource.schema.get("ascending", []):
        wrong = {}
        for values in table.each(*names):
            given = [value for value in values if is_number(value)]
            if given != sorted(given, key=float):
                wrong[values] = f"{', '.join(names)} do not ascend: {', '.join(given)}"
        yield from table.faults(names[0], wrong, *names[1:])
