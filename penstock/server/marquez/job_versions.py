"""Versions of a job: it has another one when it reads or writes other datasets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import Text, cast, select

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.flow import JobEnds
from penstock.ledger.graph.tables import graph_dataset, graph_run, graph_use
from penstock.ledger.graph.versions import COMPLETE
from penstock.server.marquez.dataset_body import named
from penstock.server.marquez.job_names import known_job
from penstock.server.marquez.job_version import job_version
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.parameters import Limit, Offset
from penstock.server.marquez.run_body import RunBodies
from penstock.server.marquez.told_facet import text_of
from penstock.server.path_names import Named
from penstock.server.problem import Problem
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["router"]

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    id: UUID
    ends: JobEnds
    first: datetime
    last_run: str


@router.get("/namespaces/{namespace}/jobs/{job}/versions")
def list_job_versions(
    reading: Reading, namespace: Named, job: Named, limit: Limit = 100, offset: Offset = 0
) -> dict[str, Any]:
    """The versions of a job that completed, the one that ran last first."""
    number = known_job(reading, namespace, job)
    found = _versions(reading, number)
    page = _bodies(reading, number, found[offset : offset + limit])
    return {"versions": page, "totalCount": len(found)}


@router.get("/namespaces/{namespace}/jobs/{job}/versions/{version}")
def get_job_version(
    reading: Reading, namespace: Named, job: Named, version: Named
) -> dict[str, Any]:
    """One version."""
    number = known_job(reading, namespace, job)
    found = [each for each in _versions(reading, number) if str(each.id) == version.lower()]
    if not found:
        where = f"namespaces/{namespace}/jobs/{job}/versions/{version}"
        raise Problem.unknown("version", where)
    return _bodies(reading, number, found)[0]


def _versions(connection: Connection, number: int) -> list[_Version]:
    catalog = Catalog(connection)
    job = catalog.jobs([number], facets=())[number]
    teller = graph_run.c.run_id + ":" + cast(graph_run.c.job, Text)
    query = (
        select(
            graph_run.c.run_id,
            graph_run.c.started,
            graph_use.c.role,
            graph_dataset.c.same_as.label("dataset"),
        )
        .select_from(graph_run)
        .outerjoin(graph_use, graph_use.c.teller == teller)
        .outerjoin(graph_dataset, graph_dataset.c.id == graph_use.c.dataset)
        .where(graph_run.c.job == number, graph_run.c.state == COMPLETE)
        .order_by(graph_run.c.started.desc(), graph_run.c.run_id)
    )
    runs: dict[str, tuple[datetime, set[int], set[int]]] = {}
    for row in connection.execute(query):
        _, inputs, outputs = runs.setdefault(row.run_id, (row.started, set(), set()))
        if row.dataset is not None:
            (inputs if row.role == "IN" else outputs).add(row.dataset)
    ways: dict[JobEnds, list[tuple[datetime, str]]] = {}
    for run_id, (started, inputs, outputs) in runs.items():
        ends = JobEnds(inputs=frozenset(inputs), outputs=frozenset(outputs))
        ways.setdefault(ends, []).append((started, run_id))
    names = catalog.names({d for ends in ways for d in ends.inputs | ends.outputs})
    return [
        _Version(
            id=job_version(job, ends, names),
            ends=ends,
            first=min(started for started, _ in found),
            last_run=found[0][1],
        )
        for ends, found in ways.items()
    ]


def _bodies(
    connection: Connection, number: int, versions: Sequence[_Version]
) -> list[dict[str, Any]]:
    catalog = Catalog(connection)
    job = catalog.jobs([number], facets=())[number]
    tellers = [f"{version.last_run}:{number}" for version in versions]
    runs = catalog.runs_of(tellers)
    bodies = RunBodies(connection).of([runs[teller] for teller in tellers])
    names = catalog.names({d for v in versions for d in v.ends.inputs | v.ends.outputs})
    return [
        {
            "id": {"namespace": job.namespace, "name": job.name, "version": str(version.id)},
            "name": job.name,
            "createdAt": stamp(version.first),
            "version": str(version.id),
            "namespace": job.namespace,
            "location": text_of(job.facets, "sourceCodeLocation", "url"),
            "inputs": [named(names[d]) for d in sorted(version.ends.inputs)],
            "outputs": [named(names[d]) for d in sorted(version.ends.outputs)],
            "latestRun": body,
        }
        for version, body in zip(versions, bodies, strict=True)
    ]
