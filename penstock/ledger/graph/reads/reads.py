"""What all questions to the graph have: a transaction, and the bodies of facets read once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from penstock.ledger.graph.last_told import LastTold, standing
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_document

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import Facets

__all__ = ["Reads", "entries_of", "filled", "holds"]


class Reads:
    """Asks in one transaction, so that all it sees is of one moment.

    Where `facets` is given, nodes have these facets alone, and no others are read.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._documents: dict[str, Any] = {}

    def _bodies(self, told: Iterable[LastTold]) -> Mapping[str, Any]:
        known = self._documents
        for some in chunks(
            sorted({e[-1] for facets in told for e in standing(facets).values()} - known.keys())
        ):
            query = select(graph_document).where(graph_document.c.digest.in_(some))
            known.update(
                (row.digest, json.loads(row.body)) for row in self._connection.execute(query)
            )
        return known


def entries_of(text: str, only: Collection[str] | None) -> LastTold:
    """What a row tells last of each facet, of all or of these alone."""
    if only is None:
        return dict(json.loads(text))
    return {name: entry for name, entry in json.loads(text).items() if name in only} if only else {}


def filled(told: LastTold, bodies: Mapping[str, Any]) -> Facets:
    """The facets themselves, by name."""
    return {name: bodies[entry[-1]] for name, entry in sorted(standing(told).items())}


def holds(column: Any, text: str) -> Any:
    """The condition that the column has the text in it, whatever its case."""
    return func.lower(column).contains(text.lower(), autoescape=True)
