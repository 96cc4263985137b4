"""Runs, those of a job and one by its id."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.nodes import RunNode
from penstock.server.marquez.job_names import known_job
from penstock.server.marquez.parameters import Limit, Offset, Text
from penstock.server.marquez.run_body import RunBodies
from penstock.server.path_names import Named
from penstock.server.problem import Problem
from penstock.server.reading import Reading

__all__ = ["known_runs", "router"]

router = APIRouter()

_MOST_JOBS = 1000  # that share one run id


class FacetType(Enum):
    """Whose facets."""

    RUN = "run"
    JOB = "job"

    @classmethod
    def _missing_(cls, value: object) -> FacetType | None:
        return next((each for each in cls if each.value == str(value).lower()), None)


@router.get("/namespaces/{namespace}/jobs/{job}/runs")
def list_runs(
    reading: Reading, namespace: Named, job: Named, limit: Limit = 100, offset: Offset = 0
) -> dict[str, Any]:
    """The runs of a job, newest first."""
    jobs = [known_job(reading, namespace, job)]
    catalog = Catalog(reading)
    runs = catalog.runs(jobs=jobs, limit=limit, offset=offset)
    return {"runs": RunBodies(reading).of(runs), "totalCount": catalog.run_count(jobs)}


@router.get("/jobs/runs/{run_id}")
def get_run(
    reading: Reading, run_id: Named, namespace: Text | None = None, job: Text | None = None
) -> dict[str, Any]:
    """One run. Jobs may share its id: `namespace` and `job` say whose; else that which began first.

    `jobs` names all of them.
    """
    catalog = Catalog(reading)
    found = known_runs(reading, run_id)
    jobs = catalog.jobs({run.job for run in found})
    run = _whose(found, known_job(reading, namespace, job) if namespace and job else None, run_id)
    names = sorted((each.namespace, each.name) for each in jobs.values())
    return {
        **RunBodies(reading).of([run])[0],
        "jobs": [{"namespace": space, "name": name} for space, name in names],
    }


@router.get("/jobs/runs/{run_id}/facets")
def get_run_facets(
    reading: Reading,
    run_id: Named,
    facets: Annotated[FacetType, Query(alias="type")],
    namespace: Text | None = None,
    job: Text | None = None,
) -> dict[str, Any]:
    """The facets of a run, or of its job as they were told last."""
    whose = known_job(reading, namespace, job) if namespace and job else None
    run = _whose(known_runs(reading, run_id), whose, run_id)
    told = run.facets
    if facets is FacetType.JOB:
        told = Catalog(reading).jobs([run.job])[run.job].facets
    return {"runId": run.run_id, "facets": told}


def known_runs(connection: Connection, run_id: str) -> list[RunNode]:
    """Every job's run of this id, that which began first first. Raises the Problem of none."""
    found = Catalog(connection).runs(run_id=run_id.lower(), limit=_MOST_JOBS)
    if not found:
        raise Problem.unknown("run", f"jobs/runs/{run_id}")
    return sorted(found, key=lambda run: (run.started, run.job))


def _whose(runs: list[RunNode], job: int | None, run_id: str) -> RunNode:
    found = next((run for run in runs if job in (None, run.job)), None)
    if found is None:
        raise Problem.unknown("run of this job", f"jobs/runs/{run_id}")
    return found
