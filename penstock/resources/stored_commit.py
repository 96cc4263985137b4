"""A commit of a Delta table as it lies in the log, with the data files that it added."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deltalake import DeltaTable

__all__ = ["StoredCommit", "StoredFile", "deleted_rows", "file_name"]

_PHYSICAL = "delta.columnMapping.physicalName"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A data file that a commit added, by the last part of its path, which is unique.

    The folders before it may be named after values of rows. `new`: it was not in the table before,
    with other rows marked deleted. `rows` and `nulls` (by column, `a.b` in a struct) are all that
    the file holds, as far as its statistics say.
    """

    name: str
    bytes: int
    new: bool = True
    rows: int | None = None
    nulls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCommit:
    """A commit as it lies in the log: the digest of its file, and the data files it added."""

    version: int
    sha256: str
    added: tuple[StoredFile, ...]
    removed: int

    @classmethod
    def of(cls, version: int, content: bytes, schema: Any) -> Self:
        """Of the bytes of its file; `schema` is the table's, as the log has it.

        Raises ValueError for what is no commit.
        """
        actions = _actions(content)
        before = {action["remove"]["path"] for action in actions if "remove" in action}
        names = _Names.of(schema)
        added = [
            _stored_file(action["add"], names, new=action["add"]["path"] not in before)
            for action in actions
            if "add" in action
        ]
        return cls(
            version=version,
            sha256=hashlib.sha256(content).hexdigest(),
            added=tuple(sorted(added, key=lambda file: file.name)),
            removed=sum("remove" in action for action in actions),
        )

    @property
    def written(self) -> tuple[StoredFile, ...]:
        """The files that the commit wrote. Delta's metrics count some that are not there."""
        return tuple(file for file in self.added if file.new)

    def nulls(self, rows: int | None) -> Mapping[str, int]:
        """The nulls in `rows` that the commit wrote, of the columns that each of its files counts.

        Nothing where its files also hold rows that were there before.
        """
        files = self.written
        if not files or sum(file.rows or 0 for file in files) != rows:
            return {}
        told = set.intersection(*(set(file.nulls) for file in files))
        return {column: sum(file.nulls[column] for file in files) for column in sorted(told)}


def file_name(path: str) -> str:
    """The last part of a path in the log, a file's own name, which holds a UUID."""
    return unquote(path).rpartition("/")[2]


def deleted_rows(table: DeltaTable) -> Mapping[str, int]:
    """How many rows a deletion vector marks, by file name, of the live files that have one."""
    if "deletionVectors" not in (table.protocol().reader_features or ()):
        return {}
    found: dict[str, int] = {}
    for batch in table.deletion_vectors():
        paths, vectors = (pa.array(batch.column(n)) for n in ("filepath", "selection_vector"))
        for name, kept in zip(paths.to_pylist(), vectors, strict=True):
            alive = pc.sum(pc.cast(kept.values, pa.int64())).as_py() or 0
            found[file_name(name)] = len(kept.values) - alive
    return found


@dataclass(frozen=True, slots=True)
class _Names:
    """What the columns of a table, or of a struct, are called, by their names in its files."""

    columns: Mapping[str, tuple[str, _Names]]

    @classmethod
    def of(cls, kind: Any) -> Self:
        """Of a struct's type as the log has it; none of another type."""
        fields = kind.get("fields", ()) if isinstance(kind, dict) else ()
        return cls(
            {
                str(f.get("metadata", {}).get(_PHYSICAL, f["name"])): (f["name"], cls.of(f["type"]))
                for f in fields
            }
        )

    def leaves(self, counts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, int]]:
        """The counts by column; none of a column that the table no longer has."""
        for physical, count in counts.items():
            if physical not in self.columns:
                continue
            name, inner = self.columns[physical]
            if isinstance(count, dict):
                yield from inner.leaves(count, f"{above}{name}.")
            else:
                yield f"{above}{name}", count


def _stored_file(add: Mapping[str, Any], names: _Names, *, new: bool) -> StoredFile:
    statistics = json.loads(add.get("stats") or "{}")
    return StoredFile(
        name=file_name(add["path"]),
        bytes=int(add["size"]),
        new=new,
        rows=statistics.get("numRecords"),
        nulls=dict(names.leaves(statistics.get("nullCount") or {})),
    )


def _actions(commit: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in commit.splitlines()]
