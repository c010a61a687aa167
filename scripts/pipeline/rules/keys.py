"""Rules on rows and tables: keys, order, references, copies and cycles, all from the schema."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import compress, count, filterfalse, islice, pairwise, repeat, starmap
from operator import gt, lt
from typing import Any

from pipeline.issue import Fault, nearest, show
from pipeline.package import Resource
from pipeline.package.field_types import identity
from pipeline.rules import table_rule, tables_of

# The ends of the edges that leave each node, with the row of each edge.
Graph = dict[str, list[tuple[str, int]]]

# Guesses are made for so many ids.
_GUESSES = 50
# A cycle of more rows than this is cut short in the message.
_LONG = 12


def _duplicates(
    resource: Resource, names: Sequence[str]
) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """(row, earlier row with the same values, texts) for every row that is there twice.

    Decimals say how exact a number is, but not which: 1 and 1.00 are the same.
    """
    table = resource.table
    kinds = [resource.field(name)["type"] for name in names]
    if "number" not in kinds and (
        all(starmap(lt, pairwise(table.values(*names))))
        or _hashes(table.values(*names)) == table.rows
    ):
        return
    first: dict[tuple[str | float, ...], int] = {}
    for row, texts in enumerate(table.tuples(*names)):
        values = map(identity, kinds, texts) if "number" in kinds else texts
        earlier = first.setdefault(tuple(values), row)
        if earlier < row:
            yield row, earlier, texts


def _hashes(values: Iterable[Hashable]) -> int:
    """How many distinct values there are, or less: with memory for their hashes alone."""
    return len(set(map(hash, values)))


@table_rule("primary-key", "give the row a key of its own, or delete the copy")
def primary_key(resource: Resource) -> Iterator[Fault]:
    """No two rows have the same primary key, and no part of it is empty."""
    table = resource.table
    names = resource.primary_key
    if not names:
        return
    for name in names:
        if "" in table.each(name):
            yield from table.faults(name, {"": "a part of the primary key is empty"})
    for row, earlier, _ in _duplicates(resource, names):
        message = f"the primary key is that of line {table.lines[earlier]}"
        yield table.fault(row, names[0], message)


@table_rule("unique", "change one of the two values, or delete the copy")
def unique(resource: Resource) -> Iterator[Fault]:
    """No two rows have the same value in a unique field or the same values in a unique key."""
    table = resource.table
    for names in resource.unique - {tuple(resource.primary_key)}:
        for row, earlier, texts in _duplicates(resource, names):
            if all(texts):  # a key with no part empty
                message = f"the value is that of line {table.lines[earlier]}"
                yield table.fault(row, names[0], message)


@table_rule("duplicate-name", "use one spelling, or two names that differ in more than case")
def duplicate_name(resource: Resource) -> Iterator[Fault]:
    """No two values of a unique text differ only in upper and lower case."""
    table = resource.table
    for field in resource.fields:
        if field["type"] == "string" and field.get("constraints", {}).get("unique"):
            name = field["name"]
            distinct = _hashes(map(str.casefold, table.each(name)))
            if distinct == table.rows or distinct == _hashes(table.each(name)):
                continue
            first: dict[str, tuple[str, int]] = {}
            for row, value in enumerate(table.values(field["name"])):
                its, earlier = first.setdefault(value.casefold(), (value, row))
                if value != its:
                    message = f"differs only in case from line {table.lines[earlier]}"
                    yield table.fault(row, field["name"], message)


@table_rule("row-order", fix=True)
def row_order(resource: Resource) -> Iterator[Fault]:
    """The rows stand in the order of their primary key: numbers by value, text by code point."""
    table = resource.table
    key = resource.primary_key
    if not key or not table.complete:
        return
    keys: Iterator[tuple[Any, ...]] = table.tuples(*key)
    order = map(resource.in_order, keys) if any(resource.numbers) else keys
    wrong = list(compress(count(1), starmap(gt, pairwise(order))))
    if not wrong:
        return
    its, mine = (
        show(",".join(row)) for row in islice(table.tuples(*key), wrong[0] - 1, wrong[0] + 1)
    )
    more = f", and {len(wrong) - 1:,} more rows after the one they belong before"
    message = f"{mine} stands after {its}{more if len(wrong) > 1 else ''}"
    yield table.fault(wrong[0], key[0], message)


def _identity(kinds: list[str], value: str | tuple[str, ...]) -> tuple[str | float, ...]:
    return tuple(map(identity, kinds, [value] if isinstance(value, str) else value))


@table_rule("foreign-key", "correct the reference, or add the row that it names")
def foreign_key(resource: Resource) -> Iterator[Fault]:
    """A reference names a row that there is, in this table or in another."""
    table = resource.table
    for key in resource.schema.get("foreignKeys", []):
        target, fields = key["reference"]["resource"], key["reference"]["fields"]
        found = tables_of(resource, (target, fields))
        if not found or not resource.package.has_key(target, fields):
            continue  # another rule says so
        # Of a key with several parts, some may be empty.
        known: set[Any] = found[0].distinct(*fields)
        first, *others = key["fields"]
        wrong: dict[Any, str] = {}
        ids: dict[str, str] = {}
        kinds = [resource.field(name)["type"] for name in key["fields"]]
        values = {_identity(kinds, value) for value in known} if "number" in kinds else set()
        for value in filterfalse(known.__contains__, table.each(first, *others)):
            if any(value) and _identity(kinds, value) not in values:
                text = value if isinstance(value, str) else ",".join(value)
                guess = len(fields) == 1 and len(wrong) < _GUESSES
                near = nearest(text, known, 0.8) if guess else ""
                hint = f"; did you mean {show(near)}, or is that misspelled?" if near else ""
                wrong[value] = f"{target} has no {', '.join(fields)} {show(text)}{hint}"
                ids[wrong[value]] = text
        if len(wrong) <= found[0].blamed[fields[0]]:
            continue  # so many ids of the other table are said to be wrong themselves
        for fault in table.faults(first, wrong, *others):
            yield fault._replace(about=("id", ids[fault.message]))


@table_rule("copy-differs", "write the same value in both tables")
def copy_differs(resource: Resource) -> Iterator[Fault]:
    """A value that stands in two tables for the reader's sake is the same in both."""
    table = resource.table
    for copy in resource.schema.get("sameAs", []):
        target, fields = copy["reference"]["resource"], copy["reference"]["fields"]
        found = tables_of(resource, (target, fields))
        if not found:
            continue
        if table.distinct(*copy["fields"]) <= found[0].distinct(*fields):
            continue
        originals = {key: values for key, *values in found[0].values(*fields)}
        for row, (key, *values) in enumerate(table.values(*copy["fields"])):
            for name, mine, its in zip(
                copy["fields"][1:], values, originals.get(key, values), strict=True
            ):
                if mine != its:
                    yield table.fault(row, name, f"{show(mine)}, but {target} has {show(its)}")


