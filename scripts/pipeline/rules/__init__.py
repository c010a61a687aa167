"""The registry of rules, and the one place that runs them.

A rule is a small function in a module of this room. Its docstring is its sentence; the decorator
gives it an id (kebab-case, never reused) and the repair, and says what the function takes:

- `text_rule`: a block of whole lines and the number of its first; yields (line, message)
- `column_rule`: a Column, distinct texts of a field or of a part of it; yields (text, message)
- `table_rule`: a Resource whose table was read, all others read before; yields Faults
- `package_rule`: a Package; yields Faults
- `release_rule`: a Package and an earlier one; yields Faults
"""

import contextlib
import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import Any, NamedTuple

from pipeline.causes import Causes
from pipeline.issue import CannotRun, Fault, Issue, bounded
from pipeline.package import DESCRIPTOR, Package, Resource
from pipeline.package.table import Column, Table

MODULES = (
    "descriptor",
    "schema",
    "references",
    "form",
    "characters",
    "constraints",
    "citations",
    "keys",
    "citation_file",
    "generated",
    "evidence",
    "figures",
    "ontology",
    "retired",
    "second_opinion",
)
FIX = "run scripts/validate.py --fix"
# The modules on what tables are judged by.
_OF_SCHEMAS = ("descriptor", "schema", "references")
# Without these the tables cannot be read whole, or a row cannot be told from another.
_READABLE = (
    "json-syntax",
    "json-duplicate-key",
    "descriptor-shape",
    "resource-duplicate",
    "path-unsafe",
    "file-missing",
    "schema-shape",
    "primary-key-missing",
    "encoding",
    "overlong-line",
    "csv-syntax",
    "header",
    "blank-row",
    "repeated-header",
    "ragged-row",
    "primary-key",
)
# What else keeps a table from being read: the standard allows it.
_SUPPORTED = ("descriptor-unsupported", "schema-unsupported")

TextCheck = Callable[[str, int], Iterator[tuple[int, str]]]
ColumnCheck = Callable[[Column], Iterator[tuple[str, str]]]
TableCheck = Callable[[Resource], Iterator[Fault]]
PackageCheck = Callable[[Package], Iterator[Fault]]
ReleaseCheck = Callable[[Package, Package], Iterator[Fault]]


class Rule(NamedTuple):
    """A rule of the registry.

    `kind` is what the decorator said: text, column, table, package or release. `quick` rules need
    nothing but the standard library; `fixable` ones are repaired by --fix. Where a `first` one
    finds a fault, nothing else is said of the file; a `last` one compares something with
    descriptor, schemas and tables, and is asked where no other found a fault in these; what an
    `opinion` finds counts where no other rule found anything; a `note` is no fault.
    """

    id: str
    kind: str
    sentence: str
    repair: str
    module: str
    quick: bool
    fixable: bool
    first: bool
    last: bool
    opinion: bool
    note: bool
    check: Callable[..., Iterator[Any]]

    @property
    def severity(self) -> str:
        """Every fault is an error: what is published is right or is not published."""
        return "note" if self.note else "error"

    def issue(self, fault: Fault) -> Issue:
        """The issue that the rule makes of a fault."""
        path, line, field, message = bounded(fault)[:4]
        return Issue(path, line, field, self.id, self.severity, message, self.repair)


# A rule and what it finds.
Found = tuple[Rule, Iterable[Fault]]

REGISTRY: dict[str, Rule] = {}


def text_rule(
    name: str, repair: str = "", *, fix: bool = False
) -> Callable[[TextCheck], TextCheck]:
    """Register a function of a block of text as the rule with this id."""
    return _registered("text", name, repair, fix=fix)


def column_rule(
    name: str, repair: str = "", *, fix: bool = False, quick: bool = True
) -> Callable[[ColumnCheck], ColumnCheck]:
    """Register a function of a column as the rule with this id."""
    return _registered("column", name, repair, fix=fix, quick=quick)


def table_rule(
    name: str, repair: str = "", *, fix: bool = False, last: bool = False
) -> Callable[[TableCheck], TableCheck]:
    """Register a function of a table as the rule with this id."""
    return _registered("table", name, repair, fix=fix, last=last)


def package_rule(
    name: str,
    repair: str = "",
    *,
    fix: bool = False,
    quick: bool = True,
    first: bool = False,
    last: bool = False,
    opinion: bool = False,
) -> Callable[[PackageCheck], PackageCheck]:
    """Register a function of a package as the rule with this id."""
    return _registered(
        "package", name, repair, fix=fix, quick=quick, first=first, last=last, opinion=opinion
    )


