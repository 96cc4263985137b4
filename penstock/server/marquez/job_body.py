"""Jobs as Marquez has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.flow import Flow, JobEnds
from penstock.ledger.graph.nodes import JobNode, RunNode
from penstock.server.marquez.dataset_body import named
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.run_body import RunBodies, how_it_stands
from penstock.server.marquez.told_facet import tag_names, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Connection

    from penstock.events.name import Name

__all__ = ["job_bodies", "listed_jobs"]

LATEST_RUNS = 10


def job_bodies(connection: Connection, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The body of each of these jobs with its latest runs as a whole."""
    runs = Catalog(connection).latest_runs(ids, LATEST_RUNS)
    bodies = iter(RunBodies(connection).of([run for job in ids for run in runs[job]]))
    told = {job: [next(bodies) for _ in runs[job]] for job in ids}
    latest = {job: found[0] for job, found in told.items() if found}
    return _bodies(connection, ids, Flow(connection).of(ids), runs, latest, told)


def listed_jobs(
    connection: Connection,
    ids: Collection[int],
    *,
    ends: Mapping[int, JobEnds] | None = None,
    latest_runs: int = LATEST_RUNS,
) -> dict[int, dict[str, Any]]:
    """The bodies as a list has them: of `latestRuns` how they stand, and no versions of datasets.

    `ends` None: as they are now.
    """
    catalog = Catalog(connection)
    newest = catalog.latest_runs(ids, 1)
    begun = [job for job in ids if newest[job]]
    bodies = RunBodies(connection).in_list([newest[job][0] for job in begun])
    told = {
        job: [how_it_stands(run) for run in runs]
        for job, runs in catalog.latest_runs(ids, latest_runs, facets=()).items()
    }
    flow = ends if ends is not None else Flow(connection).of(ids)
    return _bodies(connection, ids, flow, newest, dict(zip(begun, bodies, strict=True)), told)


def _bodies(
    connection: Connection,
    ids: Collection[int],
    flow: Mapping[int, JobEnds],
    runs: Mapping[int, list[RunNode]],
    latest: Mapping[int, dict[str, Any]],
    told: Mapping[int, list[dict[str, Any]]],
) -> dict[int, dict[str, Any]]:
    catalog = Catalog(connection)
    jobs = catalog.jobs(ids)
    used = {d for job in ids for d in flow[job].inputs | flow[job].outputs}
    names = catalog.names(used)
    return {
        job: _body(jobs[job], flow[job], names, runs[job][:1], latest.get(job), told[job])
        for job in ids
    }


def _body(
    job: JobNode,
    ends: JobEnds,
    names: Mapping[int, Name],
    newest: list[RunNode],
    latest: dict[str, Any] | None,
    runs: list[dict[str, Any]],
) -> dict[str, Any]:
    parent = _parent(newest[0].facets) if newest else None
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
        "inputs": _names(ends.inputs, names),
        "outputs": _names(ends.outputs, names),
        "location": text_of(job.facets, "sourceCodeLocation", "url"),
        "description": text_of(job.facets, "documentation", "description"),
        "latestRun": latest,
        "latestRuns": runs,
        "facets": job.facets,
        "currentVersion": latest["jobVersion"]["version"] if latest else None,
        "labels": [],
        "tags": tag_names(job.facets),
    }


def _names(ids: Iterable[int], names: Mapping[int, Name]) -> list[dict[str, str]]:
    return [named(name) for name in sorted(names[number] for number in ids)]


def _parent(facets: dict[str, Any]) -> tuple[str, str] | None:
    parent = facets.get("parent", {}).get("job")
    told = parent if isinstance(parent, dict) else {}
    space, name = told.get("namespace"), told.get("name")
    return (space, name) if isinstance(space, str) and isinstance(name, str) else None
