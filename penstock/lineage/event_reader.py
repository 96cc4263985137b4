"""Events in order of sequence, from the table or from the archive they were moved to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.lineage.tables import event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

__all__ = ["events_after"]


def events_after(connection: Connection, sequence: int, limit: int) -> Sequence[Mapping[str, Any]]:
    """At most `limit` rows of the event table above the sequence."""
    query = select(event).where(event.c.sequence > sequence).order_by(event.c.sequence)
    return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]
