"""Lays out which feature leads to which, in layers from left to right. No HTML here.

Each part of the graph is laid out by itself. A feature stands as far right as its effects allow;
a line that passes a column has a place of its own in it, so that no line crosses a box.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.evidence.figures import Row, wrapped
from pipeline.evidence.joined import Feature

KIND = "is_a_kind_of"

# A feature, or the place of a line in a column that it passes: cause, effect, layer.
Node = str | tuple[str, str, int]


class Edge(NamedTuple):
    """A relation of two features; `statement` is the claim behind it, empty for a kind."""

    cause: str
    effect: str
    relation: str
    statement: str = ""


class Size(NamedTuple):
    """Width and height of a box, the gaps between boxes, and how many letters a line holds."""

    width: int
    height: int
    across: int
    down: int
    letters: int


class Box(NamedTuple):
    """A feature in the drawing; `x` and `y` are its upper left corner."""

    id: str
    category: str
    lines: list[str]
    x: float
    y: float


class Line(NamedTuple):
    """An edge in the drawing, as the path of an SVG."""

    edge: Edge
    path: str


class Drawing(NamedTuple):
    """Boxes and lines, and the space that they need."""

    boxes: list[Box]
    lines: list[Line]
    width: float
    height: float
    size: Size


def stated(rows: Iterable[Row]) -> list[Edge]:
    """The edges of the table of causal relations."""
    return [
        Edge(row["cause_id"], row["effect_id"], row["relation"], row["statement_id"])
        for row in rows
    ]


def kinds(edges: Sequence[Edge], features: dict[str, Feature]) -> list[Edge]:
    """From features of the graph to the nearest broader one in it, by way of those between.

    Left out where the broader one leads to its kind: the line would run backward.
    """
    nodes = {node for edge in edges for node in (edge.cause, edge.effect)}
    found: list[Edge] = []
    for node in sorted(nodes, key=list(features).index):
        chain = [node]
        for broader in reversed(features[node].path):
            chain.append(broader.id)
            if broader.id in nodes:
                break
        if chain[-1] == node or chain[-1] not in nodes:
            continue
        if node in _reached([*edges, *found], chain[-1]):
            continue
        links = [Edge(a, b, KIND) for a, b in itertools.pairwise(chain)]
        found += [link for link in links if link not in found]
    return found


def _reached(edges: Sequence[Edge], start: str) -> set[str]:
    """A feature and all that it leads to."""
    found, todo = {start}, [start]
    while todo:
        node = todo.pop()
        new = {edge.effect for edge in edges if edge.cause == node} - found
        found |= new
        todo += new
    return found


def draw(edges: Sequence[Edge], features: dict[str, Feature], size: Size) -> Drawing:
    """The drawing of edges without cycles."""
    order = list(features)
    places: dict[Node, tuple[float, float]] = {}
    bottom = 0.0
    for part in _parts(edges, order):
        layers = _layers(part)
        columns = _columns(part, layers, order)
        heights = _heights(columns, part, layers, size)
        top = min(heights[node] - _half(node, size) for node in heights)
        for number, column in enumerate(columns):
            for node in column:
                x = number * (size.width + size.across)
                places[node] = (x, round(bottom - top + heights[node], 2))
        bottom += max(heights[node] + _half(node, size) for node in heights) - top + 2 * size.down
    boxes = [
        Box(
            node,
            features[node].row["category"],
            wrapped(features[node].name, size.letters),
            x,
            round(y - size.height / 2, 2),
        )
        for node, (x, y) in places.items()
        if isinstance(node, str)
    ]
    lines = [Line(edge, _path(edge, places, size)) for edge in edges]
    width = max((box.x + size.width for box in boxes), default=0)
    return Drawing(boxes, lines, width, round(bottom - 2 * size.down, 2), size)


def _parts(edges: Sequence[Edge], order: list[str]) -> list[list[Edge]]:
    """The edges of each connected part, parts and edges in the order of the features."""
    links = [*edges, *(Edge(edge.effect, edge.cause, edge.relation) for edge in edges)]
    left = {node for edge in edges for node in (edge.cause, edge.effect)}
    found = []
    for node in order:
        if node in left:
            part = _reached(links, node)
            left -= part
            found.append([edge for edge in edges if edge.cause in part])
    return found


def _layers(edges: Sequence[Edge]) -> dict[str, int]:
    """The column of each feature: one before the first of its effects."""
    after = defaultdict(list)
    for edge in edges:
        after[edge.cause].append(edge.effect)
    depths: dict[str, int] = {}

    def depth(node: str) -> int:
        if node not in depths:
            depths[node] = 1 + max((depth(effect) for effect in after[node]), default=-1)
        return depths[node]

    deepest = max(depth(edge.cause) for edge in edges)
    return {node: deepest - own for node, own in depths.items()}


def _chain(edge: Edge, layers: dict[str, int]) -> list[Node]:
    """An edge from cause to effect, with its place in each column between."""
    passed = range(layers[edge.cause] + 1, layers[edge.effect])
    return [edge.cause, *((edge.cause, edge.effect, layer) for layer in passed), edge.effect]


def _columns(edges: Sequence[Edge], layers: dict[str, int], order: list[str]) -> list[list[Node]]:
    """The nodes of each column from top to bottom: effects are followed back to their causes."""
    before: dict[Node, list[Node]] = defaultdict(list)
    by_length = sorted(
        edges, key=lambda edge: (layers[edge.effect] - layers[edge.cause], order.index(edge.cause))
    )
    for edge in by_length:
        chain = _chain(edge, layers)
        for cause, effect in itertools.pairwise(chain):
            before[effect].append(cause)
    columns: list[list[Node]] = [[] for _ in range(max(layers.values()) + 1)]
    seen: set[Node] = set()

    def visit(node: Node) -> None:
        if node not in seen:
            seen.add(node)
            columns[layers[node] if isinstance(node, str) else node[2]].append(node)
            for cause in before[node]:
                visit(cause)

    causes = {edge.cause for edge in edges}
    for node in sorted(layers, key=order.index):
        if node not in causes:
            visit(node)
    return columns


def _half(node: Node, size: Size) -> float:
    """Half the height that a node needs in its column; a line needs none."""
    return size.height / 2 if isinstance(node, str) else 0.0


def _heights(
    columns: list[list[Node]], edges: Sequence[Edge], layers: dict[str, int], size: Size
) -> dict[Node, float]:
    """The middle of each node: the tallest column is stacked, the others lie beside it.

    From column to column a node is as near to its neighbors as the others allow; features count
    before lines that only pass, so that a relation of two neighbors is level where it can be.
    """
    beside: dict[Node, list[Node]] = defaultdict(list)
    for edge in edges:
        chain = _chain(edge, layers)
        for cause, effect in itertools.pairwise(chain):
            beside[cause].append(effect)
            beside[effect].append(cause)
    offsets: dict[Node, float] = {}
    for column in columns:
        below = 0.0
        for node in column:
            offsets[node] = below + _half(node, size)
            below = offsets[node] + _half(node, size) + size.down
    tallest = max(range(len(columns)), key=lambda number: len(columns[number]))
    heights = {node: offsets[node] for node in columns[tallest]}
    outward = [*range(tallest + 1, len(columns)), *range(tallest - 1, -1, -1)]
    for number in outward:
        wanted: list[float] = []
        for node in columns[number]:
            placed = [other for other in beside[node] if other in heights]
            features = [other for other in placed if isinstance(other, str)] or placed
            middle = sum(heights[other] for other in features) / max(1, len(features))
            # What has no neighbor yet goes below the one before it.
            wanted.append(middle - offsets[node] if placed else [0.0, *wanted][-1])
        for node, shift in zip(columns[number], _ascending(wanted), strict=True):
            heights[node] = offsets[node] + shift
    return heights


def _ascending(wanted: list[float]) -> list[float]:
    """The ascending numbers that are nearest to those wanted (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for value in wanted:
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [((a * m + b * n) / (m + n), m + n)]
    return [mean for mean, count in blocks for _ in range(count)]


def _path(edge: Edge, places: dict[Node, tuple[float, float]], size: Size) -> str:
    """The path of an edge: level beside boxes that it passes, bent between the columns."""
    x, y = places[edge.cause]
    path = f"M{x + size.width:g} {y:g}"
    x, (goal, _) = x + size.width, places[edge.effect]
    passed = [
        places[node]
        for node in places
        if not isinstance(node, str) and node[:2] == (edge.cause, edge.effect)
    ]
    for next_x, next_y in [*sorted(passed), places[edge.effect]]:
        middle = (x + next_x) / 2
        path += f"C{middle:g} {y:g} {middle:g} {next_y:g} {next_x:g} {next_y:g}"
        if next_x != goal:
            path += f"H{next_x + size.width:g}"
        x, y = next_x + size.width, next_y
    return path
