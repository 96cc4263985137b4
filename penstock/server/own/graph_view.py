"""The graph around a dataset, what a change of a column touches, and what changed in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from penstock.ledger.graph.changes import changes_between, moments_of_change
from penstock.ledger.graph.walk import Direction, Walk
from penstock.server.own.described import (
    SHOWN,
    At,
    Describer,
    Id,
    columns_of,
    id_of,
    label_of,
    moment,
)
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from penstock.ledger.graph.nodes import DatasetEdge
    from penstock.ledger.graph.walk import FoundEdge

__all__ = ["router"]

router = APIRouter()
Hops = Annotated[int, Query(ge=0, le=50)]
Depth = Annotated[int | None, Query(ge=1, le=1000)]


@router.get("/graph")
def graph(
    connection: Reading, id: Id | None = None, up: Hops = 1, down: Hops = 1, at: At = None
) -> dict[str, Any]:
    """The datasets around one, and the edges between them; without an id all seen until then."""
    describer = Describer(connection)
    if id is None:
        edges = describer.catalog.edges(at=at)
        ids, _ = describer.catalog.dataset_ids(limit=100_000)
        return _told(describer, _seen(describer, ids, at), edges, [], at)
    start = describer.dataset(id)
    shown = _around(describer, start, up, down, at)
    near = describer.catalog.edges(sources=shown, at=at)
    into = describer.catalog.edges(targets=shown, at=at)
    edges = list({*near, *into})
    walk = Walk(connection, at=at)
    between = [
        edge
        for edge in walk.step(walk.columns_of(shown), "upstream")
        if edge.source_dataset in shown
    ]
    return _told(describer, shown, edges, between, at)


@router.get("/impact")
def impact(
    connection: Reading,
    id: Id,
    column: Id | None = None,
    direction: Direction = "downstream",
    depth: Depth = None,
    indirect: bool = True,
    at: At = None,
) -> dict[str, Any]:
    """Every column that a column (or any of a dataset) is made of, or that is made of it."""
    describer = Describer(connection)
    dataset = describer.dataset(id)
    walk = Walk(connection, at=at, indirect=indirect)
    start = [describer.column(dataset, column)] if column else walk.columns_of([dataset])
    reached = walk.reached(start, direction, depth)
    columns = describer.catalog.columns({item.column for item in reached})
    touched = {number for number, _ in columns.values()}
    nodes = describer.catalog.datasets(touched, facets=("schema", "tags"))
    pii = {
        (number, told["name"]): told["pii"]
        for number, node in nodes.items()
        for told in columns_of(node)
    }
    found, near = [], dict[int, int]()
    for item in reached:
        number, name = columns[item.column]
        near[number] = min(near.get(number, item.depth), item.depth)
        if not name:
            continue
        found.append(
            {
                "dataset": id_of(nodes[number]),
                "label": label_of(nodes[number]),
                "column": name,
                "depth": item.depth,
                "type": "DIRECT" if item.direct else "INDIRECT",
                "masked": item.direct and not item.clear,
                "pii": pii.get((number, name)),
            }
        )
    return {
        "start": {"dataset": id, "column": column},
        "direction": direction,
        "at": moment(at),
        "columns": sorted(found, key=lambda c: (c["depth"], c["label"], c["column"])),
        "datasets": [
            {"id": id_of(nodes[n]), "label": label_of(nodes[n]), "depth": steps}
            for n, steps in sorted(near.items(), key=lambda pair: (pair[1], pair[0]))
        ],
    }


@router.get("/path")
def path(
    connection: Reading,
    source: Id,
    source_column: Id,
    target: Id,
    target_column: Id,
    at: At = None,
) -> dict[str, Any]:
    """Every edge on any way from one column to another."""
    describer, walk = Describer(connection), Walk(connection, at=at)
    begin = describer.column(describer.dataset(source), source_column)
    end = describer.column(describer.dataset(target), target_column)
    return {"edges": describer.column_edges(walk.between(begin, end))}


@router.get("/changes")
def changes(
    connection: Reading, since: At, until: At = None, id: Id | None = None
) -> dict[str, Any]:
    """What the graph has at `until` that it had not at `since`, and the other way round."""
    describer = Describer(connection)
    only = describer.dataset(id) if id else None
    found = changes_between(connection, since, until, only)
    named = {*found.datasets_added, *found.datasets_removed}
    nodes = describer.catalog.datasets(named, facets=())
    return {
        "since": moment(since),
        "until": moment(until),
        "added": describer.column_edges(found.added),
        "removed": describer.column_edges(found.removed),
        "datasets_added": sorted(id_of(nodes[n]) for n in found.datasets_added),
        "datasets_removed": sorted(id_of(nodes[n]) for n in found.datasets_removed),
    }


@router.get("/times")
def times(connection: Reading) -> dict[str, Any]:
    """The instants at which the graph changed, at most the last 10,000."""
    found = moments_of_change(connection, limit=10_000)
    return {
        "first": moment(found[0]) if found else None,
        "last": moment(found[-1]) if found else None,
        "changes": [moment(at) for at in found],
    }


def _seen(describer: Describer, ids: Collection[int], at: datetime | None) -> set[int]:
    if at is None:
        return set(ids)
    seen = describer.catalog.datasets(ids, facets=())
    return {number for number, node in seen.items() if node.first_seen <= at}


def _around(describer: Describer, start: int, up: int, down: int, at: datetime | None) -> set[int]:
    shown = {start}
    for hops, upward in ((up, True), (down, False)):
        frontier = {start}
        for _ in range(hops):
            edges = (
                describer.catalog.edges(targets=frontier, at=at)
                if upward
                else describer.catalog.edges(sources=frontier, at=at)
            )
            ends = {e.source for e in edges} if upward else {e.target for e in edges if e.target}
            frontier = ends - shown
            shown |= frontier
            if not frontier:
                break
    return shown


def _told(
    describer: Describer,
    shown: Collection[int],
    edges: Collection[DatasetEdge],
    between: Collection[FoundEdge],
    at: datetime | None,
) -> dict[str, Any]:
    nodes = describer.catalog.datasets(shown, facets=SHOWN)
    inside = [e for e in edges if e.source in nodes and (e.target is None or e.target in nodes)]
    jobs = describer.catalog.jobs({e.job for e in inside}, facets=("jobType",))
    datasets = {number: describer.node(node) for number, node in nodes.items()}
    up: dict[int, set[int]] = {}
    down: dict[int, set[int]] = {}
    for e in edges:
        if e.target and e.source not in datasets:
            up.setdefault(e.target, set()).add(e.source)
        if e.target and e.target not in datasets:
            down.setdefault(e.source, set()).add(e.target)
    for number, told in datasets.items():
        told["more_upstream"] = len(up.get(number, ()))
        told["more_downstream"] = len(down.get(number, ()))
    return {
        "at": moment(at),
        "datasets": sorted(datasets.values(), key=lambda d: d["id"]),
        "jobs": [describer.job(job) for _, job in sorted(jobs.items())],
        "edges": [
            {
                "job": id_of(jobs[e.job]),
                "source": id_of(nodes[e.source]),
                "target": id_of(nodes[e.target]) if e.target else None,
                "valid_from": moment(e.valid_from),
                "valid_to": moment(e.valid_to),
            }
            for e in sorted(inside, key=lambda e: (e.source, e.target or 0, e.job))
        ],
        "column_edges": describer.column_edges(between),
    }
