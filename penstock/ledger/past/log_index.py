"""An index over the logs of Delta tables: what a run asks of commits, without reading them.

It holds the commits in force up to one version, and a digest by which that version's commit is
known again. Who asks compares it with the log first and takes in what came since; so it may be
lost, copied or left behind, and the log still decides (ADR 16).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from penstock.errors import ConflictError
from penstock.ledger.database import LedgerDatabase, lock_head
from penstock.ledger.graph.rows import chunks
from penstock.ledger.past.tables import log_commit, log_file, log_index, log_take

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

_VALUES_ASKED = 200  # of more slices any commit may be: SQLite's expressions have a depth

__all__ = ["Indexed", "IndexedCommit", "IndexedFile", "LogIndex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """How far the log of a table is known. `rows` are the table's; None: nobody counted them."""

    id: int = 0
    version: int
    digest: str
    table_id: str
    properties: Mapping[str, str]
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFile:
    """A landing file that a commit names; `said_at` is when the last commit did."""

    input: str
    name: str
    day: str | None
    sha256: str
    said_at: datetime
    version: int = -1

    @property
    def identity(self) -> tuple[str | None, str]:
        """What makes it this file and no copy: its day and the SHA-256 of its bytes."""
        return self.day, self.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedCommit:
    """What is kept of a commit.

    Without `start` and `end` its slice is of all times, without `values` of all values; `column`
    and `values_column` are those that it is cut by.
    `clone`: its rows are those of another table. `takes` are (input, dataset) of the changes that
    it says it took.
    """

    version: int
    changes_rows: bool
    ours: bool = False
    clone: bool = False
    start: datetime | None = None
    end: datetime | None = None
    column: str | None = None
    values: tuple[str, ...] = ()
    values_column: str | None = None
    takes: frozenset[tuple[str, str]] = frozenset()
    files: tuple[IndexedFile, ...] = field(default=())


