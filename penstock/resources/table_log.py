"""What a Delta table's log says: version, columns, commits. Read without Spark, by delta-rs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler

from penstock.errors import LakeError
from penstock.resources.stored_commit import StoredCommit, deleted_rows
from penstock.resources.table_commit import Commit, commit_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "TableColumn",
    "TableLog",
    "catalog_managed",
]

_SPARK_NAMES = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column of the live table; `type` is Spark's simple string."""

    name: str
    type: str
    nullable: bool


class TableLog:
    """A table's log as of one instant. Every method answers for that instant's version."""

    def __init__(
        self,
        uri: str,
        options: Mapping[str, str],
        where: str,
        *,
        version: int,
        table_id: str = "",
        opened: DeltaTable | None = None,
    ) -> None:
        """The state of one version, which must be there. Nothing is read before it is asked for."""
        self._uri = uri
        self._options = dict(options) or None
        self.where = where
        self.version = version
        self._id = table_id
        self._opened = opened
        self._commits: dict[int, Commit] = {}
        self._store: DeltaStorageHandler | None = None

    @classmethod
    def open(cls, uri: str, options: Mapping[str, str], where: str) -> Self | None:
        """The newest state of the table at `uri`, None when there is none.

        Raises LakeError when there is a log that cannot be read.
        """
        _refuse_emptied(uri, where)
        try:
            table = DeltaTable(uri, storage_options=dict(options) or None)
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            # delta-rs says "not a table" in the same words for an empty and for a missing folder
            if "no files in log segment" in str(error).lower():
                return None
            raise _unreadable(where, error) from error
        return cls(uri, options, where, version=table.version(), opened=table)

    def newest(self) -> Self:
        """The newest state there is now, this one where nothing was committed since."""
        version = self.version
        while self._content(version + 1) is not None:
            version += 1
        if version == self.version:
            return self
        return type(self)(self._uri, self._options or {}, self.where, version=version)

    @property
    def table_id(self) -> str:
        """Delta's id of the table: another one where it was made anew, or replaced, at the path."""
        return self._id or str(self._table.metadata().id)

    def id_at(self, version: int) -> str | None:
        """The table's id at `version`; None where that is not, or no longer, in the log."""
        then = self._at(version)
        return None if then is None else str(then.metadata().id)

    def columns(self) -> tuple[TableColumn, ...]:
        """The table's columns, in table order."""
        return _columns(self._table)

    def columns_at(self, version: int) -> tuple[TableColumn, ...] | None:
        """The columns at `version`; None where that is not, or no longer, in the log."""
        then = self._at(version)
        return None if then is None else _columns(then)

    def properties(self) -> Mapping[str, str]:
        """The table's properties."""
        return dict(self._table.metadata().configuration)

    def partition_columns(self) -> tuple[str, ...]:
        """Names of the partition columns."""
        return tuple(self._table.metadata().partition_columns)

    def files(self) -> tuple[int, int]:
        """(number of data files, their size in bytes)."""
        try:
            sizes = self._table.get_add_actions(flatten=True).column("size_bytes").to_pylist()
        except (DeltaError, OSError) as error:
            raise _unreadable(self.where, error) from error
        return len(sizes), sum(sizes)

    def rows(self) -> int | None:
        """Rows in the table by the log's statistics; None when a file has none.

        Deletion vectors are read: memory is about a byte for each row of the files that have one.
        """
        try:
            counts = self._table.get_add_actions(flatten=True).column("num_records").to_pylist()
            deleted = sum(deleted_rows(self._table).values())
        except (DeltaError, OSError) as error:
            raise _unreadable(self.where, error) from error
        return None if any(count is None for count in counts) else sum(counts) - deleted

    def stored(self, version: int, *, columns: bool = True) -> StoredCommit | None:
        """The commit as it lies in the log, None when its file was cleaned up.

        Without `columns` its files count no nulls by column, and only the one file is read.
        Raises LakeError when it is there and cannot be read.
        """
        content = self._content(version)
        if content is None:
            return None
        schema = json.loads(self._table.schema().to_json()) if columns else None
        try:
            return StoredCommit.of(version, content, schema)
        except ValueError as error:
            raise _unreadable(self.where, error) from error

    def commits(self, after: int = -1) -> Iterator[Commit]:
        """The commits above version `after` that are still in the log, newest first.

        Each is read when it is asked for: whoever stops early has not read the past.
        """
        for version in range(self.version, after, -1):
            commit = self.commit(version)
            if commit is None:
                return
            yield commit

    def commit(self, version: int) -> Commit | None:
        """One commit of this state, None when its file was cleaned up or never was.

        Raises LakeError when it is there and cannot be read.
        """
        if version not in self._commits:
            content = self._content(version) if 0 <= version <= self.version else None
            if content is None:
                return None
            self._commits[version] = self._read(version, content)
        return self._commits[version]

    def oldest(self) -> int:
        """The first version whose commit is still in the log; the next one where none is.

        A log loses its oldest commits first, so that few are looked at.
        """
        if self._content(0) is not None:
            return 0
        gone, there = 0, self.version + 1
        while there - gone > 1:
            middle = (gone + there) // 2
            if self._content(middle) is None:
                gone = middle
            else:
                there = middle
        return there

    def digest(self, version: int) -> str | None:
        """SHA-256 of the commit's file, by which it is known again; None where there is none."""
        content = self._content(version) if 0 <= version <= self.version else None
        return None if content is None else hashlib.sha256(content).hexdigest()

    def commits_in_force(self) -> Iterator[Commit]:
        """The commits still in the log that no later RESTORE has undone, newest first."""
        undone_above: int | None = None
        for commit in self.commits():
            if undone_above is not None and commit.version > undone_above:
                continue
            if commit.operation == "RESTORE":
                undone_above = self._restored_to(commit)
            yield commit

    @property
    def _table(self) -> DeltaTable:
        if self._opened is None:
            _refuse_emptied(self._uri, self.where)
            try:
                self._opened = DeltaTable(
                    self._uri, version=self.version, storage_options=self._options
                )
            except (DeltaError, OSError) as error:
                raise _unreadable(self.where, error) from error
        return self._opened

    def _at(self, version: int) -> DeltaTable | None:
        if version == self.version:
            return self._table
        try:
            return DeltaTable(self._uri, version=version, storage_options=self._options)
        except (DeltaError, OSError):
            return None

    def _content(self, version: int) -> bytes | None:
        """The bytes of a commit's file. One of no bytes is damage, and never skipped."""
        try:
            if self._store is None:
                self._store = DeltaStorageHandler(self._uri, self._options)
            with self._store.open_input_file(_commit_file(version)) as file:
                content = bytes(file.read(file.size()))
        except (FileNotFoundError, TableNotFoundError):
            # the file, or all of the table's folder
            return None
        except (DeltaError, OSError) as error:
            raise _unreadable(self.where, error) from error
        if not content:
            raise _emptied(_commit_file(version), self.where)
        return content

    def _read(self, version: int, content: bytes) -> Commit:
        try:
            return commit_of(version, content)
        except (ValueError, TypeError, AttributeError) as error:
            found = f"{_commit_file(version)} is no commit of Delta's"
            raise _unreadable(self.where, ValueError(found)) from error

    def _restored_to(self, restore: Commit) -> int:
        version, instant = (restore.parameters.get(name) for name in ("version", "timestamp"))
        if version is not None:
            return int(version)
        at = datetime.fromisoformat(str(instant)) if instant else restore.at
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        before = (c.version for c in self.commits() if c.version < restore.version and c.at <= at)
        return next(before, -1)


