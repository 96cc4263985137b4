"""Events appended: numbered, linked to their namespace's chain, each stored once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, bindparam, insert, select, update

from penstock.errors import InputError
from penstock.events.shape import EventShape, event_shape
from penstock.ledger.chain import FIRST_LINK, canonical, digest_of, link_after
from penstock.ledger.database import lock_head
from penstock.ledger.graph.rows import chunks
from penstock.ledger.run_record import RunRecord, project
from penstock.ledger.stored_event import run_record, run_row
from penstock.ledger.tables import archived_event, chain, event, head, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from penstock.ledger.runner import Runner

__all__ = ["Appendable", "append_all"]

_MOST_LEVELS = 100  # so that whoever reads it need not go deeper than Python goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Appendable:
    """An event that has been looked at and may be appended."""

    payload: Mapping[str, Any]
    shape: EventShape
    text: str
    digest: str

    @classmethod
    def of(cls, payload: Mapping[str, Any], where: str) -> Self:
        """Raises InputError for what is no OpenLineage event, or cannot be written as JSON."""
        shape = event_shape(payload, where)
        try:
            text = canonical(payload)
            digest = digest_of(text)
            _refuse_depth(payload)
        except (ValueError, RecursionError) as error:
            raise InputError(
                "the event cannot be kept as JSON",
                where=where,
                expected=f"finite numbers, whole Unicode text, at most {_MOST_LEVELS} levels",
                found=type(error).__name__,
                next_step="correct the event and send it again; nothing of it was kept",
            ) from None
        return cls(payload=payload, shape=shape, text=text, digest=digest)

    @property
    def run_id(self) -> str | None:
        """The run's id, None for a job event or a dataset event."""
        return str(self.shape.run.runId) if self.shape.run else None


def append_all(
    connection: Connection,
    events: Sequence[Appendable],
    *,
    runner: Runner | None,
    recorded_at: datetime,
) -> tuple[int, ...]:
    """The sequence of each event, in the order given; what is stored already keeps its own.

    Part of the caller's write transaction: all are durable when it ends, or none.
    """
    sequence = lock_head(connection)
    known = dict(_stored(connection, [item.digest for item in events]))
    ends = dict(_ends(connection, {item.shape.namespace for item in events}))
    rows, fresh = [], []
    for item in events:
        if item.digest in known:
            continue
        sequence += 1
        known[item.digest] = sequence
        position, link = ends.get(item.shape.namespace, (0, FIRST_LINK))
        row = _row(item, sequence, position + 1, link, recorded_at)
        ends[item.shape.namespace] = (row["position"], row["link"])
        rows.append(row)
        fresh.append(item)
    if rows:
        connection.execute(insert(event), rows)
        connection.execute(update(head).values(sequence=sequence))
        _put_ends(connection, {row["namespace"]: ends[row["namespace"]] for row in rows})
        _project_runs(connection, fresh, runner, recorded_at)
    return tuple(known[item.digest] for item in events)


def _refuse_depth(payload: Mapping[str, Any]) -> None:
    level: list[Any] = [payload]
    for _ in range(_MOST_LEVELS):
        values = (v for item in level for v in (item.values() if isinstance(item, dict) else item))
        level = [value for value in values if isinstance(value, dict | list)]
        if not level:
            return
    raise RecursionError


def _row(
    item: Appendable, sequence: int, position: int, before: str, recorded_at: datetime
) -> dict[str, Any]:
    shape = item.shape
    return {
        "sequence": sequence,
        "namespace": shape.namespace,
        "job": shape.job.name if shape.job else None,
        "run_id": item.run_id,
        "event_type": shape.eventType,
        "event_time": shape.eventTime,
        "recorded_at": recorded_at,
        "payload": item.text,
        "payload_hash": item.digest,
        "position": position,
        "link": link_after(
            before,
            namespace=shape.namespace,
            position=position,
            sequence=sequence,
            recorded_at=recorded_at,
            payload_hash=item.digest,
        ),
    }


def _stored(connection: Connection, digests: Sequence[str]) -> Iterator[tuple[str, int]]:
    for some in chunks(digests):
        for table in (event, archived_event):
            query = select(table.c.payload_hash, table.c.sequence)
            found = connection.execute(query.where(table.c.payload_hash.in_(some)))
            yield from ((digest, sequence) for digest, sequence in found)


def _ends(connection: Connection, namespaces: set[str]) -> Iterator[tuple[str, tuple[int, str]]]:
    for some in chunks(sorted(namespaces)):
        for row in connection.execute(select(chain).where(chain.c.namespace.in_(some))):
            yield row.namespace, (row.position, row.link)


def _put_ends(connection: Connection, ends: Mapping[str, tuple[int, str]]) -> None:
    moved = update(chain).where(chain.c.namespace == bindparam("of"))
    for namespace, (position, link) in ends.items():
        values = {"position": position, "link": link}
        if connection.execute(moved.values(**values), {"of": namespace}).rowcount == 0:
            connection.execute(insert(chain).values(namespace=namespace, **values))


def _project_runs(
    connection: Connection,
    events: Sequence[Appendable],
    runner: Runner | None,
    recorded_at: datetime,
) -> None:
    told = [item for item in events if item.run_id]
    before: dict[str, RunRecord] = {}
    for some in chunks(sorted({item.run_id or "" for item in told})):
        for row in connection.execute(select(run).where(run.c.run_id.in_(some))).mappings():
            before[row["run_id"]] = run_record(row)
    after = dict(before)
    for item in told:
        identity = item.run_id or ""
        after[identity] = project(
            after.get(identity), item.payload, runner=runner, recorded_at=recorded_at
        )
    new = [run_row(record) for identity, record in after.items() if identity not in before]
    changed = [
        {"of": identity, **run_row(after[identity])}
        for identity in before
        if after[identity] != before[identity]
    ]
    if new:
        connection.execute(insert(run), new)
    if changed:
        columns: dict[str, Any] = {column.name: bindparam(column.name) for column in run.c}
        connection.execute(
            update(run).where(run.c.run_id == bindparam("of")).values(columns), changed
        )