def release_rule(
    name: str, repair: str, *, note: bool = False
) -> Callable[[ReleaseCheck], ReleaseCheck]:
    """Register a function of a package and an earlier one as the rule with this id.

    With `note`, what it finds is only to be known: the package is valid all the same.
    """
    return _registered("release", name, repair, note=note)


def _registered(
    kind: str,
    name: str,
    repair: str,
    *,
    fix: bool = False,
    quick: bool = True,
    first: bool = False,
    last: bool = False,
    opinion: bool = False,
    note: bool = False,
) -> Callable[[Any], Any]:
    def register(check: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        if name in REGISTRY:
            raise ValueError(f"the rule {name} is registered twice")
        sentence = " ".join((check.__doc__ or "").split())
        module = check.__module__.rpartition(".")[2]
        words, turn = repair or FIX, (first, last, opinion)
        REGISTRY[name] = Rule(name, kind, sentence, words, module, quick, fix, *turn, note, check)
        return check

    return register


def load() -> dict[str, Rule]:
    """The whole registry, in the order of the modules."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
    # Whoever imported one of the modules before changed the order.
    ordered = sorted(REGISTRY.items(), key=lambda item: MODULES.index(item[1].module))
    REGISTRY.clear()
    REGISTRY.update(ordered)
    return REGISTRY


def run(
    package: Package,
    selected: list[Rule],
    earlier: Package | None = None,
    say: Callable[[str], None] = lambda _: None,
    each: bool = False,
) -> Iterator[Issue]:
    """Read every table once and yield what the rules find, in no particular order.

    Opinions are not asked here. Without an `earlier` package, whose tables were read, the rules
    that compare releases do not run. Faults that have much in common are one issue, unless `each`
    is asked for.
    """
    spoiled: set[str] = set()
    for rule in selected:
        for fault in rule.check(package) if rule.first else ():
            spoiled.add(fault.path)
            yield rule.issue(fault)
    sources = {document.path for document in package.documents()}
    sources.update(resource.path for resource in package.resources)
    sound = sources.isdisjoint(spoiled)
    now = [rule for rule in selected if not (rule.first or rule.last or rule.opinion)]
    last = [rule for rule in selected if rule.last]
    causes = Causes(package, each)
    for rule, faults in chain(_texts(package, now, say), _judged(package, now)):
        causes.notice(rule.id, rule.module, (x for x in faults if x.path not in spoiled))
    if sound and sources.isdisjoint(causes.paths()):
        for rule, faults in _judged(package, last):
            causes.notice(rule.id, rule.module, (x for x in faults if x.path not in spoiled))
    for name, fault in causes.said():
        yield REGISTRY[name].issue(fault)
    # What a release lost or has new is said of each row: that is what one looks for there.
    for rule in now if earlier else ():
        if rule.kind == "release":
            yield from (
                rule.issue(x) for x in rule.check(package, earlier) if x.path not in spoiled
            )


def cause_first(issue: Issue) -> tuple[int, Issue]:
    """What issues are sorted by: each file after those that its faults may come from."""
    order = (DESCRIPTOR, "schemas/", "data/")
    ranks = (rank for rank, start in enumerate(order) if issue.path.startswith(start))
    return next(ranks, len(order)), issue


def _texts(package: Package, rules: list[Rule], say: Callable[[str], None]) -> Iterator[Found]:
    """Read every table; what is wrong with the text of each."""
    found: dict[str, list[Fault]] = {}
    for resource in package.resources:
        say(resource.path)
        _read(resource, [rule for rule in rules if rule.kind == "text"], found)
    yield from ((rule, found[rule.id]) for rule in rules if rule.id in found)


def _judged(package: Package, rules: list[Rule]) -> Iterator[Found]:
    """What is wrong with a package whose tables were read: schemas, cells, then all else."""
    tables = [resource for resource in package.resources if resource.is_read]
    schemas = [rule for rule in rules if rule.kind == "package" and rule.module in _OF_SCHEMAS]
    for rule in schemas:
        yield rule, rule.check(package)
    columns = [rule for rule in rules if rule.kind == "column"]
    for resource in tables:
        yield from _columns(resource, columns)
    tables = _in_order(tables)
    for rule in rules:
        if rule.kind == "table":
            # One by one: of what is referred to, the faults are known then.
            yield from ((rule, rule.check(resource)) for resource in tables)
        elif rule.kind == "package" and rule not in schemas:
            yield rule, rule.check(package)


def _in_order(tables: list[Resource]) -> list[Resource]:
    """Each table after those that it refers to, unless they refer to each other in a circle."""
    by_name = {resource.name: resource for resource in tables}
    targets = {
        name: {each.resource for each in resource.references if each.key} & by_name.keys() - {name}
        for name, resource in by_name.items()
    }
    try:
        return [by_name[name] for name in TopologicalSorter(targets).static_order()]
    except CycleError:
        return tables


def _read(resource: Resource, rules: list[Rule], found: dict[str, list[Fault]]) -> None:
    """Read a table and note what is wrong with its text."""

    def see(text: str, number: int) -> None:
        for rule in rules:
            for line, message in rule.check(text, number):
                fault = Fault(resource.path, line, "", message)
                found.setdefault(rule.id, []).append(fault)

    with contextlib.suppress(OSError):  # the rule file-missing says so
        resource.read(see)


def _columns(resource: Resource, rules: list[Rule]) -> Iterator[Found]:
    """What is wrong with the texts of each column."""
    for field in resource.fields:
        wrong: dict[Rule, dict[str, str]] = {}
        for column in resource.table.columns(field):
            for rule in rules:
                for text, message in rule.check(column):
                    wrong.setdefault(rule, {})[text] = message
        for rule in filter(wrong.__contains__, rules):
            yield rule, resource.table.faults(field["name"], wrong[rule])


def tables_of(resource: Resource, *targets: tuple[str, list[str]]) -> list[Table] | None:
    """The tables with these names and fields; None where one was not read whole, or is doubtful.

    A comparison with half a table, with none of its rows, or with a field that has a fault, would
    only repeat elsewhere what is wrong there. What the schema refers to may not be there, which the
    rule foreign-key-target says; that any other is not is a mistake in the rule, and raises
    LookupError.
    """
    package, found = resource.package, []
    for name, fields in targets:
        other = package.resource(name)
        if other and other.places.keys() >= {*fields}:
            if not other.is_told or not other.table.doubtful.isdisjoint(fields):
                return None
            found.append(other.table)
        elif name in package.declared("name") or (name, *fields) in resource.targets:
            return None
        else:
            raise LookupError(f"there is no {name} with {', '.join(fields)}")
    return found if resource.table.complete else None


def refusals(field: dict[str, Any], texts: Iterable[str], *others: str) -> dict[str, str]:
    """Why a field cannot have some texts, as the rules on constraints and those named say."""
    distinct = set(texts)
    if not distinct:  # as of most fields
        return {}
    column = Column(field, distinct)
    why: dict[str, str] = {}
    for text, message in chain.from_iterable(check(column) for check in _of_constraints(others)):
        why.setdefault(text, message)
    return why


@lru_cache
def _of_constraints(others: tuple[str, ...]) -> list[ColumnCheck]:
    return [
        rule.check
        for rule in load().values()
        if rule.kind == "column" and (rule.module == "constraints" or rule.id in others)
    ]


def _named(names: Iterable[str]) -> list[Rule]:
    registry = load()
    return [registry[each] for each in names]


def first_fault(package: Package, selected: list[Rule], paths: Sequence[Any] = ()) -> str:
    """The first fault that these rules find, on one line; nothing where they find none.

    Those in the files at some paths come before all others, in the order of the paths.
    """

    def first(issue: Issue) -> tuple[int, tuple[int, Issue]]:
        return paths.index(issue.path) if issue.path in paths else len(paths), cause_first(issue)

    issue = min(run(package, selected), key=first, default=None)
    return f"{issue.path}:{issue.line}: {issue.message} [{issue.rule}]" if issue else ""


def opened(package: Package, name: str, *fields: str) -> Resource:
    """A table of a package, read, to work with; the others may have any fault.

    Raises CannotRun where it is not there, lacks one of some fields, or is not in order.
    """
    resource = package.resource(name)
    if resource:
        with contextlib.suppress(OSError):  # the rule file-missing says so
            resource.read()
        if missing := [field for field in fields if field not in resource.places]:
            raise CannotRun(f"{resource.document.path} has no field {missing[0]}, which this needs")
        if resource.is_read and resource.table.sound:
            return resource
    what = "there is none"
    specs = [each for each in package.specs if isinstance(each, dict) and each.get("name") == name]
    if package.document.error or specs:
        own = [each.get("path" if resource else "schema") for each in specs]
        ids = _READABLE if resource else (*_READABLE, *_SUPPORTED)
        what = first_fault(package, _named(ids), [*own, DESCRIPTOR])
    raise CannotRun(f"cannot use the table {name}: {what}; validate and repair the package first")


def readable(package: Package, name: str) -> None:
    """Read the tables of a package that is only to be compared with another.

    Raises CannotRun where it is too broken for that.
    """
    if what := first_fault(package, _named(_READABLE)):
        raise CannotRun(f"cannot compare with {name}: {what}; validate and repair it first")
    if len(package.resources) < len(package.specs):
        raise CannotRun(
            f"cannot compare with {name}: not all of its tables can be used; validate it"
        )
    if not package.resources:
        raise CannotRun(f"cannot compare with {name}: its {DESCRIPTOR} names no table")
