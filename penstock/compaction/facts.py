"""What a table's files look like: the facts upkeep is decided on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FileFacts", "Partition", "SizeBucket", "TableFacts", "readable"]

# A partition as its values in the order of the table's partition columns; None is NULL.
Partition = tuple[str | None, ...]

_MIB = 1024 * 1024
_EDGES = (0, 64 * 1024, _MIB, 16 * _MIB, 64 * _MIB, 128 * _MIB, 512 * _MIB, 1024 * _MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """One live data file. `rows` is None when the log has no statistics for it."""

    size_bytes: int
    rows: int | None = None
    deleted_rows: int = 0  # marked by a deletion vector, still in the file
    partition: Partition = ()

    @property
    def deleted_share(self) -> float:
        """Rows marked deleted, of all rows in the file; 1.0 when the row count is unknown."""
        if self.deleted_rows == 0:
            return 0.0
        return min(1.0, self.deleted_rows / self.rows) if self.rows else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeBucket:
    """How many files have at least `from_bytes` and less than `below_bytes` (None: no limit)."""

    from_bytes: int
    below_bytes: int | None
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """A table's files at one version. Holds partition values but no value of any other column."""

    version: int
    files: tuple[FileFacts, ...]
    partition_columns: tuple[str, ...] = ()
    clustered: bool = False  # liquid clustering: OPTIMIZE itself keeps the order
    expired_files: int = 0  # no longer in the table, and past the retention asked about
    tables_inside: tuple[str, ...] = ()  # folders of other tables; looked for with expired files
    retain_hours: int | None = None  # the table's own delta.deletedFileRetentionDuration
    log_hours: int | None = None  # for how long commits stay in the log at least; None: for good

    @property
    def file_count(self) -> int:
        """Live data files."""
        return len(self.files)

    @property
    def size_bytes(self) -> int:
        """Bytes of the live data files, without deletion vectors and the log."""
        return sum(file.size_bytes for file in self.files)

    @property
    def deleted_share(self) -> float:
        """Rows marked deleted by deletion vectors, of all rows in the files."""
        deleted = sum(file.deleted_rows for file in self.files)
        rows = sum(file.rows or file.deleted_rows for file in self.files)
        return deleted / rows if rows else 0.0

    def partitions(self) -> Mapping[Partition, tuple[FileFacts, ...]]:
        """The files of each partition; one entry with key `()` when the table has none."""
        grouped: dict[Partition, list[FileFacts]] = defaultdict(list)
        for file in self.files:
            grouped[file.partition].append(file)
        return {partition: tuple(files) for partition, files in grouped.items()}

    def histogram(self) -> tuple[SizeBucket, ...]:
        """File sizes in eight buckets, from under 64 KiB to 1 GiB and more."""
        return tuple(
            SizeBucket(from_bytes=low, below_bytes=high, files=len(sizes), size_bytes=sum(sizes))
            for low, high in pairwise((*_EDGES, None))
            if low is not None
            for sizes in [
                [
                    file.size_bytes
                    for file in self.files
                    if low <= file.size_bytes and (high is None or file.size_bytes < high)
                ]
            ]
        )

    def document(self) -> dict[str, Any]:
        """The facts as JSON-ready data, without partition values."""
        return {
            "version": self.version,
            "files": self.file_count,
            "bytes": self.size_bytes,
            "partitions": len(self.partitions()),
            "deleted_share": round(self.deleted_share, 6),
            "expired_files": self.expired_files,
            "tables_inside": len(self.tables_inside),
            "histogram": [
                {"from_bytes": b.from_bytes, "files": b.files, "bytes": b.size_bytes}
                for b in self.histogram()
                if b.files
            ],
        }

    def __str__(self) -> str:
        return (
            f"version {self.version}: {self.file_count} files, {readable(self.size_bytes)}, "
            f"{len(self.partitions())} partitions, {self.deleted_share:.1%} of rows marked deleted"
        )


def readable(size_bytes: int) -> str:
    """A size for people, e.g. `1.5 MiB`."""
    for unit, unit_bytes in (("GiB", 1024 * _MIB), ("MiB", _MIB), ("KiB", 1024)):
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return f"{size_bytes} B"
