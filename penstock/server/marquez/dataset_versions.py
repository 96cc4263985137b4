"""Versions of a dataset, each with the schema and the facets that its run told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.versions import Version, Versions
from penstock.server.marquez.dataset_body import lifecycle_state, named
from penstock.server.marquez.datasets import known_dataset
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.parameters import Limit, Offset
from penstock.server.marquez.run_body import RunBodies
from penstock.server.marquez.sources import source_name
from penstock.server.marquez.told_facet import fields, tag_names, text_of
from penstock.server.path_names import Named
from penstock.server.problem import Problem
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

__all__ = ["router"]

router = APIRouter()


@router.get("/namespaces/{namespace}/datasets/{dataset}/versions")
def list_dataset_versions(
    reading: Reading, namespace: Named, dataset: Named, limit: Limit = 100, offset: Offset = 0
) -> dict[str, Any]:
    """The versions of a dataset, newest first."""
    number = known_dataset(reading, namespace, dataset)
    versions = Versions(reading)
    page = _bodies(reading, number, versions.of(number, limit=limit, offset=offset))
    return {"versions": page, "totalCount": versions.count(number)}


@router.get("/namespaces/{namespace}/datasets/{dataset}/versions/{version}")
def get_dataset_version(
    reading: Reading, namespace: Named, dataset: Named, version: Named
) -> dict[str, Any]:
    """One version."""
    number = known_dataset(reading, namespace, dataset)
    wanted = version.lower()
    found = [each for each in Versions(reading).of(number) if str(each.id) == wanted]
    if not found:
        where = f"namespaces/{namespace}/datasets/{dataset}/versions/{version}"
        raise Problem.unknown("version", where)
    return _bodies(reading, number, found[:1])[0]


def _bodies(
    connection: Connection, number: int, versions: Sequence[Version]
) -> list[dict[str, Any]]:
    catalog = Catalog(connection)
    dataset = catalog.datasets([number])[number]
    tellers = [version.teller for version in versions]
    runs = catalog.runs_of(tellers)
    ordered = [runs[teller] for teller in tellers]
    made_by = dict(zip(tellers, RunBodies(connection).of(ordered), strict=True))
    told: dict[str, dict[str, Any]] = {teller: {} for teller in tellers}
    for use in catalog.uses(tellers=tellers, datasets=[number], role="OUT"):
        told[use.teller] |= use.facets
    return [
        {
            "id": {**named((dataset.namespace, dataset.name)), "version": str(version.id)},
            "type": "DB_TABLE",
            "name": dataset.name,
            "physicalName": dataset.name,
            "createdAt": stamp(version.at),
            "version": str(version.id),
            "namespace": dataset.namespace,
            "sourceName": source_name(dataset),
            "fields": fields(facets),
            "tags": tag_names(facets),
            "lifecycleState": lifecycle_state(facets),
            "description": text_of(facets, "documentation", "description"),
            "currentSchemaVersion": _schema_version(facets),
            "createdByRun": made_by[version.teller],
            "facets": facets,
        }
        for version in versions
        for facets in [told[version.teller]]
    ]


def _schema_version(facets: dict[str, Any]) -> str | None:
    """The same wherever the same schema was told."""
    schema = facets.get("schema")
    if schema is None:
        return None
    return str(uuid5(NAMESPACE_URL, json.dumps(schema.get("fields"), sort_keys=True)))
