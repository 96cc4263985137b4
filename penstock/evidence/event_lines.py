"""The events of a scope as they were stored, and the links that tie them to their chains."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from penstock.events.instant import instant
from penstock.events.name import dataset_name
from penstock.evidence.manifest import Chain
from penstock.evidence.told_versions import names_of
from penstock.ledger.archived import archived_files, archived_where
from penstock.ledger.chain import FIRST_LINK
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_dataset, graph_use
from penstock.ledger.tables import chain, event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection, RowMapping

    from penstock.events.name import Name
    from penstock.evidence.scope import Scope
    from penstock.ledger.graph.walk import Period

    _Row = RowMapping | Mapping[str, Any]

__all__ = ["EventLines", "event_lines"]

_MOST_LINKS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLines:
    """`events` and `links` are lines of JSON. `chains` says where each namespace's chain ended."""

    events: bytes
    links: bytes
    count: int
    chains: Mapping[str, Chain]


def event_lines(connection: Connection, scope: Scope, period: Period) -> EventLines:
    """Every event of the period, of each run that used one of the datasets, and of each dataset.

    Those that were archived are read from their files: it is the same evidence as before. Raises
    LedgerError when such a file is missing or was changed.

    `links` has, of the events between and after them, position, time, hash and link: with these
    anybody can compute each chain up to its end, without what those events say.
    """
    rows = sorted(_rows(connection, scope, period), key=lambda row: row["sequence"])
    ends = {row.namespace: row for row in connection.execute(select(chain))}
    before: dict[tuple[str, int], str] = {}
    links: list[dict[str, Any]] = []
    chains: dict[str, Chain] = {}
    for namespace in sorted({row["namespace"] for row in rows}):
        own = {row["position"] for row in rows if row["namespace"] == namespace}
        passed, others, whole = _chain(connection, namespace, own)
        before |= {(namespace, position): link for position, link in passed.items()}
        links += others if whole else []
        end = ends[namespace]
        chains[namespace] = Chain(position=end.position, link=end.link, whole=whole)
    told = [
        {
            **_link(row),
            "before": before[row["namespace"], row["position"] - 1],
            "payload": row["payload"],
        }
        for row in rows
    ]
    return EventLines(events=_lines(told), links=_lines(links), count=len(told), chains=chains)


def _rows(connection: Connection, scope: Scope, period: Period) -> Iterator[_Row]:
    same = [
        int(number)
        for some in chunks(sorted(scope.datasets))
        for number in connection.execute(
            select(graph_dataset.c.id).where(graph_dataset.c.same_as.in_(some))
        ).scalars()
    ]
    tellers = {
        teller
        for some in chunks(same)
        for teller in connection.execute(
            select(graph_use.c.teller).distinct().where(graph_use.c.dataset.in_(some))
        ).scalars()
    }
    runs = {teller.partition(":")[0] for teller in tellers if ":" in teller}
    hashes = {teller for teller in tellers if ":" not in teller}
    query = select(event)
    if period.since is not None:
        query = query.where(event.c.event_time >= period.since)
    if period.until is not None:
        query = query.where(event.c.event_time <= period.until)
    for column, wanted in ((event.c.run_id, runs), (event.c.payload_hash, hashes)):
        for some in chunks(sorted(wanted)):
            yield from connection.execute(query.where(column.in_(some))).mappings()
    names = {name for dataset in scope.datasets for name in names_of(connection, dataset)}
    stored = connection.execute(query.where(event.c.job.is_(None))).mappings()
    yield from (row for row in stored if _named(row) in names)
    wanted = _among("run_id", runs) | _among("payload_hash", hashes)
    for row in archived_where(connection, _within(period) & (wanted | pc.field("job").is_null())):
        if row["job"] is not None or _named(row) in names:
            yield row


def _named(row: _Row) -> Name | None:
    told = json.loads(row["payload"])["dataset"]
    return dataset_name(told["namespace"], told["name"])


def _among(column: str, values: Iterable[str]) -> pc.Expression:
    return pc.field(column).isin(pa.array(sorted(values), pa.string()))


def _within(period: Period) -> pc.Expression:
    wanted = pc.scalar(True)
    if period.since is not None:
        wanted &= pc.field("event_time") >= period.since
    if period.until is not None:
        wanted &= pc.field("event_time") <= period.until
    return wanted


def _chain(
    connection: Connection, namespace: str, own: set[int]
) -> tuple[dict[int, str], list[dict[str, Any]], bool]:
    """(each link of the chain from before our first event, what our events are not, all of it)."""
    first = min(own)
    columns = (
        event.c.sequence,
        event.c.namespace,
        event.c.position,
        event.c.recorded_at,
        event.c.payload_hash,
        event.c.link,
    )
    query = select(*columns).where(event.c.namespace == namespace, event.c.position >= first - 1)
    stored = connection.execute(query.order_by(event.c.position)).mappings()
    passed = {0: FIRST_LINK}
    others: list[dict[str, Any]] = []
    for row in (*_archived_chain(connection, namespace, first - 1, passed), *stored):
        passed[row["position"]] = row["link"]
        if row["position"] >= first and row["position"] not in own and len(others) <= _MOST_LINKS:
            others.append(_link(row))
    return passed, others, len(others) <= _MOST_LINKS


def _archived_chain(
    connection: Connection, namespace: str, first: int, passed: dict[int, str]
) -> Iterator[dict[str, Any]]:
    """The archived events of the chain from a position on; of earlier files the end is enough."""
    wanted = (pc.field("namespace") == namespace) & (pc.field("position") >= first)
    for file in archived_files(connection):
        end = file.ends.get(namespace)
        if end is not None and end.position > first:
            yield from file.rows(wanted, payload=False)
        elif end is not None:
            passed[end.position] = end.link


def _link(row: _Row) -> dict[str, Any]:
    return {
        "sequence": row["sequence"],
        "namespace": row["namespace"],
        "position": row["position"],
        "recorded_at": instant(row["recorded_at"]),
        "payload_hash": row["payload_hash"],
        "link": row["link"],
    }


def _lines(items: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(
        json.dumps(item, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"
        for item in items
    ).encode()
