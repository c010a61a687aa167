"""A release, unpacked into an empty folder and read by clients that are not ours.

All see the same values, cell by cell: those that the CSV has and its schema promises.
"""

import csv
import datetime
import functools
import io
import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bibtexparser
import datapackage
import duckdb
import frictionless
import pandas as pd
import polars as pl
import pyarrow.csv
import pyarrow.parquet as pq
import pypandoc
import pytest
import rispy
import sssom_pydantic
from bibtexparser import middlewares
from citeproc import (
    Citation,
    CitationItem,
    CitationStylesBibliography,
    CitationStylesStyle,
    formatter,
)
from citeproc.source.json import CiteProcJSON
from csvkit.utilities.csvjson import CSVJSON

from cases import build, refresh
from commands import PACKAGES, ROOT, by_node, release, validate
from published import RESOURCES, SCHEMAS, VIEWS, expected, of_view, rows

DTYPES = {
    "string": "string",
    "integer": "Int64",
    "year": "Int64",
    "number": "Float64",
    "date": "date32[day][pyarrow]",
}


def plain(value: object) -> object:
    """A value as JSON has it: days as text, no value as null."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if isinstance(value, datetime.date) else value


def types_of(name: str) -> dict[str, str]:
    """The type of each field of a table, as its schema has it."""
    return {field["name"]: field["type"] for field in SCHEMAS[name]["fields"]}


def numbered(name: str, record: dict) -> dict:
    """A record with its decimals as floats, which some clients give as text or as decimals."""
    kinds = types_of(name)
    return {
        key: float(value) if kinds[key] == "number" and value is not None else plain(value)
        for key, value in record.items()
    }


# Tables: each client gives the records of a table from the unpacked folder.


def by_pandas(folder: Path, name: str) -> list[dict]:
    """Parquet in pandas: nullable integers and days keep their type."""
    frame = pd.read_parquet(folder / f"parquet/{name}.parquet")
    for column, kind in types_of(name).items():
        assert frame[column].dtype == DTYPES[kind]
    return [
        {column: None if pd.isna(value) else value for column, value in record.items()}
        for record in frame.to_dict("records")
    ]


def by_polars_csv(folder: Path, name: str) -> list[dict]:
    """CSV in polars, told the types of the schema."""
    overrides = {
        column: {"integer": pl.Int64, "year": pl.Int64, "number": pl.Float64}.get(kind, pl.String)
        for column, kind in types_of(name).items()
    }
    return pl.read_csv(folder / f"data/{name}.csv", schema_overrides=overrides).to_dicts()


def by_polars_parquet(folder: Path, name: str) -> list[dict]:
    """Parquet in polars."""
    return pl.read_parquet(folder / f"parquet/{name}.parquet").to_dicts()


def by_arrow_parquet(folder: Path, name: str) -> list[dict]:
    """Parquet in Arrow, with the description of each column and how to cite the package."""
    table = pq.read_table(folder / f"parquet/{name}.parquet")
    for field in SCHEMAS[name]["fields"]:
        described = table.schema.field(field["name"]).metadata[b"description"]
        assert described.decode() == field["description"]
    assert table.schema.metadata[b"license"] == b"CC-BY-4.0"
    assert b"0." in table.schema.metadata[b"citation"]
    return table.to_pylist()


def by_arrow_csv(folder: Path, name: str) -> list[dict]:
    """CSV in Arrow, told the types of the schema."""
    own = {"integer": pyarrow.int64(), "year": pyarrow.int64(), "number": pyarrow.float64()}
    types = {column: own.get(kind, pyarrow.string()) for column, kind in types_of(name).items()}
    options = pyarrow.csv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True
    )
    path = folder / f"data/{name}.csv"
    return pyarrow.csv.read_csv(path, convert_options=options).to_pylist()


def by_duckdb_parquet(folder: Path, name: str) -> list[dict]:
    """Parquet in DuckDB."""
    return queried("read_parquet(?)", [str(folder / f"parquet/{name}.parquet")])


def by_duckdb_csv(folder: Path, name: str) -> list[dict]:
    """CSV in DuckDB, told the types of the schema."""
    own = {"integer": "BIGINT", "year": "BIGINT", "number": "DOUBLE"}
    types = {column: own.get(kind, "VARCHAR") for column, kind in types_of(name).items()}
    return queried("read_csv(?, columns = ?)", [str(folder / f"data/{name}.csv"), types])


def queried(source: str, parameters: list) -> list[dict]:
    """The rows of a source in DuckDB."""
    found = duckdb.execute(f"select * from {source}", parameters)
    columns = [column[0] for column in found.description]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def by_json(folder: Path, name: str) -> list[dict]:
    """JSON in the standard library."""
    return json.loads((folder / f"json/{name}.json").read_text(encoding="utf-8"))


def by_sqlite(folder: Path, name: str) -> list[dict]:
    """The database in the standard library."""
    with sqlite3.connect(folder / "spinal-metastases.sqlite") as connection:
        connection.row_factory = sqlite3.Row
        order = ", ".join(SCHEMAS[name]["primaryKey"])
        found = [dict(row) for row in connection.execute(f"select * from {name} order by {order}")]
    connection.close()
    return found


DATASETTE = """
import asyncio, json, sys
from datasette.app import Datasette

