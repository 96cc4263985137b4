"""The runs that a run's inputs come from, back to the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from penstock.ledger.graph.catalog import Catalog
from penstock.server.marquez.dataset_body import named
from penstock.server.marquez.job_version import ends_of, job_version
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.parameters import Depth
from penstock.server.marquez.run_body import RunBodies, state_of
from penstock.server.marquez.runs import known_runs
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import RunNode, UseNode
    from penstock.ledger.graph.versions import Version

__all__ = ["router"]

router = APIRouter()


@router.get("/runlineage/upstream")
def get_upstream_runs(
    reading: Reading, run_id: Annotated[UUID, Query(alias="runId")], depth: Depth = 20
) -> dict[str, Any]:
    """The run, then those that made the versions it read, then theirs, at most `depth` away."""
    catalog, bodies = Catalog(reading), RunBodies(reading)
    frontier = known_runs(reading, str(run_id))
    seen = {run.teller for run in frontier}
    told = []
    for level in range(depth + 1):
        uses = bodies.uses_of(frontier)
        read = bodies.read(frontier, uses)
        told += _bodies(reading, frontier, uses, read)
        makers = {version.teller for found in read.values() for _, version in found if version}
        made = catalog.runs_of(makers - seen)
        frontier = sorted(made.values(), key=lambda run: (run.started, run.teller))
        seen |= made.keys()
        if not frontier or level == depth:
            break
    return {"runs": told}


def _bodies(
    connection: Connection,
    runs: list[RunNode],
    uses: dict[str, list[UseNode]],
    read: dict[str, list[tuple[UseNode, Version | None]]],
) -> list[dict[str, Any]]:
    catalog = Catalog(connection)
    jobs = catalog.jobs({run.job for run in runs})
    names = catalog.names({use.dataset for found in uses.values() for use in found})
    return [
        {
            "job": {
                "namespace": jobs[run.job].namespace,
                "name": jobs[run.job].name,
                "version": str(job_version(jobs[run.job], ends_of(uses[run.teller]), names)),
            },
            "run": {
                "id": run.run_id,
                "start": stamp(run.started),
                "end": stamp(run.ended),
                "status": state_of(run),
            },
            "inputs": [
                {
                    **named(names[use.dataset]),
                    "version": str(version.id) if version else None,
                    "producedByRunId": version.run_id if version else None,
                }
                for use, version in read[run.teller]
            ],
        }
        for run in runs
    ]
