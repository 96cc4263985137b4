"""The triggers that refuse any change of an event; they are lifted for the archive alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

__all__ = ["append_only_lifted", "append_only_triggers"]

REASON = "the ledger''s events are append-only"


def append_only_triggers(dialect: str) -> tuple[str, ...]:
    """The statements that make the triggers, as the migrations do."""
    if dialect == "postgresql":
        return (
            (
                "CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{REASON}'; END $$"
            ),
            (
                "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
                "FOR EACH STATEMENT EXECUTE FUNCTION event_append_only()"
            ),
        )
    return tuple(
        f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
        f"BEGIN SELECT RAISE(ABORT, '{REASON}'); END"
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
