"""What a finding looks like in a plot: panel, scale, marks, interval, band. No HTML here.

Everything is text or a position in percent of the width, so that the page and the picture of
README.md draw the same. Only the standard library.
"""

from collections.abc import Iterable
from math import ceil, floor, log10
from typing import NamedTuple

from pipeline.evidence import claims

Row = dict[str, str]

_SIGNS = {"": "", "=": "", ">": ">", ">=": "≥", "<": "<", "<=": "≤"}
_MOST_TICKS = 6


class Scale(NamedTuple):
    """An axis from `low` to `high` with a tick at each `step`, or at 1 and 3 of each decade."""

    low: float
    high: float
    step: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The position of a value in percent of the width; what lies outside is at the edge."""
        if self.log:
            share = log10(max(value, self.low) / self.low) / log10(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return 100 * min(1.0, max(0.0, share))

    @property
    def ticks(self) -> list[float]:
        """The values at which the axis is labeled."""
        if self.log:
            decades = range(round(log10(self.low)), round(log10(self.high)) + 1)
            ticks = [leading * 10.0**decade for decade in decades for leading in (1, 3)]
            return [tick for tick in ticks if tick <= self.high]
        count = round((self.high - self.low) / self.step)
        return [self.low + self.step * index for index in range(count + 1)]

    def reaching(self, values: Iterable[float]) -> "Scale":
        """The same axis, made longer by whole steps or decades until it shows every value."""
        found = [self.low, self.high, *values]
        if self.log:
            found = [value for value in found if value > 0]
            low, high = 10.0 ** floor(log10(min(found))), 10.0 ** ceil(log10(max(found)))
            return self._replace(low=low, high=high)
        step = self.step
        while (max(found) - min(found)) / step > _MOST_TICKS:
            step *= 2
        return Scale(floor(min(found) / step) * step, ceil(max(found) / step) * step, step)


class Panel(NamedTuple):
    """Figures that may share an axis: their measures, each with the word that tells it apart."""

    id: str
    title: str
    unit: str
    head: str
    words: str
    measures: dict[str, str]
    scale: Scale
    suffix: str = ""
    line: float | None = None


# The figures without a number are listed below the panels.
IN_WORDS = "qualitative"
PERCENT = Scale(0, 100, 25)
SHARES = Panel(
    "share",
    "Share of patients",
    "percent of those studied",
    "% [95% interval]",
    "The further to the right, the more of those studied had the feature. Cumulative shares count "
    "everyone affected up to the end of the observation.",
    claims.SHARES,
    PERCENT,
    "%",
)
PANELS = (
    SHARES,
    Panel(
        "time",
        "How long it lasted, or took",
        "days",
        "Days",
        "The time point of a row says from when until when. A few very long courses pull a mean "
        "up and leave a median where it is: compare means with means.",
        {"median_duration_days": "median", "mean_duration_days": "mean"},
        Scale(0, 100, 25),
        " days",
    ),
    Panel(
        "pain",
        "How strong the pain was",
        "mean score, from 0 for no pain to 10 for the worst",
        "Score",
        "Further to the right is more pain. Whether the pain now or the worst pain was asked for, "
        "and whether people without pain are in the mean, stands under the population.",
        {"mean_pain_score_0_10": "mean"},
        Scale(0, 10, 2),
    ),
    Panel(
        "sins",
        "How unstable the spine was",
        "Spinal Instability Neoplastic Score, from 0 for stable to 18 for unstable",
        "Score",
        "Further to the right is less stable.",
        {"mean_sins": "mean", "median_sins": "median"},
        Scale(0, 18, 3),
    ),
    Panel(
        "eq5d",
        "How good health was",
        "EQ-5D index: 1 is full health, 0 is like being dead",
        "Index [95% interval]",
        "Further to the left is worse; the index can be below 0. The line marks 0.",
        {"eq5d_index": ""},
        Scale(0, 1, 0.25),
        line=0,
    ),
    Panel(
        "ratio",
        "How strongly a sign points to the disease",
        "positive likelihood ratio, logarithmic axis",
        "Ratio [95% interval]",
        "At the line, 1, the sign says nothing about the disease; further to the right it points "
        "to it more strongly.",
        {"positive_likelihood_ratio": ""},
        Scale(1, 100, 1, log=True),
        line=1,
    ),
    Panel(
        "probability",
        "How likely the disease was once the sign was known",
        "post-test probability, in percent",
        "% [95% interval]",
        "Of those with the sign, how many turned out to have the disease.",
        {"post_test_probability": ""},
        PERCENT,
        "%",
    ),
)


def panels(measures: dict[str, str]) -> list[Panel]:
    """The panels of a schema that has these measures, each with what it says of it.

    A measure that no panel above names has one of its own, so that no figure is ever left out.
    """
    named = {IN_WORDS}.union(*(panel.measures for panel in PANELS))
    others = (
        Panel(
            f"other-{number}",
            plain(measure).capitalize(),
            label,
            "Figure",
            "",
            {measure: ""},
            Scale(0, 10, 2),
        )
        for number, (measure, label) in enumerate(measures.items(), 1)
        if measure not in named
    )
    return [*PANELS, *others]


class Figure(NamedTuple):
    """The figure of a finding.

    `number` orders rows: the value, or the upper end of a range. `low` and `high` end the line or
    bar that is drawn, `origin` says which: the interval of the `paper`, one after `wilson`, or a
    `range`. `span` is what a summary of several rows takes: the value, or both ends of a range.
    """

    number: float
    low: float | None
    high: float | None
    origin: str
    estimate: str
    bounds: str
    span: tuple[str, str]
    arrow: int

    @property
    def point(self) -> bool:
        """Whether a value is marked, and not a range alone."""
        return self.span[0] == self.span[1]

    @property
    def ends(self) -> list[float]:
        """What an axis must reach: value and interval, but of a range around a value nothing."""
        if self.low is None or self.high is None or (self.point and self.origin == "range"):
            return [self.number]
        return [self.low, self.number, self.high]


def figure(row: Row, suffix: str, interval: tuple[float, float] | None = None) -> Figure:
    """The figure of a finding that has a number, with the interval of its counts."""
    low = high = None
    bounds = origin = ""
    if row["interval"]:
        origin = "range" if row["interval"] == "range" else "paper"
        low, high = float(row["lower"]), float(row["upper"])
        bounds = f"{row['lower']}–{row['upper']}"
    elif interval:
        origin = "wilson"
        low, high = interval
        digits = len(row["value"].partition(".")[2])
        bounds = f"{low:.{digits}f}–{high:.{digits}f}"
    if not row["value"]:
        ends = (row["lower"], row["upper"])
        return Figure(float(ends[1]), low, high, origin, bounds + suffix, "", ends, 0)
    said = _SIGNS[row["comparator"]] + row["value"]
    arrow = {">": 1, "≥": 1, "<": -1, "≤": -1}.get(said[0], 0)
    number = float(row["value"])
    return Figure(number, low, high, origin, said + suffix, bounds, (said, said), arrow)


class Band(NamedTuple):
    """What a claim states itself: from `low` to `high`, in words `estimate`."""

    claim: str
    low: float
    high: float
    estimate: str


def band(row: Row, panel: Panel) -> Band:
    """The band of a claim, from a row that states it; what is more than a value has no end."""
    own = figure(row, panel.suffix)
    low, high = own.number, own.number
    if own.arrow:
        low, high = (low, panel.scale.high) if own.arrow > 0 else (panel.scale.low, high)
    elif own.low is not None and own.high is not None:
        low, high = own.low, own.high
    return Band(row["statement_id"], low, high, own.estimate)


def extent(figures: Iterable[Figure], suffix: str) -> str:
    """From the lowest to the highest of several figures, in words; nothing is pooled."""
    spans = [each.span for each in figures]
    low = min((low for low, _ in spans), key=_number)
    high = max((high for _, high in spans), key=_number)
    return f"{low}{suffix}" if low == high else f"{low} to {high}{suffix}"


def _number(text: str) -> float:
    return float(text.lstrip("<>≤≥"))


def plain(value: str) -> str:
    """A value of a list of values, as words."""
    return value.replace("_", " ")


def at(position: float) -> str:
    """A position in percent of the width, in one spelling."""
    return f"{position:.2f}".rstrip("0").rstrip(".") + "%"


def wrapped(text: str, letters: int) -> list[str]:
    """A text in lines of so many letters; a longer word has a line of its own."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > letters:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
