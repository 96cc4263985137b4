"""The ledger is tested on both databases: `url` is one of SQLite and one of PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock.ledger import Ledger
from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.projector import catch_up, rebuild
from tests.ledger.postgres import PostgresServer, postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of this process; a failure when PostgreSQL is not installed."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/made/by/open/ledger.db"


@pytest.fixture
def postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    name = postgres.database()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a ledger that is not there yet, on each database."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as ledger:
        yield ledger


@pytest.fixture
def sqlite_ledger(sqlite_url: str) -> Iterator[Ledger]:
    with Ledger.open(sqlite_url) as ledger:
        yield ledger


@pytest.fixture
def postgresql_ledger(postgresql_url: str) -> Iterator[Ledger]:
    with Ledger.open(postgresql_url) as ledger:
        yield ledger


@pytest.fixture(params=["in order", "reversed"])
def tell(request: pytest.FixtureRequest, ledger: Ledger) -> Callable[..., None]:
    """Tells events, each a batch of its own, in their order or in the reverse of it."""

    def told(*events: dict[str, Any]) -> None:
        for event in events if request.param == "in order" else reversed(events):
            ledger.append(event)
            catch_up(ledger.database)
        with ledger.database.read() as connection:
            before = graph_lines(connection)
        rebuild(ledger.database)
        with ledger.database.read() as connection:
            assert graph_lines(connection) == before

    return told