class LogIndex:
    """The index of a ledger. All methods raise LedgerError when the database cannot be used.

    Those that ask take what `known` gave, and raise ConflictError when it was made anew since.
    """

    def __init__(self, database: LedgerDatabase) -> None:
        self._database = database

    def known(self, place: str) -> Indexed | None:
        """How far the log of the table at `place` is known."""
        with self._database.read() as connection:
            return _known(connection, place)

    def take_in(
        self, place: str, before: Indexed | None, now: Indexed, commits: Sequence[IndexedCommit]
    ) -> bool:
        """Add the commits after `before`, oldest first; None: the index of the place anew.

        False, and nothing done, when another process was first.
        """
        with self._database.write() as connection:
            lock_head(connection)
            found = _known(connection, place)
            if before is None and found is not None:
                if found.version == now.version and found.digest == now.digest:
                    return False
                _forget(connection, found.id)
            elif before is not None and (
                found is None or (found.id, found.version) != (before.id, before.version)
            ):
                return False
            values = {
                "version": now.version,
                "digest": now.digest,
                "table_id": now.table_id,
                "properties": json.dumps(dict(now.properties), sort_keys=True),
                "rows": None,
            }
            if before is None:
                connection.execute(insert(log_index).values(place=place, **values))
                own = select(log_index.c.id).where(log_index.c.place == place)
                log = connection.execute(own).scalar_one()
            else:
                log = before.id
                connection.execute(update(log_index).where(log_index.c.id == log).values(values))
            _add(connection, log, commits)
        return True

    def count(self, known: Indexed, rows: int) -> None:
        """Note how many rows the table has at that version."""
        same = (log_index.c.id == known.id) & (log_index.c.version == known.version)
        with self._database.write() as connection:
            connection.execute(update(log_index).where(same).values(rows=rows))

    def newest(
        self,
        known: Indexed,
        start: datetime | None = None,
        end: datetime | None = None,
        values: Sequence[str] = (),
        *,
        column: str | None = None,
        values_column: str | None = None,
        ours: bool = False,
    ) -> int | None:
        """Version of the newest commit that changed rows from `start` to `end`, as far as is known.

        With `values`, rows of these, as far as they are few. Another writer's may have changed any,
        as may, where `column` or `values_column` is given, one whose slice is cut by another. With
        `ours` only a run's commit counts.
        """
        query = _newest(log_commit, known)
        if ours:
            query = query.where(log_commit.c.ours)
        if start is not None:
            may = [not_(log_commit.c.ours), log_commit.c.slice_start.is_(None)]
            may.append((log_commit.c.slice_start < end) & (log_commit.c.slice_end > start))
            if column is not None:
                may.append(log_commit.c.slice_column.is_distinct_from(column))
            query = query.where(or_(*may))
        if values and len(values) <= _VALUES_ASKED:
            said = log_commit.c.slice_values
            may = [not_(log_commit.c.ours), said.is_(None)]
            may += [said.contains(_written([value])) for value in values]
            if values_column is not None:
                may.append(log_commit.c.slice_values_column.is_distinct_from(values_column))
            query = query.where(or_(*may))
        return self._version(known, query)

    def windows(
        self,
        known: Indexed,
        start: datetime | None,
        end: datetime | None,
        *,
        column: str | None,
        values_column: str | None,
    ) -> list[tuple[datetime | None, datetime | None, tuple[str, ...]]] | None:
        """(start, end, values) of the slices that were made from `start` to `end`.

        None where that is not known: a commit is not of a slice by `column`, or without one by
        `values_column`, and may have made any row, or one has left the log before it was seen.
        """
        here = (log_commit.c.log == known.id) & (log_commit.c.version <= known.version)
        by = log_commit.c.slice_column if column else log_commit.c.slice_values_column
        other = or_(not_(log_commit.c.ours), by.is_distinct_from(column or values_column))
        said = select(
            log_commit.c.slice_start, log_commit.c.slice_end, log_commit.c.slice_values
        ).where(here)
        if column:
            said = said.where(log_commit.c.slice_start < end, log_commit.c.slice_end > start)
        with self._asking(known) as connection:
            first = connection.execute(select(func.min(log_commit.c.version)).where(here)).scalar()
            if (
                first != 0
                or connection.execute(
                    select(log_commit.c.version).where(here & other).limit(1)
                ).first()
            ):
                return None
            rows = connection.execute(said.distinct()).all()
        return [(low, high, _read(values)) for low, high, values in rows]

    def newest_clone(self, known: Indexed) -> int | None:
        """Version of the newest commit that made the table a clone of another."""
        return self._version(known, _newest(log_commit, known).where(log_commit.c.clone))

    def newest_take(self, known: Indexed, name: str, dataset: str) -> int | None:
        """Version of the newest commit that took changes of `dataset` as input `name`."""
        query = _newest(log_take, known).where(
            log_take.c.input == name, log_take.c.dataset == dataset
        )
        return self._version(known, query)

    def files(
        self, known: Indexed, names: Iterable[str], digests: Iterable[str]
    ) -> list[IndexedFile]:
        """The files that have one of these names, or one of these contents, oldest first."""
        found: dict[tuple[str, str, int], IndexedFile] = {}
        with self._asking(known) as connection:
            for column, values in ((log_file.c.name, names), (log_file.c.sha256, digests)):
                for some in chunks(dict.fromkeys(values)):
                    query = select(log_file).where(
                        log_file.c.log == known.id,
                        log_file.c.version <= known.version,
                        column.in_(some),
                    )
                    for row in connection.execute(query).mappings():
                        file = _file(row)
                        found[file.name, file.input, file.version] = file
        return sorted(found.values(), key=lambda file: (file.version, file.name, file.input))

    def _version(self, known: Indexed, query: Select[tuple[int]]) -> int | None:
        with self._asking(known) as connection:
            return connection.execute(query).scalar()

    @contextmanager
    def _asking(self, known: Indexed) -> Iterator[Connection]:
        """A read of the index as it was when it was `known`."""
        with self._database.read() as connection:
            there = select(log_index.c.id).where(log_index.c.id == known.id)
            if connection.execute(there).scalar() is None:
                raise ConflictError(
                    "what is known of a table's log was made anew while it was being asked",
                    where="the ledger's index of logs",
                    next_step="run again: nothing was written",
                )
            yield connection


