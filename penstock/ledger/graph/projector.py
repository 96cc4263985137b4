"""The graph made of the events: in order of their sequence, in batches, each in a transaction.

What is told of one thing is merged so that the order of arrival decides nothing (`last_told`), and
intervals are made of all statements about it (`validity`): late, repeated and reordered events end
in the same graph. It is made of the events alone, so it can be thrown away and made anew.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from penstock.errors import LedgerError, PenstockError
from penstock.ledger.archived import check_archives
from penstock.ledger.event_reader import events_after
from penstock.ledger.graph.batch import Batch
from penstock.ledger.graph.passed import remember_passed
from penstock.ledger.graph.statement import Statement
from penstock.ledger.graph.tables import GRAPH, graph_cursor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from penstock.ledger.database import LedgerDatabase

__all__ = ["catch_up", "rebuild"]

logger = logging.getLogger(__name__)

_BATCH = 500


def catch_up(database: LedgerDatabase, *, batch: int = _BATCH) -> int:
    """Brings the graph up to the last event and gives how many it took. Raises LedgerError.

    Killed anywhere it goes on where the last whole batch ended; two at once take turns. An event
    that it cannot take is passed, logged and remembered (`passed`).
    """
    with database.read() as connection:
        if not events_after(connection, _cursor(connection), 1):
            return 0
    taken = 0
    while True:
        try:
            count = _take(database, batch)
        except LedgerError:
            raise
        except Exception:  # noqa: BLE001 - what one event says must not hide all that come later
            count = sum(_take_or_pass(database) for _ in range(batch))
        taken += count
        if count < batch:
            return taken


def _take(database: LedgerDatabase, batch: int) -> int:
    """One batch, in a transaction; gives how many events there were."""
    with database.write() as connection:
        rows = events_after(connection, _cursor(connection, lock=True), batch)
        if rows:
            _bring_in(connection, rows)
            connection.execute(update(graph_cursor).values(sequence=rows[-1]["sequence"]))
    return len(rows)


def _take_or_pass(database: LedgerDatabase) -> int:
    """The next event; one that the graph cannot take is passed, in every rebuild alike.

    It is tried and passed under one lock, so that nobody passes the one behind it untried.
    """
    with database.write() as connection:
        rows = events_after(connection, _cursor(connection, lock=True), 1)
        if not rows:
            return 0
        try:
            with connection.begin_nested():
                _bring_in(connection, rows)
        except (SQLAlchemyError, sqlite3.Error, PenstockError):
            raise  # the database's fault, and not the event's
        except Exception as error:  # noqa: BLE001 - whatever it is, the next event may be well
            # the type alone: the message, and a stack, may quote what the event holds
            reason = type(error).__name__
            remember_passed(connection, rows[0], reason)
            logger.error(  # noqa: TRY400
                "event %s is not in the graph: %s", rows[0]["sequence"], reason
            )
        connection.execute(update(graph_cursor).values(sequence=rows[0]["sequence"]))
    return 1


def _bring_in(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    documents: dict[str, str] = {}
    told = [Statement.of(from_json(row["payload"]), row["payload_hash"], documents) for row in rows]
    Batch(connection, documents).take(told)


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
