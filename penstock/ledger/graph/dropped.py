"""Datasets that somebody dropped, and nobody wrote since."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.statement import LIFECYCLE
from penstock.ledger.graph.tables import graph_dataset, graph_document, graph_told, graph_use

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import DatasetNode

__all__ = ["dropped"]

_DROP = "DROP"


def dropped(connection: Connection, nodes: Iterable[DatasetNode]) -> set[int]:
    """Those of these datasets, read with their lifecycle facet, that are no more.

    One is there again when what a run tells of it counts later than the drop, unless that run
    told the drop itself.
    """
    return {
        node.id
        for node in nodes
        if node.facets.get(LIFECYCLE, {}).get(LIFECYCLE) == _DROP
        and not _written(connection, node.id, node.told_at[LIFECYCLE])
    }


def _written(connection: Connection, dataset: int, since: datetime) -> bool:
    query = (
        select(graph_use.c.facets)
        .join(graph_dataset, graph_dataset.c.id == graph_use.c.dataset)
        .join(
            graph_told,
            and_(
                graph_told.c.teller == graph_use.c.teller,
                graph_told.c.dataset == graph_use.c.dataset,
            ),
        )
        .where(
            graph_dataset.c.same_as == dataset,
            graph_use.c.role == "OUT",
            graph_use.c.at > since,
            graph_told.c.at > since,
        )
    )
    told: list[dict[str, Any]] = [json.loads(text) for text in connection.execute(query).scalars()]
    digests = [facets[LIFECYCLE][-1] for facets in told if LIFECYCLE in facets]
    drops = set()
    for some in chunks(set(digests)):
        found = select(graph_document).where(graph_document.c.digest.in_(some))
        drops |= {
            row.digest
            for row in connection.execute(found)
            if json.loads(row.body).get(LIFECYCLE) == _DROP
        }
    return any(facets.get(LIFECYCLE, ("",))[-1] not in drops for facets in told)
