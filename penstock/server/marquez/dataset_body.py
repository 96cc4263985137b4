"""Datasets as Marquez has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.dropped import dropped
from penstock.ledger.graph.nodes import DatasetNode
from penstock.ledger.graph.statement import LIFECYCLE
from penstock.ledger.graph.versions import Versions
from penstock.ledger.graph.walk import FoundEdge, Walk
from penstock.server.marquez.input_field import how, summary
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.sources import source_name
from penstock.server.marquez.told_facet import fields, tag_names, text_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.versions import Version

__all__ = ["dataset_bodies", "lifecycle_state", "named", "node_bodies"]

_SHOWN = ("schema", "tags", "dataSource", "documentation", LIFECYCLE)


def named(name: Name) -> dict[str, str]:
    """The id of the dataset of that name."""
    return {"namespace": name[0], "name": name[1]}


def lifecycle_state(facets: dict[str, Any]) -> str | None:
    """What happened to it last: CREATE, ALTER, DROP and such."""
    return text_of(facets, LIFECYCLE, LIFECYCLE)


def dataset_bodies(connection: Connection, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The body of each of these datasets with its facets and what its columns are made of."""
    found = Catalog(connection).datasets(ids)
    versions = Versions(connection).latest(ids)
    made_of, gone = _made_of(connection, ids), dropped(connection, found.values())
    return {
        number: {
            **_body(node, versions.get(number), deleted=number in gone),
            "columnLineage": made_of[number],
            "facets": node.facets,
        }
        for number, node in found.items()
    }


def node_bodies(connection: Connection, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The body of each of these datasets as the graph has it, which is without its facets."""
    found = Catalog(connection).datasets(ids, facets=_SHOWN)
    versions = Versions(connection).latest(ids)
    gone = dropped(connection, found.values())
    return {
        number: _body(node, versions.get(number), deleted=number in gone)
        for number, node in found.items()
    }


def _body(dataset: DatasetNode, version: Version | None, *, deleted: bool) -> dict[str, Any]:
    facets = dataset.facets
    return {
        "id": {"namespace": dataset.namespace, "name": dataset.name},
        # Marquez calls every dataset of an event a table, and its UI shows nothing else
        "type": "DB_TABLE",
        "name": dataset.name,
        "physicalName": dataset.name,
        "createdAt": stamp(dataset.first_seen),
        "updatedAt": stamp(dataset.last_seen),
        "namespace": dataset.namespace,
        "sourceName": source_name(dataset),
        "fields": fields(facets),
        "tags": tag_names(facets),
        "lastModifiedAt": stamp(version.at if version else None),
        "lastLifecycleState": lifecycle_state(facets),
        "description": text_of(facets, "documentation", "description"),
        "currentVersion": str(version.id) if version else None,
        "deleted": deleted,
    }


def _made_of(connection: Connection, ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    walk, catalog = Walk(connection, indirect=False), Catalog(connection)
    edges = walk.step(walk.columns_of(ids), "upstream")
    columns = catalog.columns({i for edge in edges for i in (edge.source, edge.target)})
    sources = catalog.names({edge.source_dataset for edge in edges})
    ways: dict[tuple[int, str], dict[int, list[FoundEdge]]] = {}
    for edge in edges:
        target = (edge.target_dataset, columns[edge.target][1])
        ways.setdefault(target, {}).setdefault(edge.source, []).append(edge)
    found: dict[int, list[dict[str, Any]]] = {number: [] for number in ids}
    for (dataset, name), inputs in sorted(ways.items()):
        told = [
            {
                "namespace": sources[columns[source][0]][0],
                "dataset": sources[columns[source][0]][1],
                "field": columns[source][1],
                **how(together),
            }
            for source, together in inputs.items()
        ]
        told.sort(key=lambda field: (field["namespace"], field["dataset"], field["field"]))
        found[dataset].append({"name": name, "inputFields": told, **summary(told)})
    return found
