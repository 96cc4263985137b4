"""Reading a table's files from its log, without a Spark job."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from penstock.compaction.facts import FileFacts, TableFacts
from penstock.errors import LakeError
from penstock.resources.neighbours import tables_inside
from penstock.resources.table_log import catalog_managed, deleted_rows, file_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["measure"]

_HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1, "day": 24, "week": 168}
_INTERVAL = re.compile(r"(\d+)\s+(second|minute|hour|day|week)s?", re.IGNORECASE)


def measure(
    path: str,
    *,
    storage_options: Mapping[str, str] | None = None,
    expired_after_hours: int | None = None,
) -> TableFacts:
    """The files of the Delta table at `path` (a folder or URL), as its log has them now.

    Deletion vectors are read to count their rows: memory is about a byte for each row of the files
    that have one. `expired_after_hours` also lists the folder, to count what VACUUM would delete;
    where another table lies in it nothing is counted, for VACUUM would delete that table's files.
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
        expired = 0
        if expired_after_hours is not None and not inside:
            expired = len(
                table.vacuum(
                    retention_hours=expired_after_hours,
                    dry_run=True,
                    full=True,  # also files that no commit names, left by killed writers
                    enforce_retention_duration=False,
                )
            )
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
        retain_hours=_hours(metadata.configuration.get("delta.deletedFileRetentionDuration")),
    )


def _hours(interval: str | None) -> int | None:
    """Whole hours, rounded up, of an interval as Delta writes it, e.g. `interval 30 days`."""
    parts = _INTERVAL.findall(interval or "")
    return math.ceil(sum(int(n) * _HOURS[unit.lower()] for n, unit in parts)) if parts else None


def _file(row: Mapping[str, Any], names: tuple[str, ...], deleted: Mapping[str, int]) -> FileFacts:
    values = (row.get(f"partition.{name}") for name in names)
    return FileFacts(
        size_bytes=row["size_bytes"],
        rows=row.get("num_records"),
        deleted_rows=deleted.get(file_name(row["path"]), 0),
        partition=tuple(None if value is None else str(value) for value in values),
    )
