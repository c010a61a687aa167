"""The picture of README.md: every reported share, one line for each feature. Only text and SVG.

An image sees neither the style sheet nor the theme of the page around it, so that its colors are
written out, once for each theme; README.md chooses with <picture>. No text is measured: fonts
differ between machines, so each line leaves room behind its words.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil
from typing import NamedTuple

from pipeline.evidence.figures import SHARES, plain, wrapped
from pipeline.evidence.joined import Drawn, Evidence, Finding, Group, marks, read, sign
from pipeline.package import Package

# More lines than this do not fit on a screen: they are shared out to columns.
_MOST_LINES = 22
_COLORS = {
    "light": {
        "ground": "#ffffff",
        "ink": "#16202a",
        "muted": "#55636f",
        "grid": "#e1e6ea",
        "states": "#16202a",
        "supports": "#0b63a5",
        "contradicts": "#b3380f",
        "qualifies": "#7b3a9a",
        "extends": "#5b7282",
        "other": "#63707a",
        "none": "#63707a",
    },
    "dark": {
        "ground": "#0d1117",
        "ink": "#e8edf1",
        "muted": "#a3b1bc",
        "grid": "#2a343d",
        "states": "#ffffff",
        "supports": "#63b3f4",
        "contradicts": "#ff9466",
        "qualifies": "#d09bf0",
        "extends": "#97adbb",
        "other": "#93a1ab",
        "none": "#93a1ab",
    },
}
_WIDTH, _LINE, _TOP, _GAP, _LETTERS = 912, 26, 66, 32, 28
_FONT = "-apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif"
# The signs of the page, drawn around 0, 0.
_SIGNS = {
    "states": '<g fill="none" stroke="{0}" stroke-width="2"><circle r="4.8"/>'
    '<circle r="1" fill="{0}"/></g>',
    "supports": '<circle r="5" fill="{0}"/>',
    "contradicts": '<path d="M-4.6-4.6l9.2 9.2m0-9.2l-9.2 9.2" stroke="{0}" stroke-width="2.8"/>',
    "qualifies": '<path d="M0-5.6l5.6 9.8h-11.2z" fill="{0}"/>',
    "extends": '<path d="M-4.2-4.2h8.4v8.4h-8.4z" fill="{0}"/>',
    "other": '<path d="M0-5.6l5.6 5.6l-5.6 5.6l-5.6-5.6z" fill="{0}"/>',
    "none": '<circle r="4" fill="none" stroke="{0}" stroke-width="2"/>',
}
_MEANING = {
    "states": "is the claim",
    "supports": "supports it",
    "contradicts": "contradicts it",
    "qualifies": "qualifies it",
    "extends": "adds to it",
    "none": "bears on no claim",
}


class Picture(NamedTuple):
    """The picture in each theme, and what is to be seen in it."""

    themes: dict[str, str]
    words: str


def render(package: Package) -> Picture:
    """The picture of a package whose tables were read.

    Raises LookupError, ValueError, OSError or CannotRun where its tables cannot be drawn.
    """
    evidence = read(package)
    return Picture({theme: _drawn(evidence, theme) for theme in _COLORS}, _words(evidence))


def _drawn(evidence: Evidence, theme: str) -> str:
    """The picture in one theme."""
    colors, drawn = _COLORS[theme], _shares(evidence)
    columns = max(1, ceil(len(drawn.groups) / _MOST_LINES))
    lines = ceil(len(drawn.groups) / columns)
    height = _TOP + lines * _LINE + 8
    width = (_WIDTH - _GAP * (columns - 1)) / columns
    parts = [_key(evidence.labels("findings", "stance"), colors)]
    for number in range(columns):
        groups = drawn.groups[number * lines : (number + 1) * lines]
        x = number * (width + _GAP)
        body = "\n".join(_column(evidence, drawn, groups, width, colors))
        parts.append(f'<g class="column" transform="translate({x:g} 0)">\n{body}\n</g>')
    return "\n".join(
        (
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
                f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="t" '
                f'font-family="{_FONT}" font-size="12.5">'
            ),
            f'<title id="t">{escape(_words(evidence))}</title>',
            f'<rect width="100%" height="100%" fill="{colors["ground"]}"/>',
            *parts,
            "</svg>\n",
        )
    )


def _words(evidence: Evidence) -> str:
    """What is to be seen in the picture, for those who do not see it."""
    drawn = _shares(evidence)
    findings = [each for group in drawn.groups for each in group.findings]
    features = {group.feature.id for group in drawn.groups}
    most = max(drawn.groups, key=lambda group: len(group.findings))
    text = (
        f"{len(findings)} reported shares in percent, one line of marks for each of "
        f"{len(features)} clinical features. Within most features the studies lie far apart: "
        f"the {len(most.findings)} on {most.feature.name.lower()} from {most.extent}."
    )
    held = {each.band.claim: each.band for each in findings if each.band}
    for claim, band in held.items():
        against = [each for each in findings if each.band == band and each.stance == "contradicts"]
        text += (
            f" A gray band marks what claim {claim} of the source page states, {band.estimate}; "
            f"{len(against)} of the shares held against it contradict it."
        )
    return text


def _shares(evidence: Evidence) -> Drawn:
    """The panel with the shares."""
    (found,) = (each for each in evidence.panels if each.panel is SHARES)
    return found


def _ends(finding: Finding) -> tuple[float, float]:
    """The value of a finding, or both ends of its range."""
    figure = finding.figure
    assert figure is not None
    if figure.point or figure.low is None:
        return figure.number, figure.number
    return figure.low, figure.number


def _key(stances: Iterable[str], colors: dict[str, str]) -> str:
    """What the signs mean: those of the stances, and that of none."""
    parts, x = [], 14
    others = {each: plain(each) for each in stances if each not in _MEANING}
    for stance, meaning in (_MEANING | others).items():
        kind = sign(stance)
        drawn = _SIGNS[kind].format(colors[kind])
        parts.append(f'<g transform="translate({x} 18)">{drawn}</g>')
        parts.append(f'<text x="{x + 11}" y="22" fill="{colors["ink"]}">{escape(meaning)}</text>')
        x += 32 + 7 * len(meaning)
    parts.append(_band(x, 8, 26, 20, colors))
    parts.append(f'<text x="{x + 32}" y="22" fill="{colors["ink"]}">what the page claims</text>')
    return "\n".join(parts)


def _column(
    evidence: Evidence, drawn: Drawn, groups: Sequence[Group], width: float, colors: dict[str, str]
) -> list[str]:
    """The lines of some features below an axis."""
    left, right = 186.0, width - 22
    share = (right - left) / 100
    bottom = _TOP + len(groups) * _LINE
    parts = []
    for tick in drawn.scale.ticks:
        x = left + share * drawn.scale(tick)
        parts.append(f'<path d="M{x:.2f} {_TOP - 4}V{bottom}" stroke="{colors["grid"]}"/>')
        parts.append(
            f'<text x="{x:.2f}" y="{_TOP - 10}" text-anchor="middle" fill="{colors["muted"]}">'
            f"{tick:g}%</text>"
        )
    for number, group in enumerate(groups):
        y = _TOP + number * _LINE
        name = group.feature.name
        if group.region:
            name += f", {evidence.regions[group.region]['name'].split()[0].lower()}"
        parts += _name(wrapped(name, _LETTERS), y, colors["ink"])
        if band := group.band:
            low, high = drawn.scale(band.low), drawn.scale(band.high)
            parts.append(_band(left + share * low, y, share * (high - low), _LINE, colors))
        for each in group.findings:
            kind = sign(each.stance)
            color = colors[kind]
            first, last = (left + share * drawn.scale(end) for end in _ends(each))
            if marks(each, drawn.scale).x:
                mark = _SIGNS[kind].format(color)
                at = f"{last:.2f} {y + _LINE / 2:g}"
                parts.append(f'<g class="mark" transform="translate({at})" opacity=".8">{mark}</g>')
            else:
                top, wide = y + _LINE / 2 - 4, max(2.0, last - first)
                parts.append(
                    f'<rect class="mark" x="{first:.2f}" y="{top:g}" rx="2" width="{wide:.2f}" '
                    f'height="8" fill="{color}" opacity=".45"/>'
                )
    return parts


def _name(lines: list[str], y: float, color: str) -> list[str]:
    """The name of a feature; a long one stands in two smaller lines."""
    size = 12.5 if len(lines) == 1 else 11
    first = y + 17 if len(lines) == 1 else y + 11
    return [
        f'<text class="name" x="2" y="{first + 12 * number:g}" font-size="{size}" fill="{color}">'
        f"{escape(line)}</text>"
        for number, line in enumerate(lines)
    ]


def _band(x: float, y: float, width: float, height: float, colors: dict[str, str]) -> str:
    """The gray band."""
    return (
        f'<rect x="{x:.2f}" y="{y:g}" width="{width:.2f}" height="{height:g}" '
        f'fill="{colors["ink"]}" fill-opacity=".13"/>'
    )
