"""The profile: what it says is what is checked, what an editor explains, and what a release has."""

import copy
import json
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from commands import PACKAGES, ROOT, by_node, validate
from pipeline.package.profile import Reader, misfits_of_descriptor, misfits_of_schema

FOLDER = ROOT / "schemas/profile"
PROFILES = {
    name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("data-package", "table-schema")
}
TABLE_SCHEMAS = sorted((ROOT / "schemas").glob("*.json"))


def _shapes(shape: object) -> Iterator[dict]:
    """Every object inside of a JSON Schema, and it itself."""
    if isinstance(shape, dict):
        yield shape
    for inner in shape.values() if isinstance(shape, dict) else shape:
        if isinstance(inner, dict | list):
            yield from _shapes(inner)


def _properties(profile: dict) -> Iterator[tuple[str, dict]]:
    """Every property that a profile describes, wherever it stands."""
    for shape in _shapes(profile):
        for name, inner in shape.get("properties", {}).items():
            if isinstance(inner, dict) and "additionalProperties" in shape:
                yield name, inner


def _known(profile: dict) -> set[str]:
    """The names of all properties of a profile."""
    return {name for shape in _shapes(profile) for name in shape.get("properties", {})}


def _official(name: str) -> Draft7Validator:
    """The profile of the standard, as dplib ships it."""
    (place,) = find_spec("dplib").submodule_search_locations
    path = Path(place) / "profiles/2.0" / name
    return Draft7Validator(json.loads(path.read_text(encoding="utf-8")))


OFFICIAL = {
    "data-package": _official("datapackage.json"),
    "table-schema": _official("tableschema.json"),
}
# What stands inside of the properties that are tried, and what a dialect can say.
MEMBERS = {
    *("path", "email", "givenName", "familyName", "organization", "roles", "value", "label"),
    *("constraints", "reference", "resource", "data", "itemType", "delimiter"),
    *_known(_official("tabledialect.json").schema),
}


@pytest.mark.parametrize("name", PROFILES)
def test_profile_is_a_json_schema(name: str):
    """Catches a profile that is none by the draft that the standard asks for, or by the latest."""
    Draft7Validator.check_schema(PROFILES[name])
    Draft202012Validator.check_schema(PROFILES[name])


@pytest.mark.parametrize("name", PROFILES)
def test_every_property_is_described(name: str):
    """Catches a property of which an editor and the guide would say nothing."""
    described = {name: shape.get("description", "") for name, shape in _properties(PROFILES[name])}
    assert len(described) > 15
    assert [name for name, words in described.items() if not words.endswith(".")] == []


def test_what_the_standard_does_not_know_names_its_rules():
    """Catches a property beyond the standard that nothing checks, and a rule that is gone."""
    known = set.union(*(_known(validator.schema) for validator in OFFICIAL.values()))
    table = PROFILES["table-schema"]
    own = [*table["properties"].items(), *table["definitions"]["field"]["properties"].items()]
    own += PROFILES["data-package"]["definitions"]["resource"]["properties"].items()
    listed = {line.split()[0] for line in validate("--list-rules").stdout.splitlines()}
    for name, shape in own:
        assert name in known or "rules" in shape, name
        assert set(shape.get("rules", [])) <= listed, name


def _without_formats(shape: object) -> object:
    """A profile without the names of fields, which only this package knows."""
    if isinstance(shape, dict):
        return {k: _without_formats(v) for k, v in shape.items() if k != "format"}
    return [_without_formats(each) for each in shape] if isinstance(shape, list) else shape


def _places(value: object, keys: tuple = ()) -> Iterator[tuple]:
    yield keys
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _places(inner, (*keys, key))


DOCUMENTS = [
    (name, json.loads(path.read_text(encoding="utf-8")))
    for root in (ROOT, PACKAGES / "base")
    for name, path in [
        ("data-package", root / "datapackage.json"),
        *(("table-schema", path) for path in sorted((root / "schemas").glob("*.json"))),
    ]
]
NAMES = sorted({name for profile in PROFILES.values() for name, _ in _properties(profile)})
VALUES = [
    None,
    True,
    0,
    -1,
    2.5,
    2.0,
    "",
    "x",
    "integer",
    "string",
    [],
    ["x"],
    ["x", "x"],
    {},
    [{}],
]


