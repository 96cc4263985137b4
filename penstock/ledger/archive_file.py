"""Events as a Parquet file: every column of the event table, compressed, in order of sequence."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "SCHEMA",
    "rows_after",
    "rows_of",
    "rows_of_run",
    "rows_where",
    "sha256_of",
    "sync_folder",
    "write_rows",
]

_MOMENT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("namespace", pa.string(), nullable=False),
        pa.field("job", pa.string()),
        pa.field("run_id", pa.string()),
        pa.field("event_type", pa.string()),
        pa.field("event_time", _MOMENT, nullable=False),
        pa.field("recorded_at", _MOMENT, nullable=False),
        pa.field("payload", pa.large_string(), nullable=False),
        pa.field("payload_hash", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("link", pa.string(), nullable=False),
    ]
)


def write_rows(path: Path, batches: Iterable[Sequence[Mapping[str, Any]]]) -> None:
    """Writes a file and waits until it is on the disk; each batch is a row group."""
    with path.open("wb") as stream:
        with pq.ParquetWriter(stream, SCHEMA, compression="zstd") as writer:
            for batch in batches:
                writer.write_table(pa.Table.from_pylist(list(batch), schema=SCHEMA))
        stream.flush()
        os.fsync(stream.fileno())


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Every event of the file. Raises OSError or pyarrow's errors for a damaged one."""
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield from file.read_row_group(number).to_pylist()


def rows_after(path: Path, passed: int, limit: int) -> list[dict[str, Any]]:
    """At most `limit` events of the file, without the first `passed`."""
    found: list[dict[str, Any]] = []
    with pq.ParquetFile(path) as file:
        begin = 0
        for number in range(file.num_row_groups):
            end = begin + file.metadata.row_group(number).num_rows
            if end > passed and len(found) < limit:
                skipped = max(passed - begin, 0)
                group = file.read_row_group(number).slice(skipped, limit - len(found))
                found += group.to_pylist()
            begin = end
    return found


def rows_where(
    path: Path, wanted: pc.Expression, *, payload: bool = True
) -> Iterator[dict[str, Any]]:
    """The events that the expression chooses, by any column but the payload, in order.

    Payloads are read of the row groups alone that hold such an event, or not at all.
    """
    small = [name for name in SCHEMA.names if name != "payload"]
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            chosen = file.read_row_group(number, small).filter(wanted)
            if payload and chosen.num_rows:
                chosen = file.read_row_group(number).filter(
                    pc.is_in(pc.field("sequence"), chosen["sequence"].combine_chunks())
                )
            yield from chosen.to_pylist()


def rows_of_run(path: Path, run_id: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """These columns of a run's events, in order: of the others nothing but the run's id is read.

    It takes a tenth of what `rows_where` takes.
    """
    found: list[dict[str, Any]] = []
    with pq.ParquetFile(path) as file:
        wanted = pc.equal(file.read(columns=["run_id"]).column(0), run_id)
        begin = 0
        for number in range(file.num_row_groups):
            rows = file.metadata.row_group(number).num_rows
            chosen = wanted.slice(begin, rows)
            begin += rows
            if pc.any(chosen).as_py():
                found += file.read_row_group(number, columns=columns).filter(chosen).to_pylist()
    return found


def sha256_of(path: Path) -> str:
    """Of the file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Waits until the names in the folder are on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
