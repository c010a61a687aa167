"""Rules on CITATION.cff as YAML, which a library reads; --quick reads its plain lines alone."""

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

from pipeline.issue import Fault, show
from pipeline.package import Package
from pipeline.rules import package_rule

PATH = "CITATION.cff"
MAX_CHARACTERS = 100_000
# Version 1.2.0 of the Citation File Format, as its authors publish it under CC BY 4.0.
_SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "citation-file-format.json")


@package_rule(
    "citation-file", "write CITATION.cff as citation-file-format.github.io says", quick=False
)
def citation_file(package: Package) -> Iterator[Fault]:
    """CITATION.cff, if present, is YAML and valid in the Citation File Format."""
    text = package.text(PATH)
    if text is None:
        return
    if len(text) > MAX_CHARACTERS:
        yield Fault(PATH, 1, "", f"has more than {MAX_CHARACTERS:,} characters")
        return
    from jsonschema import Draft7Validator
    from yaml import YAMLError

    try:
        lines, data = _read(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or "a character that YAML does not know"
        yield Fault(PATH, mark.line + 1 if mark else 1, "", f"is not usable YAML: {problem}")
        return
    except (RecursionError, ValueError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        yield Fault(PATH, 1, "", f"is not usable YAML: {why}")
        return
    with open(_SCHEMA, encoding="utf-8") as file:
        validator = Draft7Validator(json.load(file))
    for misfit in validator.iter_errors(data):
        keys = tuple(misfit.absolute_path)
        place = max((keys[:n] for n in range(len(keys) + 1) if keys[:n] in lines), key=len)
        yield Fault(PATH, lines[place], str(keys[-1]) if keys else "", _why(misfit))


def _why(error: Any) -> str:
    if error.validator in ("additionalProperties", "required"):
        return str(error.message)
    return f"{show(error.instance)} does not fit {error.validator} of the format"


def _read(text: str) -> tuple[dict[tuple, int], Any]:
    """The line of every value by its keys, and the values, with days as texts."""
    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        lines: dict[tuple, int] = {(): 1}
        waiting: list[tuple[tuple, Any]] = [((), node)] if node else []
        while waiting:
            keys, at = waiting.pop()
            lines.setdefault(keys, at.start_mark.line + 1)
            if at.id == "sequence":
                waiting += [((*keys, index), each) for index, each in enumerate(at.value)]
            elif at.id == "mapping":
                for key, value in at.value:
                    lines[(*keys, key.value)] = key.start_mark.line + 1
                    waiting.append(((*keys, key.value), value))
        return lines, loader.construct_document(node) if node else None
    finally:
        loader.dispose()


@cache
def _loader() -> Any:
    """A reader of plain YAML: no alias, which a file may multiply, and no key twice."""
    import yaml

    class Plain(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.composer.ComposerError(None, None, "an alias is not supported", mark)
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[Any] = set()
            for key, _ in node.value:
                if key.value in seen if isinstance(key.value, str) else True:
                    problem = f"the key {show(key.value)} stands twice, or is no text"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    Plain.yaml_implicit_resolvers = {
        sign: [each for each in found if each[0] != "tag:yaml.org,2002:timestamp"]
        for sign, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Plain
