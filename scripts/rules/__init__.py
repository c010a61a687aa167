"""The registry of rules, and the one place that runs them.

A rule is a small function in a module of this package. Its docstring is its sentence; the
decorator gives it an id (kebab-case, never reused), the stage at which it runs, and the repair.
"""

import importlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from fault import Fault
from package import Package, Resource
from parallel import spread
from reader import Check, Reader, Table

MODULES = (
    "descriptor",
    "schema",
    "form",
    "table",
    "citations",
    "evidence",
    "ontology",
    "retired",
    "opinion",
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

    `stage` says what `check` takes and yields: "package" a Package and Faults, "table" a Table
    and Faults, "tables" the same when all tables are read, "row" a Resource and Checks, "text" a
    block of text with the number of its first line and (line, message), "since" a Package with an
    earlier one and Faults, "opinion" a Package and Faults, which count where no other rule found
    anything. `quick` rules need nothing but the standard library.
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
        importlib.import_module(f"rules.{name}")
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
    resources = package.resources
    # Beside another validator there is time to read one table after the other.
    sizes = [0 if "opinion" in stages else package.size(each.path) for each in resources]
    for resource, found in spread(resources, sizes, lambda each: _read(each, stages)):
        if isinstance(found, Table):
            progress(resource.path)
            found.resource = resource
            package.tables[resource.name] = found
        else:
            yield found
    package.tables = {r.name: package.tables[r.name] for r in resources if r.name in package.tables}
    for each in stages.get("package", []):
        yield from (issue(each, fault) for fault in each.check(package))
    for table in package.tables.values():
        yield from _on_table(table, stages.get("tables", []))
    for each in stages.get("since", []) if earlier else ():
        yield from (issue(each, fault) for fault in each.check(package, earlier))


def _on_table(table: Table, rules: list[Rule]) -> Iterator[Issue]:
    for each in rules:
        yield from (issue(each, fault) for fault in each.check(table))


def _read(resource: Resource, stages: dict[str, list[Rule]]) -> Iterator[Issue | Table]:
    """What is wrong with one table, as far as it can be seen without the others; the table."""
    checks: list[Check] = []
    owners: list[Rule] = []
    text_rules = stages.get("text", [])
    for each in stages.get("row", []):
        for check in each.check(resource):
            checks.append(check)
            owners.append(each)
    reader = Reader(resource, [each.check for each in text_rules], checks)
    try:
        for stage, index, fault in reader.read():
            yield issue(owners[index] if stage == "row" else text_rules[index], fault)
    except OSError:
        return  # the rule file-missing says so
    yield from _on_table(reader.table, stages.get("table", []))
    reader.table.release()
    yield reader.table


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
    whole = table.complete and all(other and other.complete for other in found)
    if whole and all(other.has(*fields) for other, (_, fields) in zip(found, targets, strict=True)):
        return found
    return None
