"""The registry of rules, and the one place that runs them.

A rule is a small function in a module of this package. Its docstring is its sentence; the
decorator gives it an id (kebab-case, never reused), the stage at which it runs, and the repair.
"""

import importlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pipeline.issue import Fault
from pipeline.package import Package, Resource
from pipeline.package.table import Table, read

MODULES = (
    "descriptor",
    "schema",
    "form",
    "keys",
    "citations",
    "evidence",
    "ontology",
    "retired",
    "second_opinion",
)
# Places with a fault that are remembered to compare other validators with.
_MAX_SEEN = 100_000
FIX = "run scripts/validate.py --fix"


class Issue(NamedTuple):
    """A fault with the rule that found it. Sorts by place."""

    path: str
    line: int
    field: str
    rule: str
    severity: str
    message: str
    hint: str


class Rule(NamedTuple):
    """A rule of the registry.

    `stage` says what `check` takes and yields: "text" a block of text with the number of its first
    line and (line, message), "column" a Column and (text, message), "table" a Table and Faults,
    "package" a Package and Faults, "since" a Package with an earlier one and Faults, "opinion" a
    Package and Faults, which count where no other rule found anything. `quick` rules need nothing
    but the standard library.
    """

    id: str
    stage: str
    severity: str
    sentence: str
    hint: str
    module: str
    quick: bool
    check: Callable


REGISTRY: dict[str, Rule] = {}


def rule(
    name: str, hint: str, *, stage: str = "package", severity: str = "error", quick: bool = True
) -> Callable[[Callable], Callable]:
    """Register a function as the rule with this id."""

    def register(check: Callable) -> Callable:
        if name in REGISTRY:
            raise ValueError(f"the rule {name} is registered twice")
        sentence = " ".join((check.__doc__ or "").split())
        module = check.__module__.rpartition(".")[2]
        REGISTRY[name] = Rule(name, stage, severity, sentence, hint, module, quick, check)
        return check

    return register


def load() -> dict[str, Rule]:
    """The whole registry, in the order of the modules."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
    # Modules import each other, so that rules may have been registered in another order.
    ordered = sorted(REGISTRY.items(), key=lambda item: MODULES.index(item[1].module))
    REGISTRY.clear()
    REGISTRY.update(ordered)
    return REGISTRY


def run(
    package: Package,
    rules: list[Rule],
    progress: Callable[[str], None] = lambda _: None,
    meanwhile: Callable[[], None] = lambda: None,
    earlier: Package | None = None,
) -> Iterator[Issue]:
    """Read every table once and yield what the rules find, in no particular order.

    `meanwhile` is called when the rules are done and only other validators are waited for.
    Without an `earlier` package, whose tables were read, rules of the stage "since" do not run.
    """
    stages: dict[str, list[Rule]] = {}
    for each in rules:
        stages.setdefault(each.stage, []).append(each)
    # Called first, so that a validator with a process of its own works while the rules run.
    opinions = [(each, each.check(package)) for each in stages.get("opinion", [])]
    seen: set[tuple[str, int]] = set()
    misled = False
    try:
        for found in _run(package, stages, progress, earlier):
            if len(seen) < _MAX_SEEN:
                seen.add((found.path, found.line))
            misled |= found.path.endswith(".json") and found.rule != "statistics"
            yield found
        meanwhile()
        for each, faults in opinions:
            progress(f"waiting for {each.id} (--skip {each.id} does without)")
            for fault in faults:
                if _is_news(package, fault, seen, misled):
                    yield issue(each, fault._replace(line=fault.line or 1))
    finally:
        for _, faults in opinions:
            faults.close()


def _is_news(package: Package, fault: Fault, seen: set[tuple[str, int]], misled: bool) -> bool:
    """Whether what another validator found is not what a rule found, or follows from it.

    A fault of a whole file (line 0) or in a table that is not sound mostly follows from another;
    and whoever was misled by a faulty descriptor or schema judges something else.
    """
    if fault.path.endswith(".json") and fault.line:
        return (fault.path, fault.line) not in seen
    if misled or not fault.line:
        return not seen
    tables = package.tables.values()
    sound = all(table.sound for table in tables if table.resource.path == fault.path)
    return sound and (fault.path, fault.line) not in seen


def _run(
    package: Package,
    stages: dict[str, list[Rule]],
    progress: Callable[[str], None],
    earlier: Package | None,
) -> Iterator[Issue]:
    for resource in package.resources:
        progress(resource.path)
        yield from _read(package, resource, stages)
    for each in stages.get("package", []):
        yield from (issue(each, fault) for fault in each.check(package))
    for table in package.tables.values():
        for each in stages.get("table", []):
            yield from (issue(each, fault) for fault in each.check(table))
    for each in stages.get("since", []) if earlier else ():
        yield from (issue(each, fault) for fault in each.check(package, earlier))


def _read(package: Package, resource: Resource, stages: dict[str, list[Rule]]) -> Iterator[Issue]:
    """What is wrong with the text of one table and with its cells; the table is kept."""
    found: list[Issue] = []

    def see(text: str, number: int) -> None:
        for each in stages.get("text", []):
            for line, message in each.check(text, number):
                found.append(issue(each, Fault(resource.path, line, "", message)))

    try:
        table = package.tables[resource.name] = read(resource, see)
    except OSError:
        return  # the rule file-missing says so
    yield from found
    for field in resource.fields:
        column = table.column(field)
        for each in stages.get("column", []):
            wrong = dict(each.check(column))
            yield from (issue(each, fault) for fault in table.faults(field["name"], wrong))


def issue(rule: Rule, fault: Fault) -> Issue:
    """The issue that a rule makes of a fault."""
    return Issue(
        fault.path, fault.line, fault.field, rule.id, rule.severity, fault.message, rule.hint
    )


def tables_of(table: Table, *targets: tuple[str, list[str]]) -> list[Table] | None:
    """The tables with these names, if they have these fields and were read whole.

    A comparison with half a table would only repeat the fault that kept it from being read.
    """
    found = [table.resource.package.tables.get(name) for name, _ in targets]
    if not table.complete or not all(other and other.complete for other in found):
        return None
    fields = zip(found, (names for _, names in targets), strict=True)
    return found if all(other.columns.keys() >= set(names) for other, names in fields) else None
