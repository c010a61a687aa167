"""Of one fault the cause is said, and nothing that only follows from it.

What a rule finds is compared with what the rules before it found. Not said is

- what is about the same as a fault of another rule: a field of a schema, an id;
- what another module says of the same cell, or of one that it was compared with;
- what a column is blamed for that was blamed as a whole, or whose field in the schema has a fault.

More than three faults of one rule are one message, which names their places, where they have one
cause: the same id, the same wrong text, or more than a twentieth of a column; slips of the hand in
one column are said one by one. Rules that compare tables leave a column alone that is `doubtful`,
since it was blamed as a whole.

No fault is lost: what is not said is found again when its cause is repaired, and the exit code is
the same. Who asks for `each` is told those one by one that are else one message.
"""

from collections.abc import Iterable, Iterator

from pipeline.issue import Fault, Keys
from pipeline.package import Package

# So many messages about one thing are said one by one.
MOST = 3
# Of more, so many are remembered, and so many characters of a message are for their places.
_KEPT, _LONG = 1_000, 300
# Of a column, one in so many cells is no slip of the hand any more.
_SHARE = 20

# A rule and its module.
By = tuple[str, str]


class _Group:
    """Faults of one rule that have something in common: their number, and the first of them."""

    def __init__(self, *parts: "_Group", most: int | None = None):
        self.count: int = sum(part.count for part in parts)
        self.first: list[Fault] = [fault for part in parts for fault in part.first][:most]
        self.most = most

    def add(self, fault: Fault) -> None:
        self.count += 1
        if self.most is None or self.count <= self.most:
            self.first.append(fault)

    def columns(self) -> set[tuple[str, str]]:
        """The fields of files in which they are."""
        return {(fault.path, fault.field) for fault in self.first}


