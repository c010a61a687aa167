"""The package as a Croissant dataset (MLCommons, schema.org), over the zip with the CSV."""

import datetime
import os

from pipeline import files
from pipeline.formats import csv_package, metadata
from pipeline.package import Package, Resource

LIBRARIES: dict[str, str] = {"mlcroissant": "mlcroissant"}
_TYPES = {
    "string": "TEXT",
    "integer": "INTEGER",
    "year": "INTEGER",
    "number": "FLOAT",
    "boolean": "BOOL",
    "date": "DATE",
}


def write(package: Package, folder: str) -> None:
    """Write croissant.json beside the zip with the CSV, whose hash it carries."""
    import mlcroissant as mlc

    meta = package.descriptor
    archive = metadata.zip_name(package, csv_package.FOLDER)
    container = mlc.FileObject(
        id=archive,
        name=archive,
        content_url=archive,
        encoding_formats=["application/zip"],
        sha256=files.sha256(folder, archive),
    )
    tables = [
        mlc.FileObject(
            id=resource.path,
            name=os.path.basename(resource.path),
            description=resource.schema.get("description"),
            content_url=resource.path,
            contained_in=[archive],
            encoding_formats=["text/csv"],
        )
        for resource in package.resources
    ]
    made = datetime.datetime.fromisoformat(meta["created"])
    dataset = mlc.Metadata(
        name=meta["name"],
        description=meta["description"],
        version=meta["version"],
        date_published=made.replace(tzinfo=None),
        license=metadata.licenses(package, "path", "name"),
        creators=[mlc.Organization(name=maker["title"]) for maker in meta["contributors"]],
        keywords=meta["keywords"],
        cite_as=metadata.citation(package),
        distribution=[container, *tables],
        record_sets=[_record_set(resource) for resource in package.resources],
    )
    files.write_json(folder, "croissant.json", dataset.to_json())


def _record_set(resource: Resource) -> object:
    """A table: its key, and each field with its type and the column that it comes from.

    References are left out: its reader joins the tables by them, and drops or doubles rows.
    """
    import mlcroissant as mlc

    fields = [
        mlc.Field(
            id=f"{resource.name}/{field['name']}",
            name=field["name"],
            description=field.get("description"),
            data_types=[getattr(mlc.DataType, _TYPES[field["type"]])],
            source=mlc.Source(file_object=resource.path, extract=mlc.Extract(column=field["name"])),
        )
        for field in resource.fields
    ]
    return mlc.RecordSet(
        id=resource.name,
        name=resource.name,
        description=resource.schema.get("description"),
        key=[f"{resource.name}/{name}" for name in resource.primary_key],
        fields=fields,
    )
