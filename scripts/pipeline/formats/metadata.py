"""What formats repeat of the descriptor."""

from pipeline.package import Package
from pipeline.package.typed import Record

# What a document of its own repeats of the descriptor.
IDENTITY = ("name", "title", "description", "version", "created", "licenses", "sources")


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
