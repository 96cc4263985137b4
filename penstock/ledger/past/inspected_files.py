"""What was found in landing files, so that a file that did not change is not read again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from penstock.ledger.database import LedgerDatabase, lock_head
from penstock.ledger.graph.rows import chunks
from penstock.ledger.past.tables import inspected_file

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["InspectedFiles"]


class InspectedFiles:
    """Documents by a file's address and state. Raises LedgerError when the database is unusable."""

    def __init__(self, database: LedgerDatabase) -> None:
        self._database = database

    def get(self, states: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
        """The documents of the files, by address, that were put while in these states."""
        found: dict[str, Mapping[str, Any]] = {}
        if not states:
            return found
        with self._database.read() as connection:
            for uris in chunks(states):
                query = select(inspected_file).where(inspected_file.c.uri.in_(uris))
                for uri, state, document in connection.execute(query):
                    if state == states[uri]:
                        found[uri] = json.loads(document)
        return found

    def put(self, documents: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
        """Keep (state, document) of each address, in place of what was kept of it."""
        if not documents:
            return
        rows = [
            {"uri": uri, "state": state, "document": json.dumps(document)}
            for uri, (state, document) in documents.items()
        ]
        with self._database.write() as connection:
            lock_head(connection)
            for uris in chunks(documents):
                connection.execute(delete(inspected_file).where(inspected_file.c.uri.in_(uris)))
            connection.execute(insert(inspected_file), rows)
