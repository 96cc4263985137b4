"""A PostgreSQL server of the tests' own, and its databases."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

from pipelines.senders.postgres import OWNER, DatabaseServer, database_server
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

__all__ = ["PostgresServer", "postgres_server"]


class PostgresServer:
    """A running server. `database` makes one that is empty, `url` says where it is."""

    def __init__(self, server: DatabaseServer) -> None:
        self.server = server
        self.socket = server.socket
        self.port = server.port
        self._numbers = itertools.count(1)

    def url(self, database: str, *, user: str = OWNER) -> str:
        """The URL of a database as the ledger takes it."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.socket}&port={self.port}"

    def database(self) -> str:
        """Makes a database and gives its name."""
        name = f"ledger_{next(self._numbers)}"
        self.execute(
            f"CREATE DATABASE {name} ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' TEMPLATE template0"
        )
        return name

    def drop(self, database: str) -> None:
        """Ends the database and every session in it."""
        self.execute(f"DROP DATABASE {database} WITH (FORCE)")

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A session of the owner outside Penstock, each statement its own transaction."""
        return self.server.connect(database)

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Runs the statements as the owner."""
        with contextlib.closing(self.connect(database)) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the length of the block; its processes and its folder are gone afterwards."""
    with database_server(PATIENCE_SECONDS) as server:
        yield PostgresServer(server)
