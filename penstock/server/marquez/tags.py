"""Tags that datasets, columns and jobs have by their tags facets."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.labels import TAG, tag_name
from penstock.ledger.graph.tables import graph_job, graph_label
from penstock.server.marquez.parameters import Limit, Offset
from penstock.server.marquez.told_facet import tags
from penstock.server.reading import Reading

__all__ = ["router"]

router = APIRouter()


@router.get("/tags")
def list_tags(reading: Reading, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """All tags by name."""
    labels = select(graph_label.c.key, graph_label.c.value).where(graph_label.c.kind == TAG)
    found = {tag_name(row.key, row.value) for row in reading.execute(labels.distinct())}
    tagged = select(graph_job.c.id).where(graph_job.c.facets.contains('"tags"'))
    jobs = Catalog(reading).jobs(reading.execute(tagged).scalars().all(), facets=("tags",))
    found |= {tag.name for job in jobs.values() for tag in tags(job.facets)}
    page = sorted(found)[offset : offset + limit]
    return {"tags": [{"name": n, "description": None} for n in page], "totalCount": len(found)}