def _refuse_emptied(uri: str, where: str) -> None:
    """Raise LakeError for a commit of no bytes, which delta-rs passes over in silence.

    A disk that filled up or lost its power leaves such a file. An object store has it whole or not
    at all, so only a local log is looked at, and of it what its newest checkpoint does not hold.
    """
    if "://" in uri:
        return
    log = Path(uri) / "_delta_log"
    for version in count(_last_checkpoint(log) + 1):
        try:
            if (log / f"{version:020}.json").stat().st_size == 0:
                raise _emptied(f"{version:020}.json", where)
        except OSError:  # the newest, or delta-rs says why it cannot be read
            return


def _last_checkpoint(log: Path) -> int:
    """The version of the newest checkpoint, as far as the log says; -1 for none."""
    try:
        told = json.loads((log / "_last_checkpoint").read_bytes())
        return int(told["version"])
    except (OSError, ValueError, TypeError, KeyError):
        return -1


def _emptied(name: str, where: str) -> LakeError:
    return LakeError(
        "a commit of the table is an empty file: the rows it added or removed are unknown",
        where=where,
        expected="an intact _delta_log",
        found=f"{name} of 0 bytes",
        next_step="restore the file from a backup; the data files are untouched",
    )


def catalog_managed(where: str, error: Exception) -> LakeError | None:
    """What to raise for `error` where a catalog alone knows the newest commits, else None."""
    if "catalog-managed" not in str(error):
        return None
    return LakeError(
        "the table is managed by a catalog, which alone knows its newest commits",
        where=where,
        expected="a Delta table whose log in the lake is the whole truth",
        found="the table feature catalogManaged",
        next_step="leave its upkeep to its catalog, and give Penstock a copy of it to read",
    )


def _unreadable(where: str, error: Exception) -> LakeError:
    if managed := catalog_managed(where, error):
        return managed
    text = " ".join(str(error).split())
    denied = any(word in text.lower() for word in ("permission", "denied", "forbidden", "403"))
    return LakeError(
        "the table's log cannot be read" + (": permission denied" if denied else ""),
        where=where,
        expected="an intact _delta_log that this process may read",
        found=text[:400],
        next_step="grant this process read access to the table's folder"
        if denied
        else "restore the damaged file of _delta_log from a backup; the data files are untouched",
    )


def _commit_file(version: int) -> str:
    return f"_delta_log/{version:020}.json"


def _columns(table: DeltaTable) -> tuple[TableColumn, ...]:
    return tuple(
        TableColumn(name=f["name"], type=_simple_string(f["type"]), nullable=f["nullable"])
        for f in json.loads(table.schema().to_json())["fields"]
    )


def _simple_string(kind: Any) -> str:
    if isinstance(kind, str):
        return _SPARK_NAMES.get(kind, kind)
    match kind["type"]:
        case "array":
            return f"array<{_simple_string(kind['elementType'])}>"
        case "map":
            return f"map<{_simple_string(kind['keyType'])},{_simple_string(kind['valueType'])}>"
        case "struct":
            fields = (f"{f['name']}:{_simple_string(f['type'])}" for f in kind["fields"])
            return f"struct<{','.join(fields)}>"
        case other:
            return str(other)
