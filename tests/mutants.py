"""Judge every planted defect in one process: what mutation testing runs.

The same cases as test_rules.py without the command around them and without the opinions of
others, so that a change in a rule that changes a verdict is seen within a second or two.
"""

import contextlib
import gc
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cases import build, options
from commands import PACKAGES, ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from pipeline import rules
from pipeline.package import Package, origin

BUILT = ROOT / ".planted"


class Case(NamedTuple):
    """A package, the issues that it must bring, and the rule or module that it is about.

    `earlier` is the release that it is compared with, if any.
    """

    package: Path
    issues: list[str]
    about: str
    earlier: Path | None = None


def main() -> int:
    """Compare every verdict with the expected one; 1 at the first that is another."""
    gc.disable()
    registry = rules.load()
    chosen = [each for each in registry.values() if not each.opinion]
    opinions = tuple(f"[{name}]" for name in registry.keys() - {each.id for each in chosen})
    cases = [Case(ROOT, [], ""), Case(PACKAGES / "base", [], ""), *_cases()]
    changed = {module: _changed(module) for module in rules.MODULES}
    changed |= {each.id: changed[each.module] for each in chosen}
    # Those on the module that was changed last come first: they will notice.
    for case in sorted(cases, key=lambda case: -changed.get(case.about, 0)):
        found = _found(case, chosen)
        expected = sorted(line for line in case.issues if not line.endswith(opinions))
        if found != expected:
            print(f"{case.package}: found {found}, expected {expected}")
            return 1
    return 0


def _changed(module: str) -> int:
    return (ROOT / "scripts" / "pipeline" / "rules" / f"{module}.py").stat().st_mtime_ns


def _found(case: Case, chosen: list[rules.Rule]) -> list[str]:
    with contextlib.ExitStack() as stack:
        earlier = case.earlier and stack.enter_context(origin.opened(str(case.earlier)))
        if earlier:
            rules.readable(earlier, str(case.earlier))
        found = rules.run(Package(str(case.package)), chosen, earlier=earlier)
        return sorted(f"{each.path}:{each.line}:{each.field} [{each.rule}]" for each in found)


def _cases() -> Iterator[Case]:
    """Every case on disk, built once for all runs until one of them changes."""
    sources = [path for path in sorted(PACKAGES.rglob("*")) if path.is_file()]
    digest = hashlib.sha256()
    for path in [ROOT / "tests" / "commands.py", *sources]:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    built = BUILT / digest.hexdigest()[:16]
    cases = {path.relative_to(PACKAGES).with_suffix(""): path for path in sources}
    cases = {name: path for name, path in cases.items() if name.parts[0] in ("invalid", "valid")}
    if not built.is_dir():
        shutil.rmtree(BUILT, ignore_errors=True)
        half = built.with_suffix(".half")
        for name, path in cases.items():
            case = json.loads(path.read_text(encoding="utf-8"))
            build(case, half / name)
            options(case, half / name)
        half.rename(built)
    for name, path in cases.items():
        issues = json.loads(path.read_text(encoding="utf-8")).get("issues", [])
        earlier = built / name / "earlier" / "package"
        known = earlier if earlier.is_dir() else None
        yield Case(built / name / "package", issues, name.parts[1], known)


if __name__ == "__main__":
    sys.exit(main())
