"""How much of what is in the tables the ledger knows of."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from penstock.evidence.coverage_report import coverage_report
from penstock.server.own.described import At, Describer, Id
from penstock.server.problem import Problem, documented
from penstock.server.reading import Reading

__all__ = ["router"]

router = APIRouter()


@router.get("/coverage", responses=documented({501: "the server knows no lake"}))
def coverage(
    request: Request,
    connection: Reading,
    id: Id | None = None,
    since: At = None,
    until: At = None,
) -> dict[str, Any]:
    """Commits of the tables against events: of one dataset, or of all of the lake."""
    histories = request.app.state.histories
    if histories is None:
        raise Problem.not_offered("a lake", "coverage")
    if id is None:
        return coverage_report(connection, histories, since=since, until=until).document()
    chosen = [Describer(connection).dataset(id)]
    found = coverage_report(connection, histories, datasets=chosen, since=since, until=until)
    if not found.datasets:
        raise Problem.unknown("table in the lake", id)
    return found.document()
