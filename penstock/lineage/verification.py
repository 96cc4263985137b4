"""Whether the ledger's events are what was appended: no change, no gap, no other order.

Every hash is computed again from the payloads, so the columns that queries use must say what the
payloads say, each event must be linked to the one before it in its namespace, and the chains must
end where the ledger says they end. Who owns the database and rewrites a whole chain is found by a
link that was kept elsewhere: `expected`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.errors import InputError
from penstock.lineage.chain import FIRST_LINK, canonical, digest_of, link_after
from penstock.lineage.event_shape import event_shape
from penstock.lineage.tables import archive, chain, event, head

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import RowMapping

    from penstock.lineage.ledger_database import LedgerDatabase

__all__ = ["ChainEnd", "Fault", "Verification", "verify"]

_BATCH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """Where a namespace's chain ends: how many events, and the last link."""

    position: int
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it was appended; `sequence` is None when no one event is meant."""

    what: str
    namespace: str | None
    sequence: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found. `events` counts those looked at, `archived` those that were moved out."""

    events: int
    archived: int
    chains: Mapping[str, ChainEnd]
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


@dataclass(slots=True)
class _State:
    sequence: int
    ends: dict[str, ChainEnd]
    faults: list[Fault] = field(default_factory=list)
    events: int = 0

    def blame(self, what: str, row: RowMapping) -> None:
        self.faults.append(Fault(what=what, namespace=row["namespace"], sequence=row["sequence"]))

    def take(self, row: RowMapping) -> None:
        """Look at the next event in order of sequence."""
        self.events += 1
        if row["sequence"] != self.sequence + 1:
            self.blame(f"follows sequence {self.sequence}: events are missing between", row)
        self.sequence = row["sequence"]
        if wrong := _misfit(row):
            self.blame(wrong, row)
        before = self.ends.get(row["namespace"], ChainEnd(position=0, link=FIRST_LINK))
        if row["position"] != before.position + 1:
            self.blame(
                f"is number {row['position']} of its namespace after number {before.position}", row
            )
        link = link_after(
            before.link,
            namespace=row["namespace"],
            position=row["position"],
            sequence=row["sequence"],
            recorded_at=row["recorded_at"],
            payload_hash=row["payload_hash"],
        )
        if link != row["link"]:
            self.blame("is not linked to the event before it, or was changed", row)
        # on with the link that stands there: one changed event is one fault, not all that follow
        self.ends[row["namespace"]] = ChainEnd(position=row["position"], link=row["link"])


def verify(
    database: LedgerDatabase, *, expected: Mapping[str, ChainEnd] | None = None
) -> Verification:
    """Looks at every event in one consistent state of the ledger. Raises LedgerError.

    `expected` are ends of chains that were written down elsewhere; the chain must pass through
    each of them.
    """
    with database.read() as connection:
        archives = (
            connection.execute(select(archive).order_by(archive.c.first_sequence.desc()).limit(1))
            .mappings()
            .first()
        )
        ends = {
            namespace: ChainEnd(**end)
            for namespace, end in (json.loads(archives["chains"]) if archives else {}).items()
        }
        start = int(archives["last_sequence"]) if archives else 0
        state = _State(sequence=start, ends=dict(ends))
        passed = {(name, end.position): end.link for name, end in ends.items()}
        for row in _rows(connection):
            state.take(row)
            passed[row["namespace"], row["position"]] = row["link"]
        _check_ends(connection, state)
    for namespace, end in (expected or {}).items():
        if passed.get((namespace, end.position)) != end.link:
            what = f"the link kept elsewhere for number {end.position} is not in the chain"
            state.faults.append(Fault(what=what, namespace=namespace, sequence=None))
    return Verification(
        events=state.events, archived=start, chains=state.ends, faults=tuple(state.faults)
    )


def _check_ends(connection: Any, state: _State) -> None:
    last = int(connection.execute(select(head.c.sequence)).scalar_one())
    if last != state.sequence:
        what = f"the ledger says that its last event is {last}, and the last there is "
        state.faults.append(
            Fault(what=f"{what}{state.sequence}", namespace=None, sequence=state.sequence)
        )
    said = {
        row.namespace: ChainEnd(position=row.position, link=row.link)
        for row in connection.execute(select(chain))
    }
    for namespace in sorted(said.keys() | state.ends.keys()):
        if said.get(namespace) != state.ends.get(namespace):
            what = "the chain does not end where the ledger says that it ends"
            state.faults.append(Fault(what=what, namespace=namespace, sequence=None))


def _rows(connection: Any) -> Iterator[RowMapping]:
    last = 0
    while True:
        query = select(event).where(event.c.sequence > last).order_by(event.c.sequence)
        rows = connection.execute(query.limit(_BATCH)).mappings().all()
        yield from rows
        if len(rows) < _BATCH:
            return
        last = rows[-1]["sequence"]


def _misfit(row: RowMapping) -> str | None:
    """What the row's columns say otherwise than its payload."""
    try:
        payload = json.loads(row["payload"])
        if digest_of(canonical(payload)) != row["payload_hash"]:
            return "its payload is not what its hash is of"
        shape = event_shape(payload, "event")
    except (ValueError, InputError):
        return "its payload is no event"
    told = {
        "namespace": shape.namespace,
        "job": shape.job.name if shape.job else None,
        "run_id": str(shape.run.runId) if shape.run else None,
        "event_type": shape.eventType,
        "event_time": shape.eventTime,
    }
    wrong = [name for name, value in told.items() if row[name] != value]
    return f"its {wrong[0].replace('_', ' ')} is not what its payload says" if wrong else None
