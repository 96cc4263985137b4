"""Penstock's own API: the graph as of any instant, pages of what is in it, and who read what."""

from __future__ import annotations

from fastapi import APIRouter

from penstock.server.own import (
    access_log,
    coverage,
    dataset_history,
    dataset_page,
    dataset_runs,
    evidence,
    graph_view,
    lists,
    not_understood,
    pii,
    readers,
    run_page,
    session,
)
from penstock.server.problem import documented

__all__ = ["router"]

router = APIRouter(
    prefix="/api/penstock/v1",
    tags=["penstock"],
    responses=documented({404: "there is no such thing"}),
)
for part in (
    lists,
    graph_view,
    dataset_page,
    dataset_runs,
    dataset_history,
    not_understood,
    run_page,
    readers,
    pii,
    access_log,
    coverage,
    evidence,
    session,
):
    router.include_router(part.router)
