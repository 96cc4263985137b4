"""How far each destination has been told: a durable cursor, a lease on it, and what was parked.

A cursor moves only for the holder of its lease, so two relays on one destination take turns and
the order of events holds.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Connection, delete, func, insert, select, update

from penstock.ledger.database import lock_head
from penstock.ledger.runner import Runner
from penstock.ledger.tables import delivery, head, parked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from penstock.ledger.database import LedgerDatabase

__all__ = ["Delivery", "DeliveryStatus", "LeaseLostError", "deliveries"]


class LeaseLostError(Exception):
    """Another relay has taken the destination over; what this one was doing, that one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """One destination. `pending` counts events not yet told; `parked` those it refused for good.

    `attempts` counts the failures since the last success, `last_error` names the last of them.
    """

    destination: str
    cursor: int
    pending: int
    parked: int
    attempts: int
    next_attempt: datetime | None
    last_error: str | None


class Delivery:
    """One relay's hold on one destination.

    All methods raise LedgerError; those that move the cursor raise LeaseLostErrorError when another
    relay holds it now.
    """

    def __init__(self, database: LedgerDatabase, destination: str, *, lease_for: timedelta) -> None:
        self.destination = destination
        self._database = database
        self._lease_for = lease_for
        here = Runner.here()
        self._owner = f"{here.host}|{here.pid}|{here.started}|{uuid4()}"

    def status(self) -> DeliveryStatus:
        """How the destination stands; a new one has everything pending."""
        known = {status.destination: status for status in deliveries(self._database)}
        with self._database.read() as connection:
            latest = int(connection.execute(select(head.c.sequence)).scalar_one())
        return known.get(self.destination) or DeliveryStatus(
            destination=self.destination,
            cursor=0,
            pending=latest,
            parked=0,
            attempts=0,
            next_attempt=None,
            last_error=None,
        )

    def take(self, now: datetime) -> bool:
        """Takes the lease. False while another living relay holds it."""
        with self._database.write() as connection:
            row = self._row(connection)
            if row is None:
                # two relays may both be the first: the head's lock lets one of them make the row
                lock_head(connection)
                row = self._row(connection) or self._new_row(connection)
            owner, until = row["lease_owner"], row["lease_until"]
            held = owner is not None and owner != self._owner and until > now
            if held and _runner(owner).alive() is not False:
                return False
            connection.execute(
                update(delivery)
                .where(delivery.c.destination == self.destination)
                .values(lease_owner=self._owner, lease_until=now + self._lease_for)
            )
            return True

    def give_back(self) -> None:
        """Ends the lease, if it is still held, so that another relay need not wait it out."""
        with self._database.write() as connection:
            connection.execute(
                update(delivery)
                .where(
                    delivery.c.destination == self.destination,
                    delivery.c.lease_owner == self._owner,
                )
                .values(lease_owner=None, lease_until=None)
            )

    def advance(self, sequence: int, now: datetime) -> None:
        """The event at `sequence` has been accepted; the next is due."""
        with self._holding(now, cursor=sequence, attempts=0, next_attempt=None, last_error=None):
            pass

    def park(self, sequence: int, error: str, now: datetime) -> None:
        """The destination will never accept the event at `sequence`: set it aside and go on."""
        with self._holding(
            now, cursor=sequence, attempts=0, next_attempt=None, last_error=error
        ) as connection:
            connection.execute(
                insert(parked).values(
                    destination=self.destination, sequence=sequence, error=error, parked_at=now
                )
            )

    def postpone(self, error: str, next_attempt: datetime, now: datetime) -> None:
        """The destination failed: try the same event again at `next_attempt`, not before."""
        with self._holding(
            now,
            attempts=delivery.c.attempts + 1,
            next_attempt=next_attempt,
            last_error=error,
        ):
            pass

    def parked_sequences(self) -> tuple[int, ...]:
        """The sequences of the events set aside, in order."""
        query = (
            select(parked.c.sequence)
            .where(parked.c.destination == self.destination)
            .order_by(parked.c.sequence)
        )
        with self._database.read() as connection:
            return tuple(connection.execute(query).scalars())

    def unpark(self, sequence: int, now: datetime) -> None:
        """The parked event at `sequence` has been accepted after all."""
        with self._holding(now) as connection:
            connection.execute(
                delete(parked).where(
                    parked.c.destination == self.destination, parked.c.sequence == sequence
                )
            )

    @contextmanager
    def _holding(self, now: datetime, **changes: Any) -> Iterator[Connection]:
        with self._database.write() as connection:
            changed = connection.execute(
                update(delivery)
                .where(
                    delivery.c.destination == self.destination,
                    delivery.c.lease_owner == self._owner,
                )
                .values(lease_until=now + self._lease_for, **changes)
            )
            if changed.rowcount != 1:
                raise LeaseLostError(self.destination)
            yield connection

    def _row(self, connection: Connection) -> Any:
        query = select(delivery).where(delivery.c.destination == self.destination)
        return connection.execute(query.with_for_update()).mappings().first()

    def _new_row(self, connection: Connection) -> dict[str, Any]:
        connection.execute(
            insert(delivery).values(destination=self.destination, cursor=0, attempts=0)
        )
        return {"lease_owner": None, "lease_until": None}


def deliveries(database: LedgerDatabase) -> tuple[DeliveryStatus, ...]:
    """How every destination that was ever told anything stands."""
    refused = (
        select(parked.c.destination, func.count().label("parked"))
        .group_by(parked.c.destination)
        .subquery()
    )
    query = (
        select(
            delivery,
            func.coalesce(refused.c.parked, 0).label("parked"),
            select(head.c.sequence).scalar_subquery().label("latest"),
        )
        .outerjoin(refused, refused.c.destination == delivery.c.destination)
        .order_by(delivery.c.destination)
    )
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
    return tuple(
        DeliveryStatus(
            destination=row["destination"],
            cursor=row["cursor"],
            pending=row["latest"] - row["cursor"],
            parked=row["parked"],
            attempts=row["attempts"],
            next_attempt=row["next_attempt"],
            last_error=row["last_error"],
        )
        for row in rows
    )


def _runner(owner: str) -> Runner:
    host, pid, started, _ = owner.rsplit("|", 3)
    return Runner(host=host, pid=int(pid), started=started)
