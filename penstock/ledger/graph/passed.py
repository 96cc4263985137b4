"""Events that the graph could not take: they are in the ledger, and nothing of them in the graph.

A part of the projection as any other: a rebuild forgets them and meets them again, so what a newer
Penstock understands is on the list no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from penstock.ledger.graph.tables import graph_passed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["PassedEvent", "count_passed", "passed", "remember_passed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedEvent:
    """`reason` is the type of the error that the event led to; `at` is when it was recorded."""

    namespace: str
    sequence: int
    reason: str
    at: datetime


def remember_passed(connection: Connection, row: Mapping[str, Any], reason: str) -> None:
    """Keep that this event of the ledger was passed."""
    values = {name: row[name] for name in ("sequence", "namespace", "recorded_at")}
    values |= {"event_hash": row["payload_hash"], "reason": reason}
    connection.execute(insert(graph_passed).values(values))


def count_passed(connection: Connection) -> int:
    """How many there are."""
    return int(connection.execute(select(func.count()).select_from(graph_passed)).scalar_one())


def passed(connection: Connection, *, limit: int, offset: int = 0) -> tuple[PassedEvent, ...]:
    """The events, newest first."""
    query = select(graph_passed).order_by(graph_passed.c.sequence.desc())
    return tuple(
        PassedEvent(
            namespace=row.namespace, sequence=row.sequence, reason=row.reason, at=row.recorded_at
        )
        for row in connection.execute(query.limit(limit).offset(offset))
    )
