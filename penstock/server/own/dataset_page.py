"""A dataset: its contract, its columns and where they come from, its runs and checks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from sqlalchemy import select

from penstock.events.freshness import freshness
from penstock.events.instant import instant, told_moment
from penstock.evidence.told_versions import names_of
from penstock.ledger.contract_register import registered
from penstock.ledger.graph.column_edge import ROWS
from penstock.ledger.graph.walk import FoundEdge, Walk
from penstock.ledger.tables import contract
from penstock.server.own.dataset_runs import FIRST_RUNS, DatasetRuns
from penstock.server.own.described import (
    At,
    Describer,
    Id,
    columns_of,
    id_of,
    label_of,
    owners_of,
)
from penstock.server.own.writing import writings
from penstock.server.reading import Reading, ledger_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.evidence.table_histories import Histories

__all__ = ["router"]

router = APIRouter()
_MOST_JUDGED = 5000


@router.get("/dataset")
def dataset(request: Request, connection: Reading, id: Id, at: At = None) -> dict[str, Any]:
    """One dataset, its columns' origins as of an instant, its freshness and its latest runs.

    `runs_before`, if there is one, asks for older runs: `/dataset/runs?before=`. `coverage` says
    whether `/coverage` can tell of it: `offered`, `no_lake` or `no_table`.
    """
    describer = Describer(connection)
    catalog, number = describer.catalog, describer.dataset(id)
    node = catalog.datasets([number])[number]
    label = label_of(node)
    walk = Walk(connection, at=at)
    own_columns = walk.columns_of([number])
    up = walk.step(own_columns, "upstream")
    down = walk.step(own_columns, "downstream")
    ends = catalog.columns({c for e in (*up, *down) for c in (e.source, e.target)})
    nodes = catalog.datasets({d for d, _ in ends.values()}, facets=())

    def told(edge: FoundEdge, column: int) -> dict[str, Any]:
        where, name = ends[column]
        return {
            "dataset": id_of(nodes[where]),
            "label": label_of(nodes[where]),
            "column": name or None,
            "type": edge.type,
            "subtype": edge.subtype,
            "masking": edge.masking,
            "description": edge.description,
        }

    into: dict[str, list[dict[str, Any]]] = {}
    out_of: dict[str, list[dict[str, Any]]] = {}
    for edge in up:
        into.setdefault(ends[edge.target][1], []).append(told(edge, edge.source))
    for edge in down:
        out_of.setdefault(ends[edge.source][1], []).append(told(edge, edge.target))

    runs = DatasetRuns.of(catalog, number, until=at, limit=FIRST_RUNS)
    contracts = _contracts(connection, label)
    checks = _checks_by_column(contracts[-1]["document"] if contracts else {})
    known = {column["name"]: column for column in columns_of(node)}
    names = [*known, *(n for n in sorted(catalog.column_ids(number)) if n not in known)]
    bare = {"type": None, "description": None, "pii": None, "masked": False, "key": False}
    columns = [
        {
            **known.get(name, {"name": name, "unit": None, **bare}),
            "checks": checks.get(name, []),
            "upstream": into.get(name, []),
            "downstream": out_of.get(name, []),
        }
        for name in names
    ]
    told_contract = contracts[-1] if contracts else None
    now = at or ledger_of(request).now()
    return {
        **describer.node(node),
        "first_seen": instant(node.first_seen),
        "last_seen": instant(node.last_seen),
        "symlinks": [{"namespace": space, "name": name} for space, name in node.other_names],
        "contract": told_contract and {"name": label, "version": told_contract["version"]},
        "contracts": contracts,
        "owners": owners_of(node),
        "columns": columns,
        "rows_from": into.get(ROWS, []),
        "freshness": _freshness(connection, number, contracts, now, until=at),
        "coverage": _coverage(connection, number, request.app.state.histories),
        "runs": runs.lines,
        "runs_before": runs.before,
        "checks": [
            check
            for use, run_id in runs.uses
            for check in _checks(use.facets, run_id, instant(use.at))
        ],
        "facets": node.facets,
    }


def _coverage(connection: Connection, dataset: int, histories: Histories | None) -> str:
    if histories is None:
        return "no_lake"
    known = names_of(connection, dataset) & histories.tables.keys()
    return "offered" if known else "no_table"


def _freshness(
    connection: Connection,
    dataset: int,
    contracts: list[dict[str, Any]],
    at: datetime,
    *,
    until: datetime | None,
) -> dict[str, Any]:
    """By the contract in force at that instant."""
    held = [one for one in contracts if told_moment(one["registered_at"]) <= at]
    seconds = held[-1]["document"].get("freshness") if held else None
    judged = freshness(
        writings(connection, dataset, until=until, limit=_MOST_JUDGED),
        promise=None if seconds is None else timedelta(seconds=seconds),
        at=at,
        limit=_MOST_JUDGED,
    )
    return {**judged, "contract_version": held[-1]["version"] if held else None}


def _checks(facets: dict[str, Any], run_id: str, at: str) -> list[dict[str, Any]]:
    told = facets.get("dataQualityAssertions", {}).get("assertions")
    return [
        {
            "at": at,
            "run_id": run_id,
            "name": item.get("name") or item.get("assertion"),
            "column": item.get("column"),
            "success": item.get("success"),
            "severity": item.get("severity"),
            "failed_rows": params.get("failedRows") if isinstance(params, dict) else None,
        }
        for item in (told if isinstance(told, list) else [])
        if isinstance(item, dict)
        for params in (item.get("params"),)
    ]


def _contracts(connection: Connection, name: str) -> list[dict[str, Any]]:
    query = select(contract).where(contract.c.name == name).order_by(contract.c.id)
    return [
        {
            "version": row.version,
            "fingerprint": row.fingerprint,
            "registered_at": instant(row.registered_at),
            "document": registered(row),
        }
        for row in connection.execute(query)
    ]


def _checks_by_column(document: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check in document.get("checks", ()):
        found.setdefault(check.get("column") or "", []).append(str(check.get("id")))
    return found
