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
)

__all__ = [
    "REVISIONS",
    "REVISION_TABLE",
    "access",
    "archive",
    "archived_event",
    "chain",
    "contract",
    "delivery",
    "event",
    "head",
    "metadata",
    "parked",
    "run",
    "session",
    "token",
]

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
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
# over them needs.
head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
)

# The last link of each namespace's chain.
chain = Table(
    "chain",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("link", String(64), nullable=False),
)

# A run event has a run and a job, a job event no run, a dataset event neither.
event = Table(
    "event",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("namespace", Text, nullable=False),
    Column("job", Text),
    Column("run_id", String(36)),
    Column("event_type", String(16)),
    Column("event_time", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("payload", Text, nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("link", String(64), nullable=False),
    Index("event_once", "payload_hash", unique=True),
    Index("event_of_job", "job", "sequence"),
    Index("event_of_run", "run_id", "sequence"),
    Index("event_of_namespace", "namespace", "position"),
    Index("event_of_time", "event_time", "sequence"),
)

# What was moved out of the event table: a Parquet file, and where its chains end.
archive = Table(
    "archive",
    metadata,
    Column("first_sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("location", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("chains", Text, nullable=False),
    Column("archived_at", UtcDateTime, nullable=False),
)

# Of each archived event its hash, so that one sent again is known and not stored twice.
archived_event = Table(
    "archived_event",
    metadata,
    Column("payload_hash", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    sqlite_with_rowid=False,
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
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("error", Text, nullable=False),
    Column("parked_at", UtcDateTime, nullable=False),
)

# Who may call the server. The token itself is kept nowhere.
token = Table(
    "token",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Index("token_by_digest", "digest", unique=True),
)

# Who is signed in at a browser. The key that the browser holds is kept nowhere.
session = Table(
    "session",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("token", String(128), ForeignKey("token.name"), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("session_by_end", "expires_at"),
)

# Who asked the server what, and what came of it. `sought` is what was asked as a person writes it:
# the path and each parameter, decoded, each ended by a line feed.
access = Table(
    "access",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("client", Text, nullable=False),
    Column("method", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("sought", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Index("access_by_time", "at"),
    Index("access_by_caller", "who", "id"),
)