async def answers(path, queries):
    served = Datasette([path])
    for query in queries:
        found = await served.client.get(
            "/spinal-metastases.json", params={"sql": query, "_shape": "array"}
        )
        assert found.status_code == 200, found.text
        print(json.dumps(found.json()))

asyncio.run(answers(sys.argv[1], sys.argv[2:]))
"""


@functools.cache
def in_datasette(folder: Path) -> dict[str, list[dict]]:
    """All tables in Datasette, which takes longer to start than to answer."""
    orders = {name: ", ".join(schema["primaryKey"]) for name, schema in SCHEMAS.items()}
    queries = [f"select * from {name} order by {order}" for name, order in orders.items()]
    done = subprocess.run(
        [sys.executable, "-c", DATASETTE, folder / "spinal-metastases.sqlite", *queries],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(orders, map(json.loads, done.stdout.splitlines()), strict=True))


def by_datasette(folder: Path, name: str) -> list[dict]:
    """The database in Datasette."""
    return in_datasette(folder)[name]


def by_csvkit(folder: Path, name: str) -> list[dict]:
    """CSV in csvkit, which gives texts."""
    output = io.StringIO()
    CSVJSON(["-I", str(folder / f"data/{name}.csv")], output).run()
    read = {"integer": int, "year": int, "number": float}
    kinds = types_of(name)
    return [
        {
            key: read.get(kinds[key], str)(value) if value not in (None, "") else None
            for key, value in record.items()
        }
        for record in json.loads(output.getvalue())
    ]


TABLE_CLIENTS = [
    by_arrow_csv,
    by_arrow_parquet,
    by_csvkit,
    by_datasette,
    by_duckdb_csv,
    by_duckdb_parquet,
    by_json,
    by_pandas,
    by_polars_csv,
    by_polars_parquet,
    by_sqlite,
]


@pytest.mark.parametrize("client", TABLE_CLIENTS, ids=lambda client: client.__name__)
def test_tables(unpacked: Path, client: Callable):
    """Catches a table that some client reads otherwise than the others."""
    for name in RESOURCES:
        days = {column for column, kind in types_of(name).items() if kind == "date"}
        found = client(unpacked, name)
        if client.__name__.endswith("parquet") or client is by_pandas:
            assert all(isinstance(row[day], datetime.date | None) for row in found for day in days)
        assert [{key: plain(value) for key, value in row.items()} for row in found] == (
            expected(name)
        ), name


def test_frictionless(unpacked: Path):
    """Catches a package that its reference implementation reads differently."""
    package = frictionless.Package(str(unpacked / "datapackage.json"))
    assert package.resource_names == list(RESOURCES)
    for resource in package.resources:
        records = [row.to_dict(json=True) for row in resource.read_rows()]
        assert [numbered(resource.name, record) for record in records] == expected(resource.name)


def test_python_datapackage(unpacked: Path):
    """Catches a descriptor that the older Python library does not read, or a broken relation."""
    package = datapackage.Package(str(unpacked / "datapackage.json"))
    assert package.valid, package.errors
    assert package.resource_names == list(RESOURCES)
    for resource in package.resources:
        assert resource.check_relations()
        records = resource.read(keyed=True)
        assert [numbered(resource.name, record) for record in records] == expected(resource.name)


def test_javascript_datapackage(node: Path, unpacked: Path):
    """Catches a descriptor that JavaScript does not read, or a broken relation."""
    descriptor = os.path.relpath(unpacked / "datapackage.json", node)
    tables = by_node(node, "read.js", descriptor)
    assert list(tables) == list(RESOURCES)
    for name, records in tables.items():
        for record in records:
            if record.get("published_online"):
                record["published_online"] = record["published_online"][:10]
        assert records == expected(name)


def test_json_schemas_in_javascript(node: Path, unpacked: Path):
    """Catches a JSON Schema that only Python can compile, and JSON that is not valid by its own."""
    folder = unpacked / "json"
    wrong = by_node(node, "ajv.js", folder, folder / "schemas")
    assert set(wrong) == {path.name for path in folder.iterdir() if path.suffix == ".json"}
    assert not any(wrong.values()), wrong


def test_javascript_parquet(node: Path, unpacked: Path):
    """Catches Parquet that only the library that wrote it can read."""
    tables = by_node(node, "parquet.mjs", unpacked / "parquet")
    for record in tables["citations"]:
        if record["published_online"]:
            record["published_online"] = record["published_online"].removesuffix("T00:00:00.000Z")
    views = {name: of_view(unpacked, name) for name in VIEWS}
    assert tables == {name: expected(name) for name in RESOURCES} | views


CROISSANT = """
import json, sys
import mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
assert not dataset.metadata.issues.errors, dataset.metadata.issues.report()
assert not dataset.metadata.issues.warnings, dataset.metadata.issues.report()
tables = {each.id: list(dataset.records(each.id)) for each in dataset.metadata.record_sets}
def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return value.date().isoformat() if value == value else None
json.dump(tables, sys.stdout, default=plain)
"""


def test_croissant(released: Path, tmp_path: Path):
    """Catches metadata that is refused, and records that are not those of the tables."""
    for path in (released / "croissant.json", *released.glob("*-csv.zip")):
        shutil.copy(path, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CROISSANT, tmp_path / "croissant.json"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    tables = json.loads(done.stdout)
    assert list(tables) == list(RESOURCES)
    for name, records in tables.items():
        found = [{key.partition("/")[2]: v for key, v in record.items()} for record in records]
        assert [{k: plain(v) for k, v in record.items()} for record in found] == expected(name)


# The database: what it knows, and what it refuses.


@pytest.fixture
def database(unpacked: Path, tmp_path: Path) -> sqlite3.Connection:
    """A copy of the database that minds its references."""
    shutil.copy(unpacked / "spinal-metastases.sqlite", tmp_path / "copy.sqlite")
    connection = sqlite3.connect(tmp_path / "copy.sqlite")
    connection.execute("PRAGMA foreign_keys = ON")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "select pain_type_id, region_id from pain_laterality where laterality = 'bilateral'",
            [("radicular_pain", "thoracic")],
        ),
        (
            "select name, relief from pain_types where relieving_factor = 'rest'",
            [("Mechanical back pain", "partial")],
        ),
        (
            """select comparator, value, population, timepoint, year
            from findings join citations using (citation_id)
            where feature_id = 'back_pain' and stance = 'states'""",
            [(">", 95.0, "spinal epidural metastases", "at diagnosis", 2008)],
        ),
        (
            "select distinct condition_id from findings where feature_id = 'hypercalcemia'",
            [(None,)],
        ),
        (
            "select count(distinct citation_id) from statements",
            [(3,)],
        ),
        (
            """select count(*) from source_passages
            where passage_id not in (select passage_id from statements)""",
            [(0,)],
        ),
    ],
)
def test_canaries(database: sqlite3.Connection, question: str, answer: list):
    """Catches a database in which a known fact has another answer."""
    assert database.execute(question).fetchall() == answer


def test_database_is_sound(database: sqlite3.Connection):
    """Catches a reference that leads nowhere, a missing key, and a table that is not strict."""
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    tables = {row[1]: row for row in database.execute("PRAGMA table_list") if row[2] == "table"}
    named = {name for name in tables if not name.startswith("sqlite_")}
    assert named == {*RESOURCES, *VIEWS} - {"claims"}
    for name, schema in SCHEMAS.items():
        assert tables[name][5] == 1  # strict
        columns = database.execute(f"PRAGMA table_info({name})").fetchall()
        keys = [row[1] for row in sorted(columns, key=lambda row: row[5]) if row[5]]
        assert keys == schema["primaryKey"]
        for field, column in zip(schema["fields"], columns, strict=True):
            assert column[1] == field["name"]
            assert column[3] == field["constraints"]["required"]
        found = database.execute(f"PRAGMA foreign_key_list({name})").fetchall()
        assert {(row[3], row[2], row[4]) for row in found} == {
            (mine, key["reference"]["resource"], theirs)
            for key in schema.get("foreignKeys", [])
            for mine, theirs in zip(key["fields"], key["reference"]["fields"], strict=True)
        }
        (text,) = database.execute(
            "select sql from sqlite_master where name = ?", [name]
        ).fetchone()
        for field in schema["fields"]:
            assert " ".join(field["description"].split()) in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update pain_types set relief = 'some'", "CHECK"),
        ("update findings set n_events = -1", "CHECK"),
        ("update findings set value = 'many'", "cannot store TEXT value in REAL column"),
        ("update findings set population = null", "NOT NULL"),
        ("update findings set citation_id = 'nobody-2001'", "FOREIGN KEY"),
        ("update clinical_features set parent_id = 'nothing'", "FOREIGN KEY"),
        ("insert into conditions select * from conditions", "UNIQUE"),
        ("insert into pain_laterality select * from pain_laterality", "UNIQUE"),
        ("update citations set doi = '10.1/x'", "UNIQUE"),
        ("delete from citations", "FOREIGN KEY"),
    ],
)
def test_database_refuses(database: sqlite3.Connection, change: str, words: str):
    """Catches a constraint of the schemas that the database does not have."""
    with pytest.raises(sqlite3.IntegrityError, match=words):
        database.execute(change)


# The papers.

Paper = tuple[str, str, list[tuple[str, str]], dict[str, str]]
IDENTIFIERS = ("doi", "pmid", "pmcid", "issn")


def paper(key: str, title: str, authors: list[tuple[str, str]], identifiers: dict) -> Paper:
    """A paper: id, title, family names with initials, identifiers."""
    found = {k: str(v) for k, v in identifiers.items() if v and k in IDENTIFIERS}
    bare = [(family, given.replace(".", "").replace(" ", "")) for family, given in authors]
    return key, title, bare, found


def papers() -> list[Paper]:
    """What the table says."""
    found = []
    for row in rows("citations"):
        authors = []
        for author in row["authors"].split("; "):
            *family, initials = author.split(" ")
            authors.append((" ".join(family), initials) if family else (author, ""))
        found.append(paper(row["citation_id"], row["title"], authors, row))
    return found


def from_csl(item: dict) -> Paper:
    """A paper as CSL-JSON has it; a particle may stand beside the rest of the family name."""
    particles = ("non-dropping-particle", "dropping-particle")
    authors = [
        (
            " ".join(filter(None, (*map(name.get, particles), name.get("family"))))
            or name["literal"],
            name.get("given", ""),
        )
        for name in item["author"]
    ]
    identifiers = {key: item.get(key.upper()) for key in IDENTIFIERS}
    return paper(item["id"], item["title"], authors, identifiers)


def test_names_that_are_hard_are_there():
    """Catches a table without the names that the tests of its formats are about."""
    families = {family for _, _, authors, _ in papers() for family, _ in authors}
    hard = {"Van den Brande", "De Silva", "Quiñones-Hinojosa", "Sørensen", "Wänman", "others"}
    assert hard <= families


def test_bibtex_in_bibtexparser(unpacked: Path):
    """Catches a title, a name or an identifier that BibTeX changed."""
    library = bibtexparser.parse_file(
        str(unpacked / "citations.bib"),
        encoding="UTF-8",
        append_middleware=[
            middlewares.SeparateCoAuthors(),
            middlewares.SplitNameParts(),
        ],
    )
    assert library.failed_blocks == []
    found = []
    for entry in library.entries:
        fields = {field.key: field.value for field in entry.fields}
        authors = [
            (" ".join(name.von + name.last).strip("{}"), " ".join(name.first))
            for name in fields["author"]
        ]
        title = fields["title"].removeprefix("{").removesuffix("}")
        found.append(paper(entry.key, title, authors, fields))
    assert found == papers()


MARKS = [
    r"100% of A & B_c #1 for $5, x^2 ~y \alpha {kept} <i",
    r'A "quoted" title that ends with \ and a {nested {pair}}',
    "A title -- with marks that TeX --- takes for others",
    "An opening { alone",
    "A closing } alone",
    "Both } the { wrong way",
]


def test_bibtex_of_titles_with_marks_of_tex(tmp_path: Path):
    """Catches a title that ends its own entry, is lost for its marks, or reads as a command."""
    package = tmp_path / "package"
    for name in ("data", "schemas"):
        shutil.copytree(ROOT / name, package / name)
    shutil.copy(ROOT / "datapackage.json", package)
    papers = rows("citations")
    for row, title in zip(papers, MARKS, strict=False):
        row |= {"title": title, "journal": title, "note": title}
        row["doi"] = f"10.1000/a_b%c{re.sub('[^{}]', '', title)}{row['citation_id']}"
    with open(package / "data/citations.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, papers[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(papers)
    refresh(package)
    done = release(tmp_path / "out", package)
    assert done.returncode == 0, done.stdout + done.stderr
    file = str(tmp_path / "out/citations.bib")
    library = bibtexparser.parse_file(file, encoding="UTF-8")
    assert [entry.key for entry in library.entries] == [row["citation_id"] for row in papers]
    read = json.loads(pypandoc.convert_file(file, "csljson", format="biblatex"))
    found = {item["id"]: item for item in read}
    for row, title in zip(papers, MARKS, strict=False):
        # Pandoc knows no name of a brace, and sets typographic quotation marks.
        kept = title if title in MARKS[:3] else re.sub("[{}]", "", title)
        item = found[row["citation_id"]]
        assert re.sub("[\u201c\u201d]", '"', item["title"]) == kept
        assert re.sub("[\u201c\u201d]", '"', item["container-title"]) == kept
        # A brace without its other is written as in an address.
        doi = item["DOI"].replace("%7B", "{").replace("%7D", "}")
        assert doi == row["doi"]


def test_ris_in_rispy(unpacked: Path):
    """Catches a title, a name or an identifier that RIS changed."""
    text = (unpacked / "citations.ris").read_text(encoding="utf-8")
    names = {"pmid": "accession_number", "pmcid": "custom2"}
    found = [
        paper(
            entry["id"],
            entry["title"],
            [tuple(f"{author}, ".split(", ")[:2]) for author in entry["authors"]],
            {key: entry.get(names.get(key, key)) for key in IDENTIFIERS},
        )
        for entry in rispy.loads(text)
    ]
    assert found == papers()


def test_csl_json_is_read_back(unpacked: Path):
    """Catches a title, a name or an identifier that CSL-JSON changed."""
    items = json.loads((unpacked / "citations.csl.json").read_text(encoding="utf-8"))
    assert [from_csl(item) for item in items] == papers()


def test_csl_json_in_citeproc(unpacked: Path):
    """Catches a paper that a citation processor cannot put into words."""
    items = json.loads((unpacked / "citations.csl.json").read_text(encoding="utf-8"))
    source = CiteProcJSON(items)
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = CitationStylesBibliography(style, source, formatter.plain)
    for key, *_ in papers():
        bibliography.register(Citation([CitationItem(key)]))
    printed = {item.key: str(text) for item, text in zip_printed(bibliography)}
    assert len(printed) == len(papers())
    for row, (key, title, authors, identifiers) in zip(rows("citations"), papers(), strict=True):
        assert str(source[key].title) == title
        assert row["year"] in printed[key]
        assert authors[0][0] in printed[key]
        assert all(i in printed[key] for k, i in identifiers.items() if k == "doi")


def zip_printed(bibliography: CitationStylesBibliography) -> list[tuple]:
    """The references as they are printed, each with the paper that it is about."""
    bibliography.sort()
    return list(zip(bibliography.items, bibliography.bibliography(), strict=True))


@pytest.mark.parametrize(
    ("name", "form", "lost"),
    [
        ("citations.csl.json", "csljson", set()),
        ("citations.bib", "biblatex", {"pmcid"}),
        ("citations.ris", "ris", {"pmid", "pmcid"}),
    ],
)
def test_papers_in_pandoc(unpacked: Path, name: str, form: str, lost: set[str]):
    """Catches a file that another program refuses or reads otherwise."""
    text = pypandoc.convert_file(str(unpacked / name), "csljson", format=form)

    def comparable(paper: Paper) -> tuple:
        key, title, authors, identifiers = paper

        def straight(text: str) -> str:
            return re.sub('[\u2018\u2019\u201c\u201d"]', "'", text)

        authors = [(straight(family), given) for family, given in authors]
        identifiers = {k: v for k, v in identifiers.items() if k not in lost}
        return key, straight(title), authors, identifiers

    found = sorted(map(comparable, map(from_csl, json.loads(text))))
    assert found == sorted(map(comparable, papers()))


# The mappings.


def test_sssom(unpacked: Path):
    """Catches a mapping that was dropped or changed, and a prefix that stands for nothing."""
    path = unpacked / "mappings.sssom.tsv"
    mappings, converter, about, errors = sssom_pydantic.read(path, return_errors=True)
    assert errors == []
    assert about.version == json.loads((ROOT / "datapackage.json").read_text())["version"]
    found = [
        {
            "subject_id": mapping.subject.identifier,
            "predicate_id": mapping.predicate.curie,
            "object_id": mapping.object.curie,
            "object_label": getattr(mapping.object, "name", None),
            "object_source_version": mapping.object_source_version,
            "mapping_justification": mapping.justification.curie,
            "confidence": mapping.confidence,
            "comment": mapping.comment,
        }
        for mapping in mappings
    ]
    assert found == expected("ontology_mappings")
    for mapping in mappings:
        for reference in (mapping.subject, mapping.predicate, mapping.object):
            assert converter.expand(reference.curie).endswith(reference.identifier)


def test_prefixes_stand_for_what_the_registry_says():
    """Catches a prefix with another address than the one that everybody uses."""
    import bioregistry  # reads its whole registry

    (field,) = (
        field for field in SCHEMAS["ontology_mappings"]["fields"] if field["name"] == "object_id"
    )
    for prefix, address in field["uriPrefixes"].items():
        resource = bioregistry.get_resource(prefix)
        assert address in (resource.get_rdf_uri_prefix(), resource.get_uri_prefix()), prefix


# What the command prints.


def test_sarif_is_valid(node: Path, tmp_path: Path):
    """Catches a SARIF log that breaks the official JSON Schema."""
    from jsonschema import Draft7Validator

    schemas = node / "node_modules/@microsoft/jest-sarif/lib/schemas"
    schema = json.loads(next(schemas.glob("sarif-2.1.0*.json")).read_text(encoding="utf-8"))
    case = PACKAGES / "invalid/row-order/two-swapped.json"
    broken = build(json.loads(case.read_text(encoding="utf-8")), tmp_path)
    for package, found in ((PACKAGES / "base", 0), (broken, 1)):
        done = validate(package, "--format", "sarif")
        assert done.returncode == found
        log = json.loads(done.stdout)
        assert list(Draft7Validator(schema).iter_errors(log)) == []
        assert len(log["runs"][0]["results"]) == found
