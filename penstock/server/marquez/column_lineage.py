"""What columns are made of, and what is made of them, as of a version or as it is now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from fastapi import APIRouter

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.column_edge import ROWS
from penstock.ledger.graph.flow import Flow
from penstock.ledger.graph.versions import Version, Versions
from penstock.ledger.graph.walk import FoundEdge, Walk
from penstock.server.marquez.input_field import how, summary
from penstock.server.marquez.lineage import NodeId
from penstock.server.marquez.node_id import Node, field_id, find_node
from penstock.server.marquez.parameters import Depth
from penstock.server.marquez.told_facet import fields
from penstock.server.problem import Problem
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import DatasetNode

__all__ = ["router"]

router = APIRouter()


@dataclass(slots=True)
class _Found:
    """The columns that were reached, and the edges between them by target and source."""

    columns: set[int] = field(default_factory=set)
    ways: dict[int, dict[int, set[FoundEdge]]] = field(default_factory=dict)


@router.get("/column-lineage")
def get_column_lineage(
    reading: Reading,
    node: NodeId,
    depth: Depth = 20,
    withDownstream: bool = False,  # noqa: N803 - Marquez's parameter
    indirect: bool = True,
) -> dict[str, Any]:
    """The columns that those of the node are made of, and if asked for what is made of them.

    A column that decides which rows there are (a filter, a join) is an input of every column of
    the dataset, of type INDIRECT; `indirect=false` leaves these out. With a version in the node's
    id all is as it was when that version was made.
    """
    start = find_node(reading, node)
    at = _moment(reading, start)
    columns = _columns(reading, start, at)
    walk = Walk(reading, at=at, indirect=indirect)
    found = _Found(columns=set(columns))
    _collect(walk, columns, "upstream", depth, found)
    if withDownstream:
        _collect(walk, columns, "downstream", depth, found)
    return {"graph": _nodes(reading, found, at, named_versions=start.version is not None)}


def _moment(connection: Connection, start: Node) -> datetime | None:
    """When the version that the node names was made."""
    if start.version is None:
        return None
    if start.kind == "job":
        # a version of a job is not of one moment: it is what the job does since
        return None
    for version in Versions(connection).of(start.number):
        if version.id == start.version:
            return version.at
    raise Problem.unknown("version", f"nodeId …#{start.version}")


def _columns(connection: Connection, start: Node, at: datetime | None) -> list[int]:
    catalog = Catalog(connection)
    if start.field is not None:
        return [catalog.column_ids(start.number)[start.field]]
    datasets: Collection[int] = [start.number]
    if start.kind == "job":
        datasets = Flow(connection, at=at).of([start.number])[start.number].outputs
    return [column for number in datasets for column in catalog.column_ids(number).values()]


def _collect(
    walk: Walk,
    start: Collection[int],
    direction: Literal["upstream", "downstream"],
    depth: int,
    found: _Found,
) -> None:
    edges, depths = walk.edges(start, direction, depth)
    decided: dict[int, list[int]] = {}
    rows = {edge.target_dataset for edge in edges if edge.target_is_rows}
    for dataset in rows:
        decided[dataset] = [c for c in walk.columns_of([dataset]) if c in depths]
    for edge in edges:
        targets = decided[edge.target_dataset] if edge.target_is_rows else [edge.target]
        for target in targets:
            found.ways.setdefault(target, {}).setdefault(edge.source, set()).add(edge)
            found.columns |= {edge.source, target}


def _nodes(
    connection: Connection, found: _Found, at: datetime | None, *, named_versions: bool
) -> list[dict[str, Any]]:
    catalog = Catalog(connection)
    columns = {
        number: each for number, each in catalog.columns(found.columns).items() if each[1] != ROWS
    }
    told_by = {dataset for dataset, _ in columns.values()}
    datasets = catalog.datasets(told_by, facets=("schema",))
    versions = Versions(connection).latest(datasets, at)
    types = {
        number: {each["name"]: each["type"] for each in fields(dataset.facets)}
        for number, dataset in datasets.items()
    }

    def name(column: int) -> str:
        dataset, own = columns[column]
        version = _id(versions.get(dataset)) if named_versions else None
        return field_id(datasets[dataset], own, version)

    into: dict[int, list[int]] = {}
    out: dict[int, list[int]] = {}
    for target, sources in found.ways.items():
        for source in sources:
            if target in columns and source in columns:
                into.setdefault(target, []).append(source)
                out.setdefault(source, []).append(target)
    told = []
    for column, (number, own) in columns.items():
        inputs = [
            {
                **_field(datasets, versions, columns[source]),
                **how(found.ways[column][source]),
            }
            for source in into.get(column, [])
        ]
        inputs.sort(key=lambda each: (each["namespace"], each["dataset"], each["field"]))
        data = {
            **_field(datasets, versions, (number, own)),
            "fieldType": types[number].get(own),
            **summary(inputs),
            "inputFields": inputs,
        }
        here = name(column)
        told.append(
            {
                "id": here,
                "type": "DATASET_FIELD",
                "data": data,
                # Marquez's UI looks for the other column in `destination`, in both directions
                "inEdges": _edges(here, [name(each) for each in into.get(column, [])]),
                "outEdges": _edges(here, [name(each) for each in out.get(column, [])]),
            }
        )
    return sorted(told, key=lambda each: str(each["id"]))


def _field(
    datasets: dict[int, DatasetNode], versions: dict[int, Version], column: tuple[int, str]
) -> dict[str, Any]:
    number, own = column
    version = _id(versions.get(number))
    return {
        "namespace": datasets[number].namespace,
        "dataset": datasets[number].name,
        "datasetVersion": str(version) if version else None,
        "field": own,
    }


def _id(version: Version | None) -> UUID | None:
    return version.id if version else None


def _edges(here: str, others: list[str]) -> list[dict[str, str]]:
    return [{"origin": here, "destination": other} for other in sorted(set(others))]
