"""The ledger: events, runs and contracts in one database.

    with Ledger.open("sqlite:////lake/.penstock/ledger.db") as ledger:
        sequence = ledger.append(event, runner=Runner.here())

An event is durable when `append` returns, is never changed afterwards and leaves the database for
an `archive` alone (a trigger refuses all else), and is stored once however often it is appended.
Sequences are gapless and in the order of commit, and each event is linked to the one before it in
its namespace (`verification`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, select, update

from penstock.events.event import abort_payload, event_payload
from penstock.ledger.contract_register import ContractRegister
from penstock.ledger.database import LedgerDatabase, lock_head
from penstock.ledger.event_log import Appendable, append_all
from penstock.ledger.event_reader import events_after
from penstock.ledger.past.inspected_files import InspectedFiles
from penstock.ledger.past.log_index import LogIndex
from penstock.ledger.stored_event import StoredEvent, run_record, stored_event
from penstock.ledger.tables import event, run

if TYPE_CHECKING:
    from types import TracebackType
    from uuid import UUID

    from openlineage.client.event_v2 import RunEvent

    from penstock.ledger.run_record import RunRecord
    from penstock.ledger.runner import Runner
    from penstock.schemas.model import ContractModel

__all__ = ["Clock", "Ledger", "utc_now"]

Clock = Callable[[], datetime]
OPEN_STATES = ("START", "RUNNING")
STALE_AFTER = timedelta(minutes=15)


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


class Ledger:
    """An open ledger. Threads may share it; each process opens its own.

    All methods raise LedgerError when the database cannot be used.
    """

    def __init__(self, database: LedgerDatabase, clock: Clock) -> None:
        self.database = database
        self._clock = clock
        self._register = ContractRegister(database)
        self.logs = LogIndex(database)
        self.inspected = InspectedFiles(database)

    @classmethod
    def open(cls, url: str, *, clock: Clock = utc_now, busy_timeout_seconds: float = 30.0) -> Self:
        """Opens the ledger at an SQLAlchemy URL, making or migrating its tables if need be."""
        database = LedgerDatabase.open(url, busy_timeout_seconds=busy_timeout_seconds)
        return cls(database, clock)

    def now(self) -> datetime:
        """The moment by the ledger's clock."""
        return self._clock()

    def close(self) -> None:
        """Closes the connections. What was appended is on disk already."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, event: RunEvent | Mapping[str, Any], *, runner: Runner | None = None) -> int:
        """Stores an event and gives its sequence; the same event again gives the same one.

        `runner` is the process whose death ends the run, given with the START; a run without one
        is somebody else's and never closed from here.
        """
        return self.append_all([event], runner=runner)[0]

    def append_all(
        self, events: Iterable[RunEvent | Mapping[str, Any]], *, runner: Runner | None = None
    ) -> tuple[int, ...]:
        """Stores all of the events, or none, and gives the sequence of each.

        Raises InputError, with the event's place in the list, when one is no OpenLineage event.
        """
        return self.append_appendable(self.appendable(events), runner=runner)

    def appendable(self, events: Iterable[RunEvent | Mapping[str, Any]]) -> list[Appendable]:
        """The events, looked at. Raises InputError as `append_all` does."""
        return [
            Appendable.of(event_payload(event, f"event {number}"), f"event {number}")
            for number, event in enumerate(events)
        ]

    def append_appendable(
        self, events: Sequence[Appendable], *, runner: Runner | None = None
    ) -> tuple[int, ...]:
        """Stores all of the events, or none, in one transaction."""
        with self.database.write() as connection:
            return append_all(connection, events, runner=runner, recorded_at=self._clock())

    def events(
        self,
        *,
        after: int = 0,
        run_id: UUID | None = None,
        job: str | None = None,
        event_type: str | None = None,
        limit: int | None = None,
    ) -> tuple[StoredEvent, ...]:
        """Events with a sequence above `after`, in order, filtered by what is given.

        Those that were archived are not among them.
        """
        query = select(event).where(event.c.sequence > after).order_by(event.c.sequence)
        if run_id is not None:
            query = query.where(event.c.run_id == str(run_id))
        if job is not None:
            query = query.where(event.c.job == job)
        if event_type is not None:
            query = query.where(event.c.event_type == event_type)
        with self.database.read() as connection:
            return tuple(
                stored_event(row) for row in connection.execute(query.limit(limit)).mappings()
            )

    def events_after(self, sequence: int, *, limit: int) -> tuple[StoredEvent, ...]:
        """The next events in order, those archived among them."""
        with self.database.read() as connection:
            return tuple(stored_event(row) for row in events_after(connection, sequence, limit))

    def runs(self, dataset: str | None = None, *, limit: int = 50) -> tuple[RunRecord, ...]:
        """The latest runs, newest first."""
        query = select(run).order_by(run.c.started.desc(), run.c.run_id).limit(limit)
        if dataset is not None:
            query = query.where(run.c.dataset == dataset)
        with self.database.read() as connection:
            return tuple(run_record(row) for row in connection.execute(query).mappings())

    def run(self, run_id: UUID) -> RunRecord | None:
        """The run with this id, or None."""
        with self.database.read() as connection:
            return _find_run(connection, str(run_id))

    def open_runs(self) -> tuple[RunRecord, ...]:
        """Runs that no event has ended, oldest first."""
        query = select(run).where(run.c.state.in_(OPEN_STATES)).order_by(run.c.started)
        with self.database.read() as connection:
            return tuple(run_record(row) for row in connection.execute(query).mappings())

    def heartbeat(self, run_id: UUID) -> None:
        """Says that the run is alive. Needed for runs whose process is on another host."""
        statement = update(run).where(run.c.run_id == str(run_id)).values(heartbeat=self._clock())
        with self.database.write() as connection:
            connection.execute(statement)

    def dead_runs(
        self, now: datetime | None = None, *, stale_after: timedelta = STALE_AFTER
    ) -> tuple[tuple[RunRecord, str], ...]:
        """Each open run whose process is gone, and how that is known.

        A process on this host is asked whether it lives. One on another host cannot be asked: it
        is held dead when its last heartbeat (or its START) is older than `stale_after`.
        """
        moment = now or self._clock()
        found = ((record, _death(record, moment, stale_after)) for record in self.open_runs())
        return tuple((record, reason) for record, reason in found if reason is not None)

    def close_dead_runs(
        self,
        now: datetime | None = None,
        *,
        stale_after: timedelta = STALE_AFTER,
        spare: Collection[UUID] = (),
    ) -> tuple[UUID, ...]:
        """Ends with an ABORT each of the `dead_runs` that is not in `spare`; gives their ids.

        It does not look for what they committed: `penstock.assets.recovery` does, and calls this.
        """
        moment = now or self._clock()
        closed = []
        for record, reason in self.dead_runs(moment, stale_after=stale_after):
            if record.run_id in spare:
                continue
            with self.database.write() as connection:
                lock_head(connection)
                current = _find_run(connection, str(record.run_id))
                # it may have ended, or begun again, since it was listed
                if current != record:
                    continue
                last = _last_payload(connection, str(record.run_id))
                abort = Appendable.of(abort_payload(last, reason, at=moment), self.database.where)
                append_all(connection, [abort], runner=None, recorded_at=self._clock())
            closed.append(record.run_id)
        return tuple(closed)

    def register_contract(self, model: ContractModel) -> bool:
        """Makes `model` the latest contract of its name; False when it was that already."""
        return self._register.add(model, at=self._clock())

    def latest_contract(self, name: str) -> ContractModel | None:
        """The contract registered last under `name`, or None."""
        return self._register.latest(name)

    def contracts(self, name: str) -> tuple[ContractModel, ...]:
        """Every contract registered under `name`, oldest first."""
        return self._register.all(name)


def _find_run(connection: Connection, run_id: str) -> RunRecord | None:
    row = connection.execute(select(run).where(run.c.run_id == run_id)).mappings().first()
    return None if row is None else run_record(row)


def _last_payload(connection: Connection, run_id: str) -> dict[str, Any]:
    query = (
        select(event.c.payload)
        .where(event.c.run_id == run_id)
        .order_by(event.c.sequence.desc())
        .limit(1)
    )
    payload: dict[str, Any] = json.loads(connection.execute(query).scalar_one())
    return payload


def _death(record: RunRecord, now: datetime, stale_after: timedelta) -> str | None:
    if record.runner is None:
        return None
    alive = record.runner.alive()
    if alive is None:
        last_sign = record.heartbeat or record.started
        if now - last_sign <= stale_after:
            return None
        return f"no heartbeat from {record.runner.host} since {last_sign.isoformat()}"
    return None if alive else f"its process {record.runner.pid} on {record.runner.host} is gone"
