"""The graph made of the events: in order of their sequence, in batches, each in a transaction.

What is told of one thing is merged so that the order of arrival decides nothing (`last_told`), and
intervals are made of all statements about it (`validity`): late, repeated and reordered events end
in the same graph. It is made of the events alone, so it can be thrown away and made anew.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from penstock.lineage.archived import check_archives
from penstock.lineage.event_reader import events_after
from penstock.lineage.graph.batch import Batch
from penstock.lineage.graph.statement import Statement
from penstock.lineage.tables import GRAPH, graph_cursor

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from penstock.lineage.ledger_database import LedgerDatabase

__all__ = ["catch_up", "rebuild"]

_BATCH = 500


def catch_up(database: LedgerDatabase, *, batch: int = _BATCH) -> int:
    """Brings the graph up to the last event and gives how many it took. Raises LedgerError.

    Killed anywhere it goes on where the last whole batch ended; two at once take turns.
    """
    with database.read() as connection:
        if not events_after(connection, _cursor(connection), 1):
            return 0
    taken = 0
    while True:
        with database.write() as connection:
            rows = events_after(connection, _cursor(connection, lock=True), batch)
            if rows:
                statements = [
                    Statement.of(json.loads(row["payload"]), row["payload_hash"]) for row in rows
                ]
                Batch(connection).take(statements)
                connection.execute(update(graph_cursor).values(sequence=rows[-1]["sequence"]))
        taken += len(rows)
        if len(rows) < batch:
            return taken


def rebuild(database: LedgerDatabase) -> int:
    """Throws the graph away and makes it anew. Until it is done, readers see a part of it.

    Raises LedgerError, with the graph as it was, when an archive is missing or was changed.
    """
    with database.read() as connection:
        check_archives(connection)
    with database.write() as connection:
        _cursor(connection, lock=True)
        for table in reversed(GRAPH):
            connection.execute(delete(table))
        connection.execute(insert(graph_cursor).values(id=1, sequence=0))
    return catch_up(database)


def _cursor(connection: Connection, *, lock: bool = False) -> int:
    query = select(graph_cursor.c.sequence)
    found = connection.execute(query.with_for_update() if lock else query).scalar_one()
    return int(found)
