"""The tables and views as one SQLite database, which itself refuses what the schemas forbid.

Types, keys, required fields, allowed values and bounds become constraints; titles and descriptions
become comments in the text of each table, where `.schema` shows them. A pattern is left out: SQLite
has no regular expressions.
"""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from pipeline.formats import content
from pipeline.issue import CannotRun
from pipeline.package import Package
from pipeline.package.typed import TypedTable

OWNS = re.compile(r"[^/]+\.sqlite")
LIBRARIES: dict[str, str] = {}  # SQLite comes with Python
NEEDS: dict[str, tuple[str, ...]] = {}
_TYPES = {
    "string": "TEXT",
    "integer": "INTEGER",
    "year": "INTEGER",
    "number": "REAL",
    "boolean": "INTEGER",
    "date": "TEXT",
}
_LENGTHS = {"minLength": ">=", "maxLength": "<="}
_BOUNDS = {"minimum": ">=", "maximum": "<="}


def write(package: Package, folder: str) -> None:
    """Write `PACKAGE.sqlite`; equal rows give equal bytes with the same SQLite.

    Raises CannotRun where a schema or a row has what SQLite refuses, and OSError where the disk is
    full.
    """
    import sqlite3

    path = os.path.join(folder, f"{package.descriptor['name']}.sqlite")
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise OSError(f"SQLite says of {os.path.basename(path)}: {error}") from error
    try:
        # Rows may refer to rows that come later. All references were checked before the export.
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("BEGIN")
        for each in content.tables(package):
            connection.execute(create(each))
            if not each.sql:
                marks = ", ".join("?" * len(each.names))
                connection.executemany(
                    f"INSERT INTO {_name(each.name)} VALUES ({marks})",
                    each.rows(),
                )
        connection.execute("COMMIT")
    except sqlite3.ProgrammingError as error:  # a NUL in a schema
        raise CannotRun(f"the database refuses a schema: {error}") from error
    except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as error:
        raise CannotRun(f"the database refuses a row of {each.name}: {error}") from error
    except sqlite3.OperationalError as error:
        raise OSError(f"SQLite says: {error}") from error
    finally:
        connection.close()


def create(table: TypedTable) -> str:
    """The statement that makes a table, with a comment on the table and on each column, or a view.

    The columns of a view have no comments: SQLite keeps none.
    """
    about = _comment(table.schema.get("title"), table.schema.get("description"))
    if table.sql:
        return f"CREATE VIEW {_name(table.name)} AS -- {about}\n{table.sql}"
    lines = [*_columns(table.schema), *_keys(table.schema)]
    parts = [f"-- {comment}\n  {line}" if comment else line for line, comment in lines]
    body = ",\n  ".join(parts)
    return f"CREATE TABLE {_name(table.name)} ( -- {about}\n  {body}\n) STRICT"


def _columns(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The definition of each column, and what to say of it."""
    for field in schema["fields"]:
        constraints = field.get("constraints", {})
        name, kind = _name(field["name"]), _TYPES[field["type"]]
        parts = [name, kind]
        if constraints.get("required"):
            parts.append("NOT NULL")
        if constraints.get("unique") and schema.get("primaryKey") != [field["name"]]:
            parts.append("UNIQUE")
        if "enum" in constraints:
            allowed = ", ".join(_value(value, kind) for value in constraints["enum"])
            parts.append(f"CHECK ({name} IN ({allowed}))")
        if field["type"] == "boolean":
            parts.append(f"CHECK ({name} IN (0, 1))")
        for bound, sign in _BOUNDS.items():
            if bound in constraints:
                parts.append(f"CHECK ({name} {sign} {_value(constraints[bound], kind)})")
        for bound, sign in _LENGTHS.items():
            if bound in constraints:
                parts.append(f"CHECK (length({name}) {sign} {int(constraints[bound])})")
        yield " ".join(parts), _comment(field.get("title"), field.get("description"))


def _keys(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The constraints of the whole table."""
    if schema.get("primaryKey"):
        yield f"PRIMARY KEY ({_names(schema['primaryKey'])})", ""
    for key in schema.get("uniqueKeys", []):
        yield f"UNIQUE ({_names(key)})", ""
    for key in schema.get("foreignKeys", []):
        target = key["reference"]
        table, fields = _name(target["resource"]), _names(target["fields"])
        yield f"FOREIGN KEY ({_names(key['fields'])}) REFERENCES {table} ({fields})", ""


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _names(names: list[str]) -> str:
    return ", ".join(map(_name, names))


def _value(value: object, kind: str) -> str:
    """A value of a constraint as SQL; numbers may be written as text in a schema."""
    if kind == "TEXT":
        return "'" + str(value).replace("'", "''") + "'"
    number = json.loads(str(value))
    return repr(float(number)) if kind == "REAL" else str(int(number))


def _comment(title: str | None, description: str | None) -> str:
    return ": ".join(" ".join(text.split()) for text in (title, description) if text)
