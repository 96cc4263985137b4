"""A new ledger and one brought up from the first revision are the same; a kill leaves nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, update

from penstock.ledger import Ledger, tables
from penstock.ledger.database import LedgerDatabase
from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.projector import catch_up
from penstock.ledger.graph.tables import graph_dataset
from penstock.ledger.past.tables import (
    inspected_file,
    log_commit,
    log_file,
    log_index,
    log_take,
)
from penstock.ledger.schema import MIGRATIONS, revision
from tests.ledger.told_events import run_event
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow(seconds=10)

SEEDS = ("head", "graph_cursor", "chain", tables.REVISION_TABLE)
TRIGGERS = {
    "sqlite": (
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1",
        "SELECT name, type, ncol, wr, strict FROM pragma_table_list ORDER BY 1",
    ),
    "postgresql": (
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname ~ 'append_only' ORDER BY 1",
    ),
}
WITHOUT_THOSE_OF_CONTRACTS = {
    "sqlite": ("DROP TRIGGER contract_no_update", "DROP TRIGGER contract_no_delete"),
    "postgresql": (
        "DROP TRIGGER contract_append_only ON contract",
        "DROP FUNCTION contract_append_only",
    ),
}
KILLED = """
import os, signal, sys
from penstock.ledger import database as ledger_database, schema as ledger_schema
real = getattr(ledger_schema, sys.argv[2])
def killed(connection):
    real(connection)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(ledger_schema, sys.argv[2], killed)
ledger_database.LedgerDatabase.open(sys.argv[1], busy_timeout_seconds=600)
"""


@pytest.fixture
def second_url(request: pytest.FixtureRequest, url: str) -> Iterator[str]:
    """Another database, of the same kind as `url`."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{request.getfixturevalue('tmp_path')}/second.db"
        return
    postgres = request.getfixturevalue("postgres")
    name = postgres.database()
    yield postgres.url(name)
    postgres.drop(name)


def first_revision(url: str) -> None:
    """An empty ledger as the first Penstock made it."""

    class First(LedgerDatabase):
        def _migrate(self) -> None:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            with self.write() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, tables.REVISIONS[0])

    First.open(url, busy_timeout_seconds=PATIENCE_SECONDS).close()


def schema(connection: Connection) -> dict[str, Any]:
    """All that the database tells of itself, but for the names it gave to keys by itself."""
    found: dict[str, Any] = {}
    told = inspect(connection)
    for table in sorted(told.get_table_names()):
        found[table] = {
            "columns": [{**c, "type": str(c["type"])} for c in told.get_columns(table)],
            "key": told.get_pk_constraint(table)["constrained_columns"],
            "foreign": [
                (key["constrained_columns"], key["referred_table"], key["referred_columns"])
                for key in told.get_foreign_keys(table)
            ],
            "unique": sorted(told.get_unique_constraints(table), key=lambda one: str(one["name"])),
            "indexes": sorted(map(_plain, told.get_indexes(table)), key=lambda one: one["name"]),
        }
    for number, query in enumerate(TRIGGERS[connection.dialect.name]):
        found[f"query {number}"] = [tuple(row) for row in connection.exec_driver_sql(query)]
    for table in SEEDS:
        rows = connection.exec_driver_sql(f"SELECT * FROM {table}")
        found[f"rows of {table}"] = [tuple(row) for row in rows]
    return found


def _plain(index: Any) -> dict[str, Any]:
    # the condition of a partial index is an object that equals nothing
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def schema_of(url: str) -> dict[str, Any]:
    with Ledger.open(url) as ledger, ledger.database.read() as connection:
        return schema(connection)


def test_a_new_ledger_and_an_upgraded_one_are_the_same(url: str, second_url: str) -> None:
    first_revision(second_url)
    new, upgraded = schema_of(url), schema_of(second_url)
    assert new == upgraded
    assert new["event"]["indexes"], "the database was asked"
    assert new["query 0"]


def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    first_revision(url)
    with Ledger.open(url) as ledger, ledger.database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": tables.REVISION_TABLE}
        )
        assert compare_metadata(context, tables.metadata) == []
    script = ScriptDirectory(str(MIGRATIONS))
    known = tuple(one.revision for one in reversed(list(script.walk_revisions())))
    assert known == tables.REVISIONS


def test_a_graph_of_an_older_revision_is_made_anew(url: str) -> None:
    story = [run_event(kind, at, "job", inputs=("/a",), outputs=("/b",)) for at, kind in
             enumerate(["START", "RUNNING", "COMPLETE"])]  # fmt: skip
    with Ledger.open(url) as ledger:
        ledger.append_all(story)
        catch_up(ledger.database)
        with ledger.database.write() as connection:
            before = graph_lines(connection)
            connection.execute(update(graph_dataset).values(facets='{"of": "another kind"}'))
            connection.execute(update(revision).values(version_num="0002"))
            later = (log_commit, log_take, log_file, log_index, inspected_file)
            tables.metadata.drop_all(connection, tables=later)
            for statement in WITHOUT_THOSE_OF_CONTRACTS[connection.dialect.name]:
                connection.exec_driver_sql(statement)
    with Ledger.open(url) as ledger:
        assert catch_up(ledger.database) == len(story)
        with ledger.database.read() as connection:
            assert graph_lines(connection) == before


@pytest.mark.parametrize("step", ["make", "upgrade"])
def test_a_schema_whose_making_is_killed_is_not_half_there(url: str, step: str) -> None:
    if step == "upgrade":
        first_revision(url)
    before = tables_of(url)
    process = subprocess.run([sys.executable, "-c", KILLED, url, step], check=False)
    assert process.returncode == -signal.SIGKILL
    assert tables_of(url) == before
    assert "graph_edge" in schema_of(url)
    with Ledger.open(url) as ledger:
        assert ledger.append(run_event("COMPLETE", 0, "job")) == 1


def tables_of(url: str) -> set[str]:
    database = LedgerDatabaseAsItIs.open(url, busy_timeout_seconds=PATIENCE_SECONDS)
    with database.read() as connection:
        found = set(inspect(connection).get_table_names())
    database.close()
    return found


class LedgerDatabaseAsItIs(LedgerDatabase):
    """Opened, and left as it is."""

    def _migrate(self) -> None:
        pass


def test_opening_a_new_ledger_does_not_load_alembic(sqlite_url: str) -> None:
    code = "import sys; from penstock.ledger import Ledger; Ledger.open(sys.argv[1]).close()"
    code += "; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, sqlite_url], check=False).returncode == 0
