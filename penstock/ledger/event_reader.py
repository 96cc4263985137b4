"""Events in order of sequence, from the table or from the archive they were moved to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.ledger.archived import archived_after
from penstock.ledger.tables import event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

__all__ = ["events_after"]


def events_after(connection: Connection, sequence: int, limit: int) -> Sequence[Mapping[str, Any]]:
    """At most `limit` rows of the event table above the sequence, those archived among them.

    Raises LedgerError when an archive that is needed is missing or was changed.
    """
    rows = archived_after(connection, sequence, limit)
    if len(rows) < limit:
        last = rows[-1]["sequence"] if rows else sequence
        query = select(event).where(event.c.sequence > last).order_by(event.c.sequence)
        live = connection.execute(query.limit(limit - len(rows))).mappings()
        rows += [dict(row) for row in live]
    return rows
