"""Datasets, those of a namespace and one by name."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection

from penstock.ledger.graph.catalog import Catalog
from penstock.server.marquez.dataset_body import dataset_bodies
from penstock.server.marquez.namespaces import known_namespace
from penstock.server.marquez.parameters import Limit, Offset
from penstock.server.path_names import Named
from penstock.server.problem import Problem
from penstock.server.reading import Reading

__all__ = ["known_dataset", "router"]

router = APIRouter()


@router.get("/namespaces/{namespace}/datasets")
def list_datasets(
    reading: Reading, namespace: Named, limit: Limit = 100, offset: Offset = 0
) -> dict[str, Any]:
    """The datasets of a namespace by name."""
    known_namespace(reading, namespace)
    ids, total = Catalog(reading).dataset_ids(namespace=namespace, limit=limit, offset=offset)
    bodies = dataset_bodies(reading, ids)
    return {"datasets": [bodies[number] for number in ids], "totalCount": total}


@router.get("/namespaces/{namespace}/datasets/{dataset}")
def get_dataset(reading: Reading, namespace: Named, dataset: Named) -> dict[str, Any]:
    """One dataset, by its name or another name that it has."""
    number = known_dataset(reading, namespace, dataset)
    return dataset_bodies(reading, [number])[number]


def known_dataset(connection: Connection, namespace: str, name: str) -> int:
    """The dataset's id. Raises the Problem that there is none."""
    number = Catalog(connection).dataset_id(namespace, name)
    if number is None:
        raise Problem.unknown("dataset", f"namespaces/{namespace}/datasets/{name}")
    return number
