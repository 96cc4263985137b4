"""What upkeep does to a table: a few kinds of rewrite, each one Delta SQL statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

if TYPE_CHECKING:
    from penstock.compaction.facts import Partition

__all__ = ["Action", "Compact", "Purge", "Vacuum", "settings", "statement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """Merge files under `below_bytes` into files of about `target_file_bytes`.

    `partitions` None means the whole table. With `order_by` all files of the partitions are
    rewritten, Z-ordered by these columns. `rewrite_bytes` is an estimate, `files` what it reads.
    """

    partitions: tuple[Partition, ...] | None
    below_bytes: int
    target_file_bytes: int
    files: int
    rewrite_bytes: int
    order_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """Rewrite files that have a deletion vector, so that deleted rows are in no live file."""

    partitions: tuple[Partition, ...] | None
    files: int
    rewrite_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuum:
    """Delete files that left the table more than `retain_hours` ago."""

    retain_hours: int
    files: int


Action = Compact | Purge | Vacuum


def statement(action: Action, path: str, partition_columns: tuple[str, ...]) -> str:
    """The action as Delta SQL on the table at `path`."""
    table = "delta." + _name(path)
    match action:
        case Compact(partitions=partitions, order_by=order_by):
            order = f" ZORDER BY ({', '.join(map(_name, order_by))})" if order_by else ""
            return f"OPTIMIZE {table}{_where(partitions, partition_columns)}{order}"
        case Purge(partitions=partitions):
            return f"REORG TABLE {table}{_where(partitions, partition_columns)} APPLY (PURGE)"
        case Vacuum(retain_hours=hours):
            return f"VACUUM {table} RETAIN {hours} HOURS"
        case _:
            assert_never(action)


def settings(action: Action) -> dict[str, str]:
    """The session settings the statement needs."""
    optimize = "spark.databricks.delta.optimize"
    match action:
        case Compact(below_bytes=below, target_file_bytes=target):
            return {f"{optimize}.minFileSize": str(below), f"{optimize}.maxFileSize": str(target)}
        case Purge() | Vacuum():
            return {}
        case _:
            assert_never(action)


def document(action: Action) -> dict[str, Any]:
    """The action as JSON-ready data, with the number of partitions instead of their values."""
    match action:
        case Compact() | Purge():
            facts: dict[str, Any] = {"files": action.files, "rewrite_bytes": action.rewrite_bytes}
            if action.partitions is not None:
                facts["partitions"] = len(action.partitions)
            if isinstance(action, Compact) and action.order_by:
                facts["order_by"] = list(action.order_by)
        case Vacuum(retain_hours=hours, files=files):
            facts = {"retain_hours": hours, "files": files}
        case _:
            assert_never(action)
    return {"action": type(action).__name__.lower(), **facts}


def _where(partitions: tuple[Partition, ...] | None, columns: tuple[str, ...]) -> str:
    if partitions is None:
        return ""
    wanted = (
        " AND ".join(_equal(name, v) for name, v in zip(columns, values, strict=True))
        for values in partitions
    )
    return " WHERE " + " OR ".join(f"({one})" for one in wanted)


def _equal(name: str, value: str | None) -> str:
    if value is None:
        return f"{_name(name)} IS NULL"
    text = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{_name(name)} = '{text}'"


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
