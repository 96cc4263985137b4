"""Search by a part of a dataset's or a job's name."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from sqlalchemy import func, literal, select, union_all

from penstock.ledger.graph.reads.datasets import is_named
from penstock.ledger.graph.reads.reads import holds
from penstock.ledger.graph.tables import graph_dataset, graph_job
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.parameters import Limit, Text
from penstock.server.reading import Reading

__all__ = ["router"]

router = APIRouter()


def _upper(text: Any) -> str | None:
    return str(text).upper() if text else None


Kind = Annotated[Literal["DATASET", "JOB"] | None, Query(alias="filter"), BeforeValidator(_upper)]
Sort = Annotated[Literal["NAME", "UPDATE_AT", "UPDATED_AT"], BeforeValidator(_upper)]


@router.get("/search")
def search(  # noqa: PLR0917 - Marquez's parameters
    reading: Reading,
    q: Annotated[Text, Query(min_length=1)],
    kind: Kind = None,
    sort: Sort = "NAME",
    limit: Limit = 10,
    namespace: Text | None = None,
    before: date | None = None,
    after: date | None = None,
) -> dict[str, Any]:
    """Datasets and jobs whose name holds the text, whatever its case; `totalCount` is of all."""
    kinds = [k for k in ("DATASET", "JOB") if kind in (k, None)]
    found = union_all(*(_named(k, q.strip(), namespace) for k in kinds)).subquery()
    query = select(found)
    if before:
        query = query.where(found.c.last_seen < _start_of(before))
    if after:
        query = query.where(found.c.last_seen > _start_of(after))
    total = reading.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    order: list[Any] = [func.lower(found.c.name), found.c.namespace, found.c.type]
    if sort != "NAME":
        order.insert(0, found.c.last_seen.desc())
    return {
        "totalCount": total,
        "results": [
            {
                "type": row.type,
                "name": row.name,
                "updatedAt": stamp(row.last_seen),
                "namespace": row.namespace,
                "nodeId": f"{row.type.lower()}:{row.namespace}:{row.name}",
            }
            for row in reading.execute(query.order_by(*order).limit(limit))
        ],
    }


def _named(kind: str, text: str, namespace: str | None) -> Any:
    """(type, namespace, name, last_seen) of what has the text in its name, or in another of it."""
    table, named = graph_job, holds(graph_job.c.name, text)
    last_seen: Any = graph_job.c.last_seen
    if kind == "DATASET":
        table = graph_dataset
        named = is_named(text)
        other = graph_dataset.alias("other")
        last_seen = (
            select(func.max(other.c.last_seen))
            .where(other.c.same_as == graph_dataset.c.id)
            .scalar_subquery()
        )
    query = select(
        literal(kind).label("type"),
        table.c.namespace,
        table.c.name,
        last_seen.label("last_seen"),
    ).where(named)
    return query if namespace is None else query.where(table.c.namespace == namespace)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
