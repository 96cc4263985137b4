"""Sources: where datasets are kept, as their dataSource facet tells or else their namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from sqlalchemy import select

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_dataset
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.parameters import Limit, Offset
from penstock.server.marquez.told_facet import text_of
from penstock.server.path_names import Named
from penstock.server.problem import Problem
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import DatasetNode

__all__ = ["router", "source_name", "sources_seen"]

router = APIRouter()

_FACET = "dataSource"


@router.get("/sources")
def list_sources(reading: Reading, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """All sources by name."""
    found = _sources(reading)
    page = [found[name] for name in sorted(found)[offset : offset + limit]]
    return {"sources": page, "totalCount": len(found)}


@router.get("/sources/{source}")
def get_source(reading: Reading, source: Named) -> dict[str, Any]:
    """One source."""
    found = _sources(reading).get(source)
    if found is None:
        raise Problem.unknown("source", f"sources/{source}")
    return found


def source_name(dataset: DatasetNode) -> str:
    """The source that the dataset is kept in."""
    return text_of(dataset.facets, _FACET, "name") or dataset.namespace


def sources_seen(connection: Connection) -> list[Any]:
    """When each source was first seen."""
    first: dict[str, Any] = {}
    for dataset in _datasets(connection):
        name = source_name(dataset)
        first[name] = min(first.get(name, dataset.first_seen), dataset.first_seen)
    return list(first.values())


def _sources(connection: Connection) -> dict[str, dict[str, Any]]:
    kept: dict[str, list[DatasetNode]] = {}
    for dataset in _datasets(connection):
        kept.setdefault(source_name(dataset), []).append(dataset)
    return {name: _body(name, datasets) for name, datasets in kept.items()}


def _datasets(connection: Connection) -> list[DatasetNode]:
    query = select(graph_dataset.c.id).where(graph_dataset.c.same_as == graph_dataset.c.id)
    ids = connection.execute(query).scalars().all()
    catalog = Catalog(connection)
    return [d for some in chunks(ids) for d in catalog.datasets(some, facets=(_FACET,)).values()]


def _body(name: str, datasets: list[DatasetNode]) -> dict[str, Any]:
    last = max(datasets, key=lambda d: d.last_seen)
    url = text_of(last.facets, _FACET, "uri") or last.namespace
    return {
        "type": _scheme(url),
        "name": name,
        "createdAt": stamp(min(d.first_seen for d in datasets)),
        "updatedAt": stamp(last.last_seen),
        "connectionUrl": url,
        "description": None,
    }


def _scheme(url: str) -> str:
    """What kind of store the address is of: of `jdbc:postgresql://…` POSTGRESQL."""
    try:
        scheme = urlsplit(url.removeprefix("jdbc:")).scheme
    except ValueError:
        scheme = ""
    return (scheme or url.partition(":")[0]).upper()
