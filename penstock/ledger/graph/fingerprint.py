"""The whole graph as text without ids, and its hash: two graphs that say the same are the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.events.instant import instant
from penstock.ledger.chain import digest_of
from penstock.ledger.graph.tables import (
    graph_column,
    graph_dataset,
    graph_edge,
    graph_job,
    graph_label,
    graph_lineage,
    graph_passed,
    graph_run,
    graph_source,
    graph_symlink,
    graph_use,
    graph_validity,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["fingerprint", "graph_lines"]


def fingerprint(connection: Connection) -> str:
    """SHA-256 of `graph_lines`."""
    return digest_of("\n".join(graph_lines(connection)))


def graph_lines(connection: Connection) -> list[str]:
    """Everything the graph says, one fact a line, sorted."""

    def rows(table: Any) -> Any:
        return connection.execute(select(table)).mappings()

    datasets = {r["id"]: (r["namespace"], r["name"]) for r in rows(graph_dataset)}
    jobs = {r["id"]: (r["namespace"], r["name"]) for r in rows(graph_job)}
    columns = {r["id"]: (*datasets[r["dataset"]], r["name"]) for r in rows(graph_column)}
    lineages = {r["id"]: r["digest"] for r in rows(graph_lineage)}
    # a lineage that no interval holds any more was told and taken back
    held = {r["lineage"] for r in rows(graph_validity)}
    edges: dict[int, list[Any]] = {}
    for r in rows(graph_edge):
        own = [r["type"], r["subtype"], r["masking"], r["description"]]
        edges.setdefault(r["lineage"], []).append(
            [columns[r["source"]], columns[r["target"]], *own]
        )
    for r in rows(graph_source):
        edges.setdefault(r["lineage"], []).append([datasets[r["dataset"]]])
    facts: list[Any] = [
        ["dataset", datasets[r["id"]], datasets[r["same_as"]], json.loads(r["facets"])]
        for r in rows(graph_dataset)
    ]
    facts += [
        [
            "former name" if r["renamed"] else "other name",
            r["namespace"],
            r["name"],
            datasets[r["dataset"]],
            _at(r["told"]),
        ]
        for r in rows(graph_symlink)
    ]
    facts += [
        ["label", datasets[r["dataset"]], r["kind"], r["field"], r["key"], r["value"]]
        for r in rows(graph_label)
    ]
    facts += [
        ["job", jobs[r["id"]], _at(r["first_seen"]), _at(r["last_seen"]), json.loads(r["facets"])]
        for r in rows(graph_job)
    ]
    facts += [
        [
            "run",
            r["run_id"],
            jobs[r["job"]],
            json.loads(r["states"]),
            r["state"],
            _at(r["started"]),
            _at(r["ended"]),
            r["parent_run_id"],
            r["root_run_id"],
            json.loads(r["facets"]),
        ]
        for r in rows(graph_run)
    ]
    facts += [
        [
            "use",
            _teller(r["teller"], jobs),
            datasets[r["dataset"]],
            r["role"],
            _at(r["at"]),
            json.loads(r["facets"]),
            _at(r["made_at"]),
            r["told_version"],
        ]
        for r in rows(graph_use)
    ]
    facts += [
        [
            "held",
            jobs[r["job"]],
            datasets.get(r["dataset"]),
            _at(r["valid_from"]),
            _at(r["valid_to"]),
            lineages[r["lineage"]],
        ]
        for r in rows(graph_validity)
    ]
    facts += [
        ["lineage", lineages[number], sorted(found, key=str)]
        for number, found in edges.items()
        if number in held
    ]
    facts += [["passed", r["namespace"], r["event_hash"], r["reason"]] for r in rows(graph_passed)]
    return sorted(json.dumps(fact, sort_keys=True) for fact in facts)


def _teller(teller: str, jobs: dict[int, Any]) -> list[Any]:
    run_id, _, job = teller.partition(":")
    return [run_id, jobs[int(job)]] if job else [run_id]


def _at(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None
