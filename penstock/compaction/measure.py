"""Reading a table's files from its log, without a Spark job."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileType, PyFileSystem

from penstock.compaction.facts import FileFacts, TableFacts
from penstock.errors import LakeError
from penstock.resources.neighbours import tables_inside
from penstock.resources.stored_commit import deleted_rows, file_name
from penstock.resources.table_log import catalog_managed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["measure"]

_SEEN = ("_change_data", "_delta_index")  # folders that VACUUM looks into, hidden as they are
_VECTOR = re.compile(r"deletion_vector_.*\.bin")
_HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1, "day": 24, "week": 168}
_LOG_KEPT = "interval 30 days"  # Delta's own, where the table does not say
_INTERVAL = re.compile(r"(\d+)\s+(second|minute|hour|day|week)s?", re.IGNORECASE)


def measure(
    path: str,
    *,
    storage_options: Mapping[str, str] | None = None,
    expired_after_hours: int | None = None,
) -> TableFacts:
    """The files of the Delta table at `path` (a folder or URL), as its log has them now.

    Deletion vectors are read to count their rows: memory is about a byte for each row of the files
    that have one. `expired_after_hours` (the table's own retention where that is longer) also lists
    the folder, to count the data and change files that VACUUM would delete; old deletion vectors go
    with them. Where another table lies in it nothing is counted, for VACUUM would delete that
    table's files.
    Raises LakeError when there is no table or its log cannot be read.
    """
    try:
        table = DeltaTable(path, storage_options=dict(storage_options or {}) or None)
        protocol = table.protocol()
        metadata = table.metadata()
        names = tuple(metadata.partition_columns)
        columns = pa.table(table.get_add_actions(flatten=True))
        deleted = deleted_rows(table)
        asked = expired_after_hours is not None
        inside = tables_inside(path, storage_options or {}) if asked else ()
        own = metadata.configuration.get("delta.deletedFileRetentionDuration")
        own_hours = None if own is None else _hours(own, math.ceil)
        expired = 0
        if expired_after_hours is not None and not inside:
            live = {file_name(path) for path in columns.column("path").to_pylist()}
            files = PyFileSystem(DeltaStorageHandler(path, dict(storage_options or {}) or None))
            expired = _expired(table, files, max(expired_after_hours, own_hours or 0), live)
    except (DeltaError, OSError) as error:
        if managed := catalog_managed(path, error):
            raise managed from error
        raise LakeError(
            "the table's log cannot be read",
            where=path,
            expected="an intact Delta table that this process may read",
            found=" ".join(str(error).split())[:400],
            next_step="check the path and its permissions; `penstock doctor` says what is missing",
        ) from error
    # only these columns: the log's statistics hold values of the rows, which are nobody's business
    wanted = ["path", "size_bytes", "num_records", *(f"partition.{name}" for name in names)]
    rows = columns.select([name for name in wanted if name in columns.column_names]).to_pylist()
    return TableFacts(
        version=table.version(),
        files=tuple(_file(row, names, deleted) for row in rows),
        partition_columns=names,
        clustered="clustering" in (protocol.writer_features or ()),
        expired_files=expired,
        tables_inside=inside,
        retain_hours=own_hours,
        log_hours=_log_hours(metadata.configuration),
    )


def _expired(table: DeltaTable, files: PyFileSystem, hours: int, live: AbstractSet[str]) -> int:
    """How many data and change files VACUUM would delete.

    delta-rs also names files that are gone already, that are young, that VACUUM passes over as
    hidden, and the deletion vectors of live files.
    """
    named = table.vacuum(
        retention_hours=hours,
        dry_run=True,
        full=True,  # also files that no commit names, left by killed writers
        enforce_retention_duration=False,
    )
    before = datetime.now(UTC) - timedelta(hours=hours)
    old = {
        entry.path
        for entry in files.get_file_info(FileSelector("", recursive=True))
        if entry.type is FileType.File and entry.mtime and entry.mtime < before
    }
    seen = (*_SEEN, *(f"{name}=" for name in table.metadata().partition_columns))
    return sum(
        file_name(path) not in live
        and not _VECTOR.fullmatch(file_name(path))
        and not any(p.startswith((".", "_")) and not p.startswith(seen) for p in path.split("/"))
        for path in old & {*named, *map(unquote, named)}
    )


def _hours(interval: str, rounded: Callable[[float], int]) -> int | None:
    """Whole hours of an interval as Delta writes it, e.g. `interval 30 days`."""
    parts = _INTERVAL.findall(interval)
    return rounded(sum(int(n) * _HOURS[unit.lower()] for n, unit in parts)) if parts else None


def _log_hours(properties: Mapping[str, str]) -> int | None:
    """For how many hours a commit stays in the log at least; None where none is ever dropped."""
    if properties.get("delta.enableExpiredLogCleanup", "true").lower() == "false":
        return None
    # what cannot be read promises nothing
    return _hours(properties.get("delta.logRetentionDuration", _LOG_KEPT), math.floor) or 0


def _file(row: Mapping[str, Any], names: tuple[str, ...], deleted: Mapping[str, int]) -> FileFacts:
    values = (row.get(f"partition.{name}") for name in names)
    return FileFacts(
        size_bytes=row["size_bytes"],
        rows=row.get("num_records"),
        deleted_rows=deleted.get(file_name(row["path"]), 0),
        partition=tuple(None if value is None else str(value) for value in values),
    )
