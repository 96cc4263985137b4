"""Short questions about a ledger's graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.walk import Walk
from tests.ledger.told_events import AT, moment

if TYPE_CHECKING:
    from penstock.ledger import Ledger


def made_of(ledger: Ledger, minutes: float | None, name: str = "/out") -> set[str]:
    """The datasets, and as `name.column` the columns, that `name` is made of at that moment."""
    at = None if minutes is None else AT.fromisoformat(moment(minutes))
    with ledger.database.read() as connection:
        catalog = Catalog(connection)
        target = catalog.dataset_id("file", name)
        if target is None:
            return set()
        edges = catalog.edges(targets=[target], at=at)
        names = catalog.names({edge.source for edge in edges})
        walk = Walk(connection, at=at)
        found = {names[edge.source][1] for edge in edges}
        columns = catalog.columns(
            {edge.source for edge in walk.step(walk.columns_of([target]), "upstream")}
        )
        owners = catalog.names({owner for owner, _ in columns.values()})
        return found | {f"{owners[owner][1]}.{column}" for owner, column in columns.values()}
