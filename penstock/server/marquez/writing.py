"""Marquez's writing calls, which are not offered: what is known comes from events alone."""

from __future__ import annotations

from fastapi import APIRouter, Request

from penstock.server.problem import Problem

__all__ = ["router"]

router = APIRouter()

NOT_ALLOWED = 405


@router.api_route(
    "/{path:path}", methods=["PUT", "POST", "PATCH", "DELETE"], include_in_schema=False
)
def refuse(request: Request) -> None:
    """Say where it goes in."""
    raise Problem(
        NOT_ALLOWED,
        "nothing is written here: what is known comes from OpenLineage events alone",
        where=f"{request.method} {request.url.path}",
        next_step="send an event that tells it to POST /api/v1/lineage",
    )
