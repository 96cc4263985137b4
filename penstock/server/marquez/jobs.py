"""Jobs: all of them, those of a namespace and one by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import func, or_, select

from penstock.ledger.graph.tables import graph_job, graph_run
from penstock.server.marquez.job_body import job_bodies, listed_jobs
from penstock.server.marquez.job_names import known_job
from penstock.server.marquez.namespaces import known_namespace
from penstock.server.marquez.parameters import Limit, Offset
from penstock.server.path_names import Named
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

__all__ = ["router"]

router = APIRouter()

State = Literal["NEW", "RUNNING", "COMPLETED", "FAILED", "ABORTED", "OTHER"]
States = Annotated[list[State] | None, Query(alias="lastRunStates")]

_TOLD: dict[State, tuple[str, ...]] = {
    "NEW": ("OTHER",),
    "OTHER": ("OTHER",),
    "RUNNING": ("START", "RUNNING"),
    "COMPLETED": ("COMPLETE",),
    "FAILED": ("FAIL",),
    "ABORTED": ("ABORT",),
}


@router.get("/jobs")
def list_all_jobs(
    reading: Reading, states: States = None, limit: Limit = 100, offset: Offset = 0
) -> dict[str, Any]:
    """All jobs, those told of last first; `lastRunStates` keeps those whose last run is such.

    Of `latestRuns` a list tells how they stand: their facets are those of the job asked for alone,
    and the versions that a run read and made those of the run asked for.
    """
    return _page(reading, None, states, limit, offset)


@router.get("/namespaces/{namespace}/jobs")
def list_jobs(
    reading: Reading,
    namespace: Named,
    states: States = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """The jobs of a namespace, those told of last first."""
    known_namespace(reading, namespace)
    return _page(reading, namespace, states, limit, offset)


@router.get("/namespaces/{namespace}/jobs/{job}")
def get_job(reading: Reading, namespace: Named, job: Named) -> dict[str, Any]:
    """One job."""
    number = known_job(reading, namespace, job)
    return job_bodies(reading, [number])[number]


def _page(
    connection: Connection,
    namespace: str | None,
    states: Sequence[State] | None,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    query = select(graph_job.c.id)
    if namespace is not None:
        query = query.where(graph_job.c.namespace == namespace)
    if states:
        query = query.where(_last_run_is(states))
    total = connection.execute(select(func.count()).select_from(query.subquery()))
    ordered = query.order_by(graph_job.c.last_seen.desc(), graph_job.c.namespace, graph_job.c.name)
    ids = connection.execute(ordered.limit(limit).offset(offset)).scalars().all()
    bodies = listed_jobs(connection, ids)
    return {"jobs": [bodies[number] for number in ids], "totalCount": total.scalar_one()}


def _last_run_is(states: Sequence[State]) -> Any:
    # by the index of each job's runs, however many it had
    last = (
        select(graph_run.c.state)
        .where(graph_run.c.job == graph_job.c.id)
        .order_by(graph_run.c.started.desc(), graph_run.c.run_id)
        .limit(1)
        .scalar_subquery()
    )
    told = {each for state in states for each in _TOLD[state]}
    condition: Any = last.in_(sorted(told))
    return or_(condition, last.is_(None)) if "NEW" in states else condition
