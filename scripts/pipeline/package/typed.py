"""What is exported: the values of a table in Python, or of a view that is made from tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

Record = dict[str, Any]


class TypedTable:
    """The values of a table or view in Python, made once; an empty cell is None.

    `schema` is a Table Schema. `make` yields its columns in order, and is called when the first
    value is asked for. `sql` is the query that makes the rows of a view in a database with the
    tables, empty where SQL alone cannot.
    """

    def __init__(
        self,
        name: str,
        schema: dict[str, Any],
        make: Callable[[], Iterable[Sequence[Any]]],
        sql: str = "",
    ):
        self.name = name
        self.schema = schema
        self.fields: list[dict[str, Any]] = schema["fields"]
        self.names: list[str] = [field["name"] for field in self.fields]
        self.sql = sql
        self._make = make

    @classmethod
    def of_records(
        cls, name: str, schema: dict[str, Any], make: Callable[[], list[Record]], sql: str = ""
    ) -> "TypedTable":
        """One that is made row by row."""

        def columns() -> Iterator[list[Any]]:
            records = make()
            for field in schema["fields"]:
                yield [record[field["name"]] for record in records]

        return cls(name, schema, columns, sql)

    @cached_property
    def columns(self) -> dict[str, Sequence[Any]]:
        """The values of every row, by field.

        Raises LookupError where a table was not read, KeyError for a type that does not exist.
        """
        return dict(zip(self.names, self._make(), strict=True))

    def field(self, name: str) -> dict[str, Any]:
        """The descriptor of a field."""
        return self.fields[self.names.index(name)]

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.columns[self.names[0]])

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The values row by row."""
        return zip(*self.columns.values(), strict=True)

    def records(self) -> list[Record]:
        """The rows by field."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows()]
