"""The rows of a table that a batch touches: read at once, changed in memory, written at its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json
from sqlalchemy import Connection, Table, bindparam, func, insert, select, update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Row", "Rows", "chunks", "json_text"]

_MOST_PARAMETERS = 500

Key = tuple[Any, ...]
Row = dict[str, Any]


class Rows:
    """Rows of `table` by the columns `key`. The caller holds the write lock.

    With `numbered` a new row gets the next id. The columns `parsed` hold JSON, and in a row what it
    says.
    """

    def __init__(
        self,
        connection: Connection,
        table: Table,
        key: tuple[str, ...],
        *,
        numbered: bool = False,
        parsed: tuple[str, ...] = (),
    ) -> None:
        self._connection, self._table, self._key = connection, table, key
        self._parsed = parsed
        self._numbered = numbered
        self._next: int | None = None
        self._rows: dict[Key, Row] = {}
        self._new: dict[Key, None] = {}
        self._changed: dict[Key, None] = {}

    def load(self, column: str, values: Iterable[Any]) -> list[Key]:
        """Reads the rows whose `column` is one of the values; those known already stay."""
        found = []
        wanted = self._table.c[column]
        for some in chunks(sorted(set(values))):
            for row in self._connection.execute(
                select(self._table).where(wanted.in_(some))
            ).mappings():
                key = tuple(row[name] for name in self._key)
                found.append(key)
                if key not in self._rows:
                    told = {name: json.loads(row[name]) for name in self._parsed}
                    self._rows[key] = {**row, **told}
        return found

    def get(self, *key: Any) -> Row | None:
        """The row, if it was loaded or added."""
        return self._rows.get(key)

    def add(self, values: Row) -> Row:
        """A new row."""
        if self._numbered:
            values = {"id": self._take_id(), **values}
        key = tuple(values[name] for name in self._key)
        self._rows[key] = values
        self._new[key] = None
        return values

    def change(self, row: Row, **values: Any) -> None:
        """The row with other values; nothing is written when they are the same."""
        if all(row[name] == value for name, value in values.items()):
            return
        row |= values
        key = tuple(row[name] for name in self._key)
        if key not in self._new:
            self._changed[key] = None

    def flush(self) -> None:
        """Writes what is new and what changed."""
        if self._new:
            rows = [self._written(key) for key in self._new]
            self._connection.execute(insert(self._table), rows)
        if self._changed:
            statement = update(self._table)
            for name in self._key:
                statement = statement.where(self._table.c[name] == bindparam(f"key_{name}"))
            others: dict[str, Any] = {
                c.name: bindparam(c.name) for c in self._table.c if c.name not in self._key
            }
            rows = [self._written(key) for key in self._changed]
            self._connection.execute(
                statement.values(others),
                [{**row, **{f"key_{name}": row[name] for name in self._key}} for row in rows],
            )
        self._new, self._changed = {}, {}

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def _written(self, key: Key) -> Row:
        row = self._rows[key]
        return {**row, **{name: json_text(row[name]) for name in self._parsed}}

    def _take_id(self) -> int:
        if self._next is None:
            highest = self._connection.execute(select(func.max(self._table.c["id"]))).scalar()
            self._next = (highest or 0) + 1
        self._next += 1
        return self._next - 1


def json_text(value: Any) -> str:
    """The value as JSON, in the order that it has."""
    return to_json(value).decode()


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """The values in lists that a statement can take as parameters."""
    listed = list(values)
    for start in range(0, len(listed), _MOST_PARAMETERS):
        yield listed[start : start + _MOST_PARAMETERS]
