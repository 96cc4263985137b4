"""The ledger's database: opened, brought to this code's schema, read and written in transactions.

SQLite is in WAL mode with synchronous=FULL, so a committed transaction survives a power cut, and
every write transaction takes the write lock at its start, so none fails half-way for want of it.
On PostgreSQL a commit waits for the disk whatever the server's default is, and a read is one
snapshot (REPEATABLE READ), as it is in SQLite.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from penstock.errors import LedgerError
from penstock.ledger import schema as ledger_schema
from penstock.ledger.failure import ledger_failure
from penstock.ledger.tables import REVISION_TABLE, REVISIONS, head

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LedgerDatabase", "lock_head"]

WRITING = "penstock_writing"
MIGRATION_LOCK = 0x70656E73  # any number, the same in every Penstock
WAL_RETRY_SECONDS = 0.05


class LedgerDatabase:
    """One open database. Safe to share between threads; each process opens its own.

    `where` names it in messages, without its password.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where
        postgres = engine.dialect.name == "postgresql"
        self._reading: dict[str, Any] = {"isolation_level": "REPEATABLE READ"} if postgres else {}

    @classmethod
    def open(cls, url: str, *, busy_timeout_seconds: float) -> Self:
        """Opens and migrates. Raises LedgerError: unusable address, newer schema, not a ledger."""
        try:
            parsed = make_url(url)
        except SQLAlchemyError as error:
            raise ledger_failure(error, "ledger") from error
        # parameters of the URL can hold a password too
        where = f"ledger {parsed.set(query={}).render_as_string(hide_password=True)}"
        database: Self | None = None
        try:
            engine = _engine(parsed, where, busy_timeout_seconds)
            database = cls(engine, where)
            database._migrate()
        except (SQLAlchemyError, sqlite3.Error) as error:
            if database:
                database.close()
            raise ledger_failure(error, where) from error
        except LedgerError:
            if database:
                database.close()
            raise
        return database

    def close(self) -> None:
        """Closes every connection of this process."""
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the ledger. Raises LedgerError."""
        try:
            with self.engine.connect() as plain:
                connection = plain.execution_options(**self._reading)
                with connection.begin():
                    yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise ledger_failure(error, self.where) from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; durable once the block is left. Raises LedgerError."""
        try:
            with self.engine.connect() as plain:
                connection = plain.execution_options(**{WRITING: True})
                with connection.begin():
                    yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise ledger_failure(error, self.where) from error

    def _migrate(self) -> None:
        with self.read() as connection:
            current = _revision(connection, self.where)
        if current == REVISIONS[-1]:
            return
        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            # asked again under the lock: another process may have migrated meanwhile
            current = _revision(connection, self.where)
            if current is None:
                ledger_schema.make(connection)
            elif current != REVISIONS[-1]:
                ledger_schema.upgrade(connection)


def lock_head(connection: Connection) -> int:
    """Lets one writer at a time go on, until its transaction ends; gives the last sequence."""
    return int(connection.execute(select(head.c.sequence).with_for_update()).scalar_one())


def _revision(connection: Connection, where: str) -> str | None:
    if not inspect(connection).has_table(REVISION_TABLE):
        return None
    found: str | None = connection.execute(select(ledger_schema.revision)).scalar()
    if found is not None and found not in REVISIONS:
        raise LedgerError(
            "the ledger was written by a newer Penstock",
            where=where,
            expected=f"schema revision {REVISIONS[-1]} or older",
            found=f"schema revision {found}",
            next_step="install the Penstock that wrote it: pip install --upgrade penstock",
        )
    return found


def _engine(url: URL, where: str, busy_timeout_seconds: float) -> Engine:
    match url.get_backend_name():
        case "sqlite":
            _make_folder(url, where)
            timeout = {"timeout": busy_timeout_seconds}
            engine = create_engine(url, hide_parameters=True, connect_args=timeout)
            _prepare_sqlite(engine, busy_timeout_seconds)
        case "postgresql":
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+psycopg")
            try:
                # a connection that the server ended while nobody used it is not handed out
                engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
            except ModuleNotFoundError as error:
                raise LedgerError(
                    "the driver for PostgreSQL is not installed",
                    where=where,
                    found=f"no module {error.name}",
                    next_step="pip install 'penstock[postgres]'",
                ) from error
            _prepare_postgresql(engine, busy_timeout_seconds)
        case other:
            raise LedgerError(
                "the ledger's address cannot be used",
                where=where,
                expected="sqlite:////absolute/path or postgresql://user@host/database",
                found=other,
                next_step="correct the ledger's URL",
            )
    return engine


def _prepare_postgresql(engine: Engine, busy_timeout_seconds: float) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(busy_timeout_seconds * 1000)}")
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )
        connection.commit()


def _make_folder(url: URL, where: str) -> None:
    if not url.database or url.database == ":memory:":
        raise LedgerError(
            "a ledger in memory would forget what it accepted",
            where=where,
            expected="sqlite:////absolute/path/to/ledger.db",
            next_step="give the ledger a file",
        )
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            "the ledger's folder cannot be made",
            where=where,
            found=type(error).__name__,
            next_step="give this user write permission on the folder above it",
        ) from error


def _prepare_sqlite(engine: Engine, busy_timeout_seconds: float) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin late and deferred; `begin` does
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        _use_wal(connection, busy_timeout_seconds)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _use_wal(connection: sqlite3.Connection, busy_timeout_seconds: float) -> None:
    # two processes that make the ledger at once meet here, and SQLite's busy handler is not asked
    # when the journal mode changes
    deadline = time.monotonic() + busy_timeout_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(WAL_RETRY_SECONDS)
        else:
            return
