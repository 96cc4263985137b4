"""Tags that datasets, columns and jobs have by their tags facets."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select

from penstock.lineage.graph.catalog import Catalog
from penstock.lineage.server.marquez.parameters import Limit, Offset
from penstock.lineage.server.marquez.told_facet import tags
from penstock.lineage.server.reading import Reading
from penstock.lineage.tables import graph_dataset, graph_job

__all__ = ["router"]

router = APIRouter()


@router.get("/tags")
def list_tags(reading: Reading, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """All tags by name."""
    catalog = Catalog(reading)
    found: set[str] = set()
    datasets = select(graph_dataset.c.same_as).where(graph_dataset.c.facets.contains('"tags"'))
    jobs = select(graph_job.c.id).where(graph_job.c.facets.contains('"tags"'))
    told = [n.facets for n in catalog.datasets(set(reading.execute(datasets).scalars())).values()]
    told += [n.facets for n in catalog.jobs(set(reading.execute(jobs).scalars())).values()]
    for facets in told:
        found |= {tag.name for tag in tags(facets)}
    page = sorted(found)[offset : offset + limit]
    return {"tags": [{"name": n, "description": None} for n in page], "totalCount": len(found)}