def _known(connection: Connection, place: str) -> Indexed | None:
    query = select(log_index).where(log_index.c.place == place)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return Indexed(
        id=row["id"],
        version=row["version"],
        digest=row["digest"],
        table_id=row["table_id"],
        properties=json.loads(row["properties"]),
        rows=row["rows"],
    )


def _forget(connection: Connection, log: int) -> None:
    for table in (log_commit, log_take, log_file):
        connection.execute(delete(table).where(table.c.log == log))
    connection.execute(delete(log_index).where(log_index.c.id == log))


def _add(connection: Connection, log: int, commits: Sequence[IndexedCommit]) -> None:
    rows = [
        {
            "log": log,
            "version": commit.version,
            "ours": commit.ours,
            "clone": commit.clone,
            "slice_start": commit.start,
            "slice_end": commit.end,
            "slice_column": commit.column,
            "slice_values": _written(commit.values) if commit.values else None,
            "slice_values_column": commit.values_column,
        }
        for commit in commits
        if commit.changes_rows
    ]
    takes = [
        {"log": log, "input": name, "dataset": dataset, "version": commit.version}
        for commit in commits
        for name, dataset in commit.takes
    ]
    for table, values in ((log_commit, rows), (log_take, takes)):
        if values:
            connection.execute(insert(table), values)
    _add_files(connection, log, commits)


def _add_files(connection: Connection, log: int, commits: Sequence[IndexedCommit]) -> None:
    """One row for as long as commits say the same of a file."""
    names = dict.fromkeys(file.name for commit in commits for file in commit.files)
    last: dict[tuple[str, str], IndexedFile] = {}
    for some in chunks(names):
        query = select(log_file).where(log_file.c.log == log, log_file.c.name.in_(some))
        for row in connection.execute(query.order_by(log_file.c.version)).mappings():
            last[row["name"], row["input"]] = _file(row)
    new: dict[tuple[str, str, int], dict[str, Any]] = {}
    said: dict[tuple[str, str, int], datetime] = {}
    for commit in commits:
        for file in commit.files:
            before = last.get((file.name, file.input))
            if before is not None and before.identity == file.identity:
                key = (file.name, file.input, before.version)
                if key in new:
                    new[key]["said_at"] = file.said_at
                else:
                    said[key] = file.said_at
                continue
            values = {
                "log": log,
                "name": file.name,
                "input": file.input,
                "version": commit.version,
                "day": file.day,
                "sha256": file.sha256,
                "said_at": file.said_at,
            }
            new[file.name, file.input, commit.version] = values
            last[file.name, file.input] = _file(values)
    if new:
        connection.execute(insert(log_file), list(new.values()))
    for (name, input_, version), at in said.items():
        connection.execute(
            update(log_file)
            .where(
                log_file.c.log == log,
                log_file.c.name == name,
                log_file.c.input == input_,
                log_file.c.version == version,
            )
            .values(said_at=at)
        )


def _written(values: Iterable[str]) -> str:
    """Texts in one, of which each is found again: SQLite's LIKE does not tell `de` from `DE`."""
    return f" {' '.join(value.encode().hex() for value in values)} "


def _read(values: str | None) -> tuple[str, ...]:
    return tuple(bytes.fromhex(value).decode() for value in (values or "").split())


def _file(row: Mapping[str, Any] | RowMapping) -> IndexedFile:
    return IndexedFile(
        input=row["input"],
        name=row["name"],
        day=row["day"],
        sha256=row["sha256"],
        said_at=row["said_at"],
        version=row["version"],
    )


def _newest(table: Any, known: Indexed) -> Select[tuple[int]]:
    here = (table.c.log == known.id) & (table.c.version <= known.version)
    return select(table.c.version).where(here).order_by(table.c.version.desc()).limit(1)
