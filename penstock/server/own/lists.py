"""Figures of the whole, lists, and search."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy import and_, func, or_, select

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.column_edge import ROWS
from penstock.ledger.graph.labels import PII, tag_name
from penstock.ledger.graph.passed import count_passed
from penstock.ledger.graph.reads.reads import holds
from penstock.ledger.graph.tables import (
    graph_column,
    graph_dataset,
    graph_job,
    graph_label,
    graph_run,
    graph_validity,
)
from penstock.ledger.tables import head
from penstock.server.own.described import (
    SHOWN,
    Describer,
    Id,
    id_of,
    label_of,
    moment,
)
from penstock.server.reading import Reading

__all__ = ["router"]

router = APIRouter()
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("/summary")
def summary(request: Request, connection: Reading) -> dict[str, Any]:
    """How much there is, and since when."""

    def count(table: Any, *conditions: Any) -> int:
        query = select(func.count()).select_from(table).where(*conditions)
        return int(connection.execute(query).scalar_one())

    same = graph_dataset.c.same_as == graph_dataset.c.id
    spans = select(func.min(graph_job.c.first_seen), func.max(graph_job.c.last_seen))
    first, last = connection.execute(spans).one()
    spaces = select(graph_dataset.c.namespace).union(select(graph_job.c.namespace))
    return {
        "events": int(connection.execute(select(head.c.sequence)).scalar_one()),
        "datasets": count(graph_dataset, same),
        "columns": count(
            graph_column,
            graph_column.c.same_as == graph_column.c.id,
            graph_column.c.name != ROWS,
        ),
        "jobs": count(graph_job),
        "runs": count(graph_run),
        "lineages": count(graph_validity, graph_validity.c.valid_to.is_(None)),
        "namespaces": sorted(connection.execute(spaces).scalars()),
        "first_event": moment(first),
        "last_event": moment(last),
        "events_not_understood": count_passed(connection),
        "dagster_url": request.app.state.settings.dagster_url,
    }


@router.get("/datasets")
def datasets(
    connection: Reading, q: Id = "", limit: Limit = 100, offset: Offset = 0
) -> dict[str, Any]:
    """Datasets by name."""
    describer = Describer(connection)
    ids, total = describer.catalog.dataset_ids(text=q, limit=limit, offset=offset)
    nodes = describer.catalog.datasets(ids, facets=SHOWN)
    return {"total": total, "datasets": [describer.node(nodes[number]) for number in ids]}


@router.get("/search")
def search(connection: Reading, q: Id, limit: Limit = 50) -> dict[str, Any]:
    """Datasets, columns, jobs, runs, tags and owners whose name holds the text.

    Of more than `limit` each kind has its share, and `complete` is false.
    """
    text = q.strip()
    if not text:
        return {"results": [], "complete": True}
    catalog, one_more = Catalog(connection), limit + 1
    numbers, _ = catalog.job_ids(text=text, limit=one_more)
    jobs = catalog.jobs(numbers, facets=())
    found = [
        _runs(catalog, text),
        _datasets(catalog, text, one_more),
        _columns(connection, catalog, text, one_more),
        [
            _result("job", jobs[n].name, detail=jobs[n].namespace, job=id_of(jobs[n]))
            for n in numbers
        ],
        _labels(connection, catalog, text, one_more),
    ]
    places = [(place, part) for part, each in enumerate(found) for place in range(len(each))]
    kept = Counter(part for _, part in sorted(places)[:limit])
    return {
        "results": [result for part, each in enumerate(found) for result in each[: kept[part]]],
        "complete": len(places) <= limit,
    }


def _runs(catalog: Catalog, text: str) -> list[dict[str, Any]]:
    try:
        run_id = str(UUID(text))
    except ValueError:
        return []
    runs = catalog.runs(run_id=run_id, limit=20)
    jobs = catalog.jobs({run.job for run in runs})
    return [
        _result("run", run.run_id, detail=f"{jobs[run.job].name} {run.state}", run_id=run.run_id)
        for run in runs
    ]


def _datasets(catalog: Catalog, text: str, limit: int) -> list[dict[str, Any]]:
    ids, _ = catalog.dataset_ids(text=text, limit=limit)
    nodes = catalog.datasets(ids, facets=())
    return [
        _result("dataset", label_of(nodes[n]), detail=nodes[n].name, dataset=id_of(nodes[n]))
        for n in ids
    ]


def _columns(connection: Any, catalog: Catalog, text: str, limit: int) -> list[dict[str, Any]]:
    query = (
        select(graph_column.c.dataset, graph_column.c.name)
        .where(
            graph_column.c.same_as == graph_column.c.id,
            holds(graph_column.c.name, text),
        )
        .order_by(graph_column.c.name, graph_column.c.dataset)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    nodes = catalog.datasets({row.dataset for row in rows}, facets=())
    return [
        _result(
            "column",
            row.name,
            detail=label_of(nodes[row.dataset]),
            dataset=id_of(nodes[row.dataset]),
            column=row.name,
        )
        for row in rows
        if row.dataset in nodes
    ]


def _labels(connection: Any, catalog: Catalog, text: str, limit: int) -> list[dict[str, Any]]:
    label = graph_label.c
    # what a tag says by being there is in its key
    says = and_(holds(label.value, text), label.value != "true")
    query = select(graph_label).where(or_(holds(label.key, text), says))
    query = query.order_by(label.kind, label.key, label.value, label.dataset, label.field)
    rows = connection.execute(query.limit(limit)).all()
    nodes = catalog.datasets({row.dataset for row in rows}, facets=())
    return [
        _result(
            row.kind,
            row.value.upper() if row.key == PII else tag_name(row.key, row.value),
            detail=".".join(filter(None, (label_of(nodes[row.dataset]), row.field))),
            dataset=id_of(nodes[row.dataset]),
            column=row.field or None,
        )
        for row in rows
    ]


def _result(kind: str, label: str, **more: Any) -> dict[str, Any]:
    empty = {"dataset": None, "column": None, "run_id": None, "job": None, "detail": ""}
    return {"kind": kind, "label": label, **empty, **more}
