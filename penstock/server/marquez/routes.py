"""All routes of Marquez's read API under one prefix."""

from __future__ import annotations

from fastapi import APIRouter

from penstock.server.marquez import (
    column_lineage,
    dataset_versions,
    datasets,
    events,
    job_versions,
    jobs,
    lineage,
    namespaces,
    run_lineage,
    runs,
    search,
    sources,
    stats,
    tags,
    writing,
)

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["Marquez"])
for part in (
    namespaces,
    sources,
    tags,
    datasets,
    dataset_versions,
    # /jobs/runs/{id} before /jobs
    runs,
    jobs,
    job_versions,
    lineage,
    column_lineage,
    run_lineage,
    events,
    search,
    stats,
    # it takes every path that is left
    writing,
):
    router.include_router(part.router)
