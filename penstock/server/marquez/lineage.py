"""The graph of datasets and jobs around a node, as it is now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.flow import Flow
from penstock.server.marquez.dataset_body import node_bodies
from penstock.server.marquez.job_body import listed_jobs
from penstock.server.marquez.node_id import dataset_id, find_node, job_id
from penstock.server.marquez.parameters import Depth, Text
from penstock.server.reading import Reading

__all__ = ["NodeId", "router"]

router = APIRouter()

NodeId = Annotated[Text, Query(alias="nodeId")]

Edges = dict[str, list[tuple[str, str]]]


@router.get("/lineage")
def get_lineage(reading: Reading, node: NodeId, depth: Depth = 20) -> dict[str, Any]:
    """The jobs that are at most `depth` datasets away from the node, with what they use.

    All of its facets are told where one dataset or job is asked for.
    """
    start, flow, catalog = find_node(reading, node), Flow(reading), Catalog(reading)
    jobs = {start.number} if start.kind == "job" else flow.jobs_at([start.number])
    ends = flow.around(jobs, depth)
    numbers = {d for each in ends.values() for d in each.inputs | each.outputs}
    if start.kind != "job":
        numbers.add(start.number)
    datasets = catalog.datasets(numbers, facets=())
    names = catalog.jobs(ends.keys(), facets=())
    into: Edges = {}
    out: Edges = {}
    for job, each in ends.items():
        here = job_id(names[job])
        pairs = [(dataset_id(datasets[d]), here) for d in each.inputs]
        pairs += [(here, dataset_id(datasets[d])) for d in each.outputs]
        for origin, destination in pairs:
            out.setdefault(origin, []).append((origin, destination))
            into.setdefault(destination, []).append((origin, destination))
    told = [
        _node(job_id(names[job]), "JOB", body, into, out)
        for job, body in listed_jobs(reading, ends.keys(), ends=ends, latest_runs=1).items()
    ]
    told += [
        _node(dataset_id(datasets[number]), "DATASET", body, into, out)
        for number, body in node_bodies(reading, numbers).items()
    ]
    return {"graph": sorted(told, key=lambda each: each["id"])}


def _node(name: str, kind: str, data: dict[str, Any], into: Edges, out: Edges) -> dict[str, Any]:
    return {
        "id": name,
        "type": kind,
        "data": data,
        "inEdges": _edges(into.get(name, [])),
        "outEdges": _edges(out.get(name, [])),
    }


def _edges(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"origin": origin, "destination": end} for origin, end in sorted(set(pairs))]
