"""Search by a part of a dataset's or a job's name."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from penstock.lineage.graph.catalog import Catalog
from penstock.lineage.server.marquez.moment import stamp
from penstock.lineage.server.marquez.node_id import dataset_id, job_id
from penstock.lineage.server.marquez.parameters import Limit, Text
from penstock.lineage.server.reading import Reading

__all__ = ["router"]

router = APIRouter()

_MOST_FOUND = 10_000


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
    catalog, text = Catalog(reading), q.strip()
    found: list[tuple[str, str, Any]] = []
    if kind != "JOB":
        ids, _ = catalog.dataset_ids(text=text, namespace=namespace, limit=_MOST_FOUND)
        found += [("DATASET", dataset_id(n), n) for n in catalog.datasets(ids).values()]
    if kind != "DATASET":
        ids, _ = catalog.job_ids(text=text, namespace=namespace, limit=_MOST_FOUND)
        found += [("JOB", job_id(n), n) for n in catalog.jobs(ids).values()]
    if before:
        found = [each for each in found if each[2].last_seen < _start_of(before)]
    if after:
        found = [each for each in found if each[2].last_seen > _start_of(after)]
    found.sort(key=lambda each: (each[2].name.lower(), each[2].namespace, each[0]))
    if sort != "NAME":
        found.sort(key=lambda each: each[2].last_seen, reverse=True)
    return {
        "totalCount": len(found),
        "results": [
            {
                "type": type_,
                "name": node.name,
                "updatedAt": stamp(node.last_seen),
                "namespace": node.namespace,
                "nodeId": name,
            }
            for type_, name, node in found[:limit]
        ],
    }


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
