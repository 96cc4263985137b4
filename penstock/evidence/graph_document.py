"""The graph of a scope as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.events.instant import instant
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.naming import columns_of, id_of, label_of, owners_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.evidence.scope import Scope

__all__ = ["graph_document"]


def graph_document(connection: Connection, scope: Scope) -> dict[str, Any]:
    """Datasets, jobs, edges between datasets and between columns, each with when it held.

    A column edge without a target column decides which rows there are.
    """
    catalog = Catalog(connection)
    nodes = catalog.datasets(scope.datasets)
    jobs = catalog.jobs({*(e.job for e in scope.edges), *(e.job for e in scope.column_edges)})
    ends = {c for e in scope.column_edges for c in (e.source, e.target)}
    columns = catalog.columns(ends | ({scope.column} if scope.column else set()))
    datasets = [
        {
            "id": id_of(node),
            "label": label_of(node),
            "owners": owners_of(node),
            "columns": columns_of(node),
            "other_names": [f"{space}|{name}" for space, name in node.other_names],
        }
        for node in nodes.values()
    ]
    edges = [
        {
            "job": id_of(jobs[e.job]),
            "source": id_of(nodes[e.source]),
            "target": id_of(nodes[e.target]) if e.target else None,
            **_held(e.valid_from, e.valid_to),
        }
        for e in scope.edges
    ]
    column_edges = [
        {
            "job": id_of(jobs[e.job]),
            "source": id_of(nodes[e.source_dataset]),
            "source_column": columns[e.source][1] or None,
            "target": id_of(nodes[e.target_dataset]),
            "target_column": columns[e.target][1] or None,
            "type": e.type,
            "subtype": e.subtype,
            "masking": e.masking,
            "description": e.description,
            **_held(e.valid_from, e.valid_to),
        }
        for e in scope.column_edges
    ]
    return {
        "asked": {
            "dataset": id_of(nodes[scope.asked]) if scope.asked else None,
            "column": columns[scope.column][1] if scope.column else None,
        },
        "datasets": sorted(datasets, key=_order),
        "jobs": [
            {"id": id_of(job), "kind": job.facets.get("jobType", {}).get("jobType")}
            for job in sorted(jobs.values(), key=id_of)
        ],
        "edges": sorted(edges, key=_order),
        "column_edges": sorted(column_edges, key=_order),
    }


def _held(since: datetime, until: datetime | None) -> dict[str, str | None]:
    return {"valid_from": instant(since), "valid_to": instant(until) if until else None}


def _order(item: dict[str, Any]) -> list[str]:
    names = ("id", "target", "target_column", "source", "source_column", "job", "type", "subtype")
    return [str(item.get(name)) for name in (*names, "masking", "description", "valid_from")]
