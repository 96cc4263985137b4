"""The triggers that refuse any change of an event or contract; the archive alone lifts them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

__all__ = ["append_only_lifted", "append_only_triggers"]

_TABLES = ("event", "contract")


def append_only_triggers(dialect: str) -> tuple[str, ...]:
    """The statements that make the triggers, as the migrations do."""
    return tuple(statement for table in _TABLES for statement in _triggers(dialect, table))


def _triggers(dialect: str, table: str) -> tuple[str, ...]:
    reason = f"the ledger''s {table}s are append-only"
    if dialect == "postgresql":
        return (
            (
                f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{reason}'; END $$"
            ),
            (
                f"CREATE TRIGGER {table}_append_only "
                f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
            ),
        )
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{reason}'); END"
        for verb in ("UPDATE", "DELETE")
    )


@contextmanager
def append_only_lifted(connection: Connection) -> Iterator[None]:
    """Within the block this transaction may delete events.

    No other transaction ever sees the events without their triggers: on PostgreSQL the table is
    locked for writers, in SQLite the whole database is.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE event DISABLE TRIGGER event_append_only"))
        yield
        connection.execute(text("ALTER TABLE event ENABLE TRIGGER event_append_only"))
        return
    # put back as they were made, whichever revision made them
    query = text(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'"
    )
    triggers = connection.execute(query).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, made in triggers:
        connection.exec_driver_sql(made)
