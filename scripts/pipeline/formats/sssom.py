"""The ontology mappings in SSSOM, the format in which such mappings are exchanged."""

import io
import re
from typing import Any

from pipeline import files
from pipeline.formats import content, metadata
from pipeline.issue import CannotRun
from pipeline.package import Package, Resource
from pipeline.package.typed import Record

OWNS = re.compile(r"mappings\.sssom\.tsv")
LIBRARIES: dict[str, str] = {"curies": "curies", "sssom-pydantic": "sssom_pydantic"}
TABLE = "ontology_mappings"
SUBJECTS = "subject_id"
NEEDS: dict[str, tuple[str, ...]] = {
    TABLE: (SUBJECTS, "predicate_id", "object_id", "mapping_justification")
}


def write(package: Package, folder: str) -> None:
    """Write mappings.sssom.tsv, in the order of the table, with what each prefix stands for."""
    import curies
    import sssom_pydantic as sssom
    from sssom_pydantic.constants import BUILTIN_CONVERTER

    resource = content.table_of(package, TABLE)
    prefixes: dict[str, str] = {}
    for field in resource.fields:
        prefixes |= field.get("uriPrefixes", {})
    own = list(resource.field(SUBJECTS).get("uriPrefixes", {}))
    if len(own) != 1:
        raise CannotRun(f"{resource.document.path}: {SUBJECTS} needs one prefix in uriPrefixes")
    converter = curies.chain([curies.Converter.from_prefix_map(prefixes), BUILTIN_CONVERTER])
    labels = _labels(package)
    out = io.StringIO()
    try:
        mappings = [
            sssom.Record(**_slots(row, own[0], labels.get(row[SUBJECTS])))
            for row in content.records(package, TABLE)
        ]
        used = {value.partition(":")[0] for row in mappings for value in _curies(row)}
        if unknown := sorted(used - converter.get_prefixes()):
            raise ValueError(f"nothing says what the prefix {unknown[0]} stands for")
        about = _about(package, resource)
        sssom.write_unprocessed(mappings, out, metadata=about, converter=converter, prefixes=used)
    except ValueError as error:  # the errors of pydantic, too
        raise CannotRun(f"{resource.path} cannot be written as SSSOM: {error}") from error
    # The library ends the rows like Windows and the lines above them like Unix.
    files.write_text(folder, "mappings.sssom.tsv", out.getvalue().replace("\r\n", "\n"))


def _slots(row: Record, prefix: str, label: str | None) -> Record:
    """What SSSOM says of a mapping: its filled cells, with a subject that all can tell apart."""
    own = {SUBJECTS: f"{prefix}:{row[SUBJECTS]}", "subject_label": label}
    return {key: value for key, value in (row | own).items() if value is not None}


def _about(package: Package, resource: Resource) -> object:
    import sssom_pydantic as sssom

    meta = package.descriptor
    return sssom.MappingSetRecord(
        # What the library makes of the name of a set that has no address of its own.
        mapping_set_id=f"https://w3id.org/sssom/mapping-set/{meta['name']}",
        mapping_set_title=f"{meta['title']}: {resource.schema['title'].lower()}",
        mapping_set_description=resource.schema["description"],
        mapping_set_version=meta["version"],
        publication_date=meta["created"][:10],
        license=next(iter(metadata.licenses(package, "path", "name")), None),
        creator_label=[maker["title"] for maker in meta["contributors"]],
    )


def _curies(row: Any) -> tuple[str, ...]:
    return row.subject_id, row.predicate_id, row.object_id, row.mapping_justification


def _labels(package: Package) -> dict[str, str]:
    """The names of the concepts that can be subjects, by their ids."""
    labels: dict[str, str] = {}
    for resource in package.resources:
        if len(resource.primary_key) == 1 and "name" in resource.names:
            key = resource.primary_key[0]
            values = resource.typed.columns
            labels |= zip(values[key], values["name"], strict=True)
    return labels
