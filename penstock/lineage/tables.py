"""The ledger's tables. Nothing here is of one database: SQLite and PostgreSQL both carry it.

Alembic's scripts in `migrations/` make them; a test holds that both say the same.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

__all__ = [
    "REVISIONS",
    "REVISION_TABLE",
    "contract",
    "delivery",
    "event",
    "head",
    "metadata",
    "parked",
    "run",
]

REVISIONS = ("0001",)
"""Every schema revision this code knows, oldest first; the last is the one it works with."""

REVISION_TABLE = "penstock_revision"  # Dagster, whose database this may be, has alembic_version


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime. SQLite keeps no time zone, so UTC goes in and UTC comes out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  # SQLAlchemy passes it by name
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

# One row, locked by every append: sequences are then gapless and in commit order, which a cursor
# over them needs, and the next event of a hash chain knows its predecessor.
head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("payload_hash", String(64), nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("namespace", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("event_type", String(16), nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("payload", Text, nullable=False),
    Column("payload_hash", String(64), nullable=False),
    UniqueConstraint("run_id", "event_type", "payload_hash", name="event_once"),
    Index("event_of_job", "job", "sequence"),
)

run = Table(
    "run",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("namespace", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("slice", Text),
    Column("dagster_run_id", String(64)),
    Column("attempt", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("started", UtcDateTime, nullable=False),
    Column("ended", UtcDateTime),
    Column("last_event_time", UtcDateTime, nullable=False),
    Column("host", Text),
    Column("pid", Integer),
    Column("process_started", Text),
    Column("heartbeat", UtcDateTime),
    Column("outcome", Text, nullable=False),
    Index("run_of_dataset", "dataset", "started"),
    Index("run_by_state", "state"),
)

contract = Table(
    "contract",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Index("contract_by_name", "name", "id"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("destination", String(512), primary_key=True),
    Column("cursor", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", UtcDateTime),
    Column("last_error", Text),
    Column("lease_owner", Text),
    Column("lease_until", UtcDateTime),
)

parked = Table(
    "parked",
    metadata,
    Column("destination", String(512), ForeignKey("delivery.destination"), primary_key=True),
    Column("sequence", BigInteger, ForeignKey("event.sequence"), primary_key=True),
    Column("error", Text, nullable=False),
    Column("parked_at", UtcDateTime, nullable=False),
)
