"""Namespaces of datasets and of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from sqlalchemy import func, select, union_all

from penstock.ledger.graph.tables import graph_dataset, graph_job
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.parameters import Limit, Offset
from penstock.server.path_names import Named
from penstock.server.problem import Problem
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["known_namespace", "router"]

router = APIRouter()


@router.get("/namespaces")
def list_namespaces(reading: Reading, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """All namespaces by name."""
    query = _namespaces()
    rows = reading.execute(query.limit(limit).offset(offset))
    total = reading.execute(select(func.count()).select_from(query.subquery()))
    return {"namespaces": [_body(row) for row in rows], "totalCount": total.scalar_one()}


@router.get("/namespaces/{namespace}")
def get_namespace(reading: Reading, namespace: Named) -> dict[str, Any]:
    """One namespace."""
    row = reading.execute(_namespaces(namespace)).first()
    if row is None:
        raise Problem.unknown("namespace", f"namespaces/{namespace}")
    return _body(row)


def known_namespace(connection: Connection, namespace: str) -> None:
    """Raises the Problem that there is no such namespace."""
    if connection.execute(_namespaces(namespace)).first() is None:
        raise Problem.unknown("namespace", f"namespaces/{namespace}")


def _namespaces(namespace: str | None = None) -> Any:
    parts = []
    for table in (graph_dataset, graph_job):
        part = select(table.c.namespace, table.c.first_seen, table.c.last_seen)
        parts.append(part if namespace is None else part.where(table.c.namespace == namespace))
    seen = union_all(*parts).subquery()
    first, last = func.min(seen.c.first_seen), func.max(seen.c.last_seen)
    query = select(
        seen.c.namespace,
        first.label("first_seen"),
        last.label("last_seen"),
    )
    return query.group_by(seen.c.namespace).order_by(seen.c.namespace)


def _body(row: Any) -> dict[str, Any]:
    return {
        "name": row.namespace,
        "createdAt": stamp(row.first_seen),
        "updatedAt": stamp(row.last_seen),
        # events know owners of jobs and of datasets only
        "ownerName": "anonymous",
        "description": None,
        "isHidden": False,
    }
