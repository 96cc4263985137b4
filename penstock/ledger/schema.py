"""The schema of a ledger's database: made whole where there is none, else brought up to date.

A new ledger is made from `tables`, an older one by Alembic's scripts in `migrations/`. A test holds
that both ways end in the same schema, but for the names that PostgreSQL gave by itself to the keys
of tables that a migration renamed (`event`, `parked`): no later migration may name those.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, insert
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from penstock.ledger.append_only import append_only_triggers
from penstock.ledger.graph.tables import graph_cursor
from penstock.ledger.past.tables import log_index
from penstock.ledger.tables import REVISION_TABLE, REVISIONS, head

if TYPE_CHECKING:
    from sqlalchemy import Connection, Dialect

__all__ = ["MIGRATIONS", "make", "revision", "upgrade"]

MIGRATIONS = Path(__file__).parent / "migrations"

# as Alembic makes it
revision = Table(
    REVISION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{REVISION_TABLE}_pkc"),
)


def make(connection: Connection) -> None:
    """The newest schema, in a database that has none."""
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    connection.execute(insert(head).values(id=1, sequence=0))
    connection.execute(insert(graph_cursor).values(id=1, sequence=0))
    connection.execute(insert(revision).values(version_num=REVISIONS[-1]))


def upgrade(connection: Connection) -> None:
    """From the revision that the database has to the newest."""
    # imported here: opening a ledger that is up to date should not pay for alembic
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, REVISIONS[-1])


@cache
def _statements(name: str) -> tuple[str, ...]:
    dialect: Dialect = registry.load(name)()
    made: list[ExecutableDDLElement] = []
    for table in (revision, *log_index.metadata.sorted_tables):
        made += [CreateTable(table), *(CreateIndex(index) for index in table.indexes)]
    statements = (str(element.compile(dialect=dialect)) for element in made)
    return (*statements, *append_only_triggers(name))
