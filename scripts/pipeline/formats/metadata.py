"""What formats repeat of the descriptor, a table by its name, and all that is written like one."""

from pipeline.evidence import claims
from pipeline.package import Package, Resource
from pipeline.package.typed import Record, TypedTable

# What a document of its own repeats of the descriptor.
IDENTITY = ("name", "title", "description", "version", "created", "licenses", "sources")


def records(package: Package, name: str) -> list[Record]:
    """The rows of a table that was read and found valid. Raises LookupError where there is none."""
    return table_of(package, name).typed.records()


def tables(package: Package) -> list[TypedTable]:
    """The tables in their order, and the views that are made from them."""
    return [*(each.typed for each in package.resources), *claims.views(package)]


def table_of(package: Package, name: str) -> Resource:
    """The table with this name. Raises LookupError where there is none."""
    if found := package.resource(name):
        return found
    raise LookupError(f"there is no table {name}")


def identity(package: Package) -> Record:
    """What a document of its own repeats of the descriptor."""
    return {key: package.descriptor[key] for key in IDENTITY}


def citation(package: Package) -> str:
    """How to cite the package, in one line."""
    meta = package.descriptor
    makers = ", ".join(maker.get("title", "") for maker in meta["contributors"])
    return f"{makers} ({meta['created'][:4]}). {meta['title']}, version {meta['version']}."


def zip_name(package: Package, folder: str = "") -> str:
    """The name of the zip of a release with one folder of it, or with everything."""
    name = f"{package.descriptor['name']}-{package.descriptor['version']}"
    return f"{name}-{folder}.zip" if folder else f"{name}.zip"


def licenses(package: Package, *keys: str) -> list[str]:
    """The licenses of the package, each by the first of these properties that it has."""
    found = (
        next((terms[key] for key in keys if terms.get(key)), "")
        for terms in package.descriptor["licenses"]
    )
    return [terms for terms in found if terms]