@st.composite
def damage(draw: st.DrawFn) -> tuple[str, object]:
    """A descriptor or a schema of this package or of the base with one to three changes."""
    name, document = draw(st.sampled_from(DOCUMENTS))
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(_places(document))[1:]))
        place = document
        for key in way:
            place = place[key]
        value = copy.deepcopy(draw(st.sampled_from(VALUES)))
        how = draw(st.sampled_from(["change", "remove", "add", "double"]))
        if how == "remove":
            del place[last]
        elif how == "add" and isinstance(place[last], dict):
            place[last][draw(st.sampled_from(NAMES))] = value
        elif how == "double" and isinstance(place[last], list) and place[last]:
            place[last].append(copy.deepcopy(place[last][0]))
        else:
            place[last] = value
    return name, document


@settings(max_examples=600)
@given(damage())
def test_reader_agrees_with_a_library(damaged: tuple[str, object]):
    """Catches a keyword that our reader knows otherwise than JSON Schema, of either draft."""
    name, document = damaged
    profile = _without_formats(PROFILES[name])
    fits = not any(Reader(profile).misfits(document))
    assert fits == Draft7Validator(profile).is_valid(document)
    assert fits == Draft202012Validator(profile).is_valid(document)


STANDARD = json.loads((ROOT / "tests/standard.json").read_text(encoding="utf-8"))


def _with(entry: dict, value: object) -> tuple[str, dict]:
    """The base with this value of a property, where an entry of the standard has it."""
    name = "data-package" if entry["in"] in ("package", "resource") else "table-schema"
    file = "datapackage.json" if name == "data-package" else "schemas/types.json"
    document = json.loads((PACKAGES / "base" / file).read_text(encoding="utf-8"))
    place = document
    if entry["in"] == "resource":
        place = document["resources"][5]
    elif entry["in"] in ("field", "constraints"):
        place = {"name": "more", "type": entry["type"]}
        document["fields"].append(place)
    if entry["in"] == "constraints":
        place = place.setdefault("constraints", {})
    place[entry["property"]] = value
    return name, document


@pytest.mark.parametrize("entry", STANDARD, ids=lambda e: f"{e['in']}-{e['property']}")
def test_what_the_standard_says_of_a_property(entry: dict):
    """Catches what the standard allows and is called wrong, and what is wrong and passes."""
    for verdict in ("supported", "not supported", "wrong"):
        for value in entry[verdict]:
            name, document = _with(entry, value)
            read = misfits_of_descriptor if name == "data-package" else misfits_of_schema
            found = list(read(document))
            refused = "not supported" if all(each.unsupported for each in found) else "wrong"
            assert (refused if found else "supported") == verdict, (value, found)
            if verdict != "wrong":
                # The copy in dplib is older than the type list.
                assert OFFICIAL[name].is_valid(document) or entry.get("type") == "list", value


@pytest.mark.parametrize("name", OFFICIAL)
def test_every_property_of_the_standard_is_tried(name: str):
    """Catches a property of the standard that is passed over in silence."""
    tried = {entry["property"] for entry in STANDARD} | MEMBERS
    assert _known(OFFICIAL[name].schema) <= tried


@pytest.mark.parametrize("path", TABLE_SCHEMAS, ids=lambda path: path.stem)
def test_schema_names_the_profile(path: Path):
    """Catches a schema that no editor could explain."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert (path.parent / schema["$schema"]).samefile(FOLDER / "table-schema.json")


def test_editor_explains_and_completes(node: Path, tmp_path: Path):
    """Catches a profile that an editor does not find, refuses, or knows nothing to say of."""
    for name in ("findings", "ontology_mappings"):
        found = by_node(node, "editor.js", ROOT / f"schemas/{name}.json", '"title"')
        assert found["complaints"] == []
    field = '"title": "Finding"'
    said = by_node(node, "editor.js", ROOT / "schemas/findings.json", field)["said"]
    shapes = PROFILES["table-schema"]["definitions"]["field"]["properties"]
    assert said["countOf"] == shapes["countOf"]["description"]
    assert "name" not in said  # it is there already
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    broken = tmp_path / "schemas/findings.json"
    text = broken.read_text(encoding="utf-8")
    broken.write_text(text.replace('"countOf"', '"countof"'), encoding="utf-8")
    (complaint,) = by_node(node, "editor.js", broken, field)["complaints"]
    assert "countof" in complaint


def test_release_has_the_profile_beside_its_schemas(unpacked: Path):
    """Catches a release whose schemas name a profile that is not there, or another one."""
    schemas = sorted((unpacked / "schemas").glob("*.json"))
    assert [path.name for path in schemas] == [path.name for path in TABLE_SCHEMAS]
    for path in schemas:
        schema = json.loads(path.read_text(encoding="utf-8"))
        profile = path.parent / schema["$schema"]
        assert profile.read_bytes() == (FOLDER / "table-schema.json").read_bytes()
        Draft7Validator(json.loads(profile.read_text(encoding="utf-8"))).validate(schema)
