"""Jobs as Marquez has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from penstock.lineage.graph.catalog import Catalog, DatasetNode, JobNode, RunNode
from penstock.lineage.graph.flow import Flow, JobEnds
from penstock.lineage.server.marquez.dataset_body import named
from penstock.lineage.server.marquez.moment import stamp
from penstock.lineage.server.marquez.run_body import RunBodies
from penstock.lineage.server.marquez.told_facet import tag_names, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Connection

__all__ = ["job_bodies"]

LATEST_RUNS = 10


def job_bodies(
    connection: Connection,
    ids: Collection[int],
    *,
    ends: Mapping[int, JobEnds] | None = None,
    latest_runs: int = LATEST_RUNS,
) -> dict[int, dict[str, Any]]:
    """The body of each of these jobs with its latest runs. `ends` None: as they are now."""
    catalog = Catalog(connection)
    found = catalog.jobs(ids)
    flow = ends if ends is not None else Flow(connection).of(ids)
    datasets = catalog.datasets({d for job in ids for d in flow[job].inputs | flow[job].outputs})
    runs = {job: catalog.runs(jobs=[job], limit=latest_runs) for job in ids}
    bodies = iter(RunBodies(connection).of([run for job in ids for run in runs[job]]))
    return {
        job: _body(found[job], flow[job], datasets, runs[job], [next(bodies) for _ in runs[job]])
        for job in ids
    }


def _body(
    job: JobNode,
    ends: JobEnds,
    datasets: Mapping[int, DatasetNode],
    runs: list[RunNode],
    bodies: list[dict[str, Any]],
) -> dict[str, Any]:
    parent = _parent(runs[0].facets) if runs else None
    streams = text_of(job.facets, "jobType", "processingType") == "STREAMING"
    return {
        "id": {"namespace": job.namespace, "name": job.name},
        "type": "STREAM" if streams else "BATCH",
        "name": job.name,
        "simpleName": job.name.removeprefix(f"{parent[1]}.") if parent else job.name,
        "parentJobName": parent[1] if parent else None,
        "parentJobUuid": str(uuid5(NAMESPACE_URL, json.dumps(parent))) if parent else None,
        "createdAt": stamp(job.first_seen),
        "updatedAt": stamp(job.last_seen),
        "namespace": job.namespace,
        "inputs": _names(ends.inputs, datasets),
        "outputs": _names(ends.outputs, datasets),
        "location": text_of(job.facets, "sourceCodeLocation", "url"),
        "description": text_of(job.facets, "documentation", "description"),
        "latestRun": bodies[0] if bodies else None,
        "latestRuns": bodies,
        "facets": job.facets,
        "currentVersion": bodies[0]["jobVersion"]["version"] if bodies else None,
        "labels": [],
        "tags": tag_names(job.facets),
    }


def _names(ids: Iterable[int], datasets: Mapping[int, DatasetNode]) -> list[dict[str, str]]:
    found = [named(datasets[number]) for number in ids]
    return sorted(found, key=lambda name: (name["namespace"], name["name"]))


def _parent(facets: dict[str, Any]) -> tuple[str, str] | None:
    parent = facets.get("parent", {}).get("job")
    told = parent if isinstance(parent, dict) else {}
    space, name = told.get("namespace"), told.get("name")
    return (space, name) if isinstance(space, str) and isinstance(name, str) else None