class Causes:
    """What was found in a package so far, and what is to be said of it."""

    def __init__(self, package: Package, each: bool = False):
        self._most = None if each else _KEPT
        self._tables = {resource.path: resource for resource in package.resources}
        # By which rule of which module a place was blamed first.
        self._blamed: dict[Keys, By] = {}
        self._news: dict[str, dict[Keys, _Group]] = {}

    def notice(self, rule: str, module: str, faults: Iterable[Fault]) -> None:
        """Take what a rule of a module finds, in one column, one table or wherever it looked."""
        by = (rule, module)
        news: dict[Keys, _Group] = {}
        for fault in faults:
            if not self._follows(by, fault):
                news.setdefault(self._common(fault), self._group()).add(fault)
        known = self._news.setdefault(rule, {}) if news else {}
        for common, group in news.items():
            many = self._is_many([group])
            for fault in group.first:
                for place in self._places(fault, many):
                    self._blamed.setdefault(place, by)
            known[common] = self._group(*filter(None, [known.get(common)]), group)

    def paths(self) -> set[str]:
        """The files in which something was found."""
        groups = (group for news in self._news.values() for group in news.values())
        return {fault.path for group in groups for fault in group.first}

    def said(self) -> Iterator[tuple[str, Fault]]:
        """What is to be said, each with its rule; of one row in few messages."""
        if self._most is None:
            for rule, news in self._news.items():
                yield from ((rule, fault) for group in news.values() for fault in group.first)
            return
        rows: dict[tuple[str, int], list[tuple[str, Fault]]] = {}
        for rule, news in self._news.items():
            for fault in self._few(news.values()):
                if fault.path in self._tables:
                    rows.setdefault((fault.path, fault.line), []).append((rule, fault))
                else:
                    yield rule, fault
        for found in rows.values():
            *_, (rule, _) = found[:MOST]
            rest = [fault for _, fault in found[MOST - 1 :]]
            yield from found[: MOST - 1]
            if rest:
                yield rule, _together(rest, len(rest))

    def _group(self, *parts: _Group) -> _Group:
        return _Group(*parts, most=self._most)

    def _common(self, fault: Fault) -> Keys:
        """What a fault has in common with others that are said together with it."""
        if fault.about:
            return fault.about
        if fault.path in self._tables:
            return fault.path, fault.field
        return fault.path, fault.line, fault.field

    def _follows(self, by: By, fault: Fault) -> bool:
        """Whether the cause of a fault was noticed."""
        if self._blamed.get(fault.about, by) != by:
            return True
        for field in (fault.field, *fault.beside):
            cell, column = (fault.path, fault.line, field), (fault.path, field)
            if self._blamed.get(cell, by)[1] != by[1] or self._blamed.get(column, by) != by:
                return True
        return False

    def _places(self, fault: Fault, many: bool) -> Iterator[Keys]:
        """What a fault puts in doubt; `many` says that it is one of many."""
        yield fault.path, fault.line, fault.field
        if fault.about:
            yield fault.about
        for resource in self._tables.values() if fault.about[1:2] == ("fields",) else ():
            if resource.document.path == fault.about[0] and resource.is_read:
                name = resource.names[int(fault.about[2])]
                resource.table.doubtful.add(name)
                yield resource.path, name
        table = self._tables.get(fault.path)
        if not table or not table.is_read or fault.field not in table.places:
            return
        table.table.blamed[fault.field] += 1
        if many and not fault.about:
            table.table.doubtful.add(fault.field)
            yield fault.path, fault.field
            yield table.about(fault.field)

    def _is_many(self, groups: list[_Group]) -> bool:
        """Whether groups that have a place in common are rather one fault than several."""
        count = sum(group.count for group in groups)
        first = groups[0].first[0]
        if len(groups) == 1 and first.about:
            return count > (1 if first.about[0] == "id" else MOST)
        table = self._tables.get(first.path)
        rows = table.table.rows if table and table.is_read else 0
        alike = len({fault.message for group in groups for fault in group.first}) == 1
        if count <= MOST:
            return 2 < count == rows
        return alike or count > _KEPT or count * _SHARE > rows

    def _few(self, groups: Iterable[_Group]) -> Iterator[Fault]:
        """What is said of one rule: little of a column, and little of columns and files."""
        columns: dict[tuple[str, str], list[_Group]] = {}
        for group in groups:
            columns.setdefault(min(group.columns()), []).append(group)
        wholes: list[_Group] = []
        for (path, field), found in columns.items():
            one = path in self._tables and len(found) > 1 and self._is_many(found)
            for group in [self._group(*found)] if one else found:
                if one or self._is_many([group]) or (group.count == 1 and not field):
                    wholes.append(group)
                else:
                    yield from group.first
        for group in [self._group(*wholes)] if len(wholes) > MOST else wholes:
            yield self._as_one(group)

    def _as_one(self, group: _Group) -> Fault:
        """One fault for many: that of the schema, where most of a column is refused."""
        first = group.first[0]
        resource = self._tables.get(first.path)
        one = _together(group.first, group.count)
        if not resource or not resource.is_read or first.about or len(group.columns()) > 1:
            return one
        rows, document = resource.table.rows, resource.document
        if first.field not in resource.names or 2 * group.count <= rows:
            return one
        about = resource.about(first.field)
        many = f"{group.count:,} of {rows:,} cells are refused, the first on line {first.line}"
        message = f"{many}: {first.message}; or is this wrong?"
        line = document.line(*about[1:], "name")
        return Fault(document.path, line, first.field, message, about)


def _together(faults: list[Fault], count: int) -> Fault:
    """The first of several faults, whose message names the places of the others."""
    first, *others = faults
    if not others:
        return first
    places: list[str] = []
    for place in (_place(fault, first) for fault in others):
        if len(", ".join([*places, place])) > _LONG:
            break
        places.append(place)
    more = count - 1 - len(places)
    rest = f" and {more:,} more" if more else ""
    return first._replace(message=f"{first.message}; as well {', '.join(places)}{rest}")


def _place(fault: Fault, first: Fault) -> str:
    """Where a fault is, seen from the first; or what it is, if it is in the same place."""
    if fault[:3] == first[:3]:
        return fault.message
    path = f"{fault.path}:" if fault.path != first.path else ""
    name = f":{fault.field}" if fault.field != first.field else ""
    return f"{path}{fault.line}{name}" if path or name else f"line {fault.line}"
