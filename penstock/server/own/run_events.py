"""The events of a run: those in the ledger's table, and those that were moved to its archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.events.instant import instant
from penstock.ledger.archived import archived_of_run
from penstock.ledger.tables import event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from penstock.ledger.archived import ArchivedFile
    from penstock.ledger.graph.nodes import JobNode

__all__ = ["run_events"]

_MOST = 1000
_COLUMNS = ("sequence", "event_type", "event_time", "recorded_at", "link")


def run_events(connection: Connection, run_id: str, job: JobNode) -> dict[str, Any]:
    """The run's first events in order of arrival, wherever they are; no more than a thousand.

    `archive` names the file that an event is in, null: it is in the table. `events_unread` are
    files of the archive that may hold more of them and cannot be read; `events_complete`: these
    are all there are.
    """
    wanted = (*_COLUMNS, "namespace", "job")
    archived = archived_of_run(connection, run_id, wanted)
    told = [
        _told(row, file)
        for file, row in archived.rows
        if (row["namespace"], row["job"]) == (job.namespace, job.name)
    ]
    query = select(*(event.c[name] for name in _COLUMNS)).where(
        event.c.run_id == run_id, event.c.job == job.name, event.c.namespace == job.namespace
    )
    live = connection.execute(query.order_by(event.c.sequence).limit(_MOST + 1)).mappings()
    told += [_told(row, None) for row in live]
    return {
        "events": told[:_MOST],
        "events_unread": [
            {"first": file.first, "last": file.last, "archive": file.path.name, "why": why}
            for file, why in archived.unread
        ],
        "events_complete": len(told) <= _MOST and not archived.unread,
    }


def _told(row: Mapping[Any, Any], file: ArchivedFile | None) -> dict[str, Any]:
    return {
        "sequence": row["sequence"],
        "event_type": row["event_type"],
        "event_time": instant(row["event_time"]),
        "recorded_at": instant(row["recorded_at"]),
        "link": row["link"],
        "archive": file.path.name if file else None,
    }