@table_rule("cycle", "remove one of the edges: a cause or a parent cannot be its own")
def cycle(resource: Resource) -> Iterator[Fault]:
    """Hierarchies, the causal graph and chains of replacements have no cycle."""
    table = resource.table
    for edge in resource.schema.get("acyclic", []):
        graphs: dict[str, Graph] = {}
        edges = table.values(edge["from"], edge["to"])
        groups = table.values(edge["within"]) if "within" in edge else repeat("", table.rows)
        for row, (group, (start, end)) in enumerate(zip(groups, edges, strict=True)):
            if start and end:
                graphs.setdefault(group, {}).setdefault(start, []).append((end, row))
        for graph in graphs.values():
            for row, loop in _cycles(graph):
                yield table.fault(row, edge["to"], f"closes a cycle: {loop}")


def _cycles(graph: Graph) -> Iterator[tuple[int, str]]:
    """The row of each edge that closes a cycle, and the cycle as text."""
    done: set[str] = set()
    for root in graph:
        # Depth first without recursion: a chain may be as long as the table.
        path, places = [root], {root: 0}
        edges = [iter(graph[root])]
        while path:
            for end, row in edges[-1]:
                if end in places:
                    yield row, _cycle(path, places[end])
                elif end not in done:
                    places[end] = len(path)
                    path.append(end)
                    edges.append(iter(graph.get(end, ())))
                    break
            else:
                edges.pop()
                done.add(path[-1])
                del places[path.pop()]


def _cycle(path: list[str], start: int) -> str:
    """The cycle from a place in a path to its end and back; of a long one only the beginning."""
    names = path[start : start + _LONG]
    length = len(path) - start
    if length >= _LONG:
        return " > ".join([*names, f"... ({length:,} in all)"])
    return " > ".join([*names, names[0]])
