"""A PostgreSQL database that is read from: where it is, and one transaction's view of it.

All that a run reads is of one snapshot: a transaction of the driver's is held open and exports it,
and each reader of Spark's begins with it. Values are read as text, written as the settings say.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dagster import ConfigurableResource

from penstock.errors import InputError, SetupError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

    from penstock.resources.secrets import Password

__all__ = ["Postgres", "PostgresView", "identifier", "literal"]

_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
_CONNECT_SECONDS = 10
_ROWS_AT_ONCE = 10_000
# SQLSTATE of what another try does not mend
_REFUSED = {
    "28": "the database refuses the user or the password",
    "3D": "there is no such database",
    "42501": "the user may not read this",
}


class Postgres(ConfigurableResource["Postgres"]):
    """Where a PostgreSQL database is, and who reads it. A resource of the name that `query` says.

    The password is the one of the same name in the `secrets` resource; `passwordless` says that the
    server asks for none. `sslmode` is as PostgreSQL's own clients have it: "verify-full" checks the
    server's certificate and name. The user needs no more than SELECT on what is read.
    """

    host: str
    database: str
    user: str
    port: int = 5432
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    passwordless: bool = False

    @property
    def namespace(self) -> str:
        """The server, by OpenLineage's naming."""
        return f"postgres://{self.host}:{self.port}"

    @property
    def place(self) -> str:
        """Where it is, for an error."""
        return f"{self.namespace}/{self.database} as {self.user}"

    @contextmanager
    def view(self, password: Password | None) -> Iterator[PostgresView]:
        """What the database holds now, for as long as the block lasts.

        Raises SetupError without a driver, SourceError when it cannot be reached, InputError when
        it refuses.
        """
        try:
            import psycopg
        except ModuleNotFoundError as error:
            raise SetupError(
                "the driver for PostgreSQL is not installed",
                where=self.place,
                found=f"no module {error.name}",
                next_step="pip install 'penstock[postgres]'",
            ) from error
        with self._told():
            connection = psycopg.connect(
                host=self.host,
                port=self.port,
                dbname=self.database,
                user=self.user,
                password=password.reveal() if password else None,
                sslmode=self.sslmode,
                connect_timeout=_CONNECT_SECONDS,
                application_name="penstock",
                # nobody is at the other end of a connection that says nothing for two minutes
                keepalives_idle=60,
                keepalives_interval=15,
                keepalives_count=4,
            )
        try:
            with self._told():
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                for name, value in _SETTINGS.items():
                    connection.execute("SELECT set_config(%s, %s, true)", (name, value))
                (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
            yield PostgresView(postgres=self, snapshot=snapshot, _connection=connection)
        finally:
            connection.close()

    def jdbc(self, password: Password | None, snapshot: str) -> dict[str, str]:
        """Options of Spark's JDBC reader, all of whose readers see the snapshot.

        The password is among them: they are for the reader, and for nothing that is shown.
        """
        begin = (
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            f"SET TRANSACTION SNAPSHOT {literal(snapshot)}",
            *(f"SET LOCAL {name} = {literal(value)}" for name, value in _SETTINGS.items()),
        )
        return {
            "driver": "org.postgresql.Driver",
            "user": self.user,
            **({"password": password.reveal()} if password else {}),
            "sslmode": self.sslmode,
            "ApplicationName": "penstock",
            "loginTimeout": str(_CONNECT_SECONDS),
            "tcpKeepAlive": "true",
            # without it all rows come at once, and each reader begins a transaction of its own
            "fetchsize": str(_ROWS_AT_ONCE),
            "sessionInitStatement": "; ".join(begin),
            # what is read is decided here, and Spark's filters compare otherwise
            "pushDownPredicate": "false",
        }

    @property
    def jdbc_url(self) -> str:
        """The address as JDBC has it, without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"jdbc:postgresql://{host}:{self.port}/{_escaped(self.database)}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise psycopg's errors as ours. Its messages may quote values, and are not taken over."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            state = error.sqlstate or _state_of(error)
            refused = _REFUSED.get(state) or _REFUSED.get(state[:2])
            if refused:
                raise InputError(
                    refused,
                    where=self.place,
                    found=f"SQLSTATE {state}",
                    next_step="correct the resource, the password in the secrets, or what the user "
                    "is granted; nothing was committed",
                ) from None
            lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
            if not lost and not state.startswith(("57", "53", "08", "40", "25P03")):
                raise InputError(
                    "the database cannot say what is to be read",
                    where=self.place,
                    found=f"{type(error).__name__}, SQLSTATE {state or 'none'}",
                    next_step="see the database's own log; nothing was committed",
                ) from None
            raise SourceError(
                "the database cannot be reached, or went away",
                where=self.place,
                found=f"{type(error).__name__}, SQLSTATE {state or 'none'}",
                next_step="see that it is up and takes connections from here, then run again: "
                "nothing was committed",
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresView:
    """The database as it was when the view was opened. `snapshot` is its name for other sessions.

    Methods raise SourceError when the database went away.
    """

    postgres: Postgres
    snapshot: str
    _connection: psycopg.Connection[tuple[Any, ...]] = field(repr=False)

    def columns(self, relation: str) -> Mapping[str, str]:
        """Name -> type of the columns of a table or view; none where there is no such thing."""
        schema, _, name = relation.partition(".")
        sql = """
            SELECT a.attname, coalesce(b.typname, t.typname)
            FROM pg_attribute a
            JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
            WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum
        """
        with self.postgres._told():  # noqa: SLF001 - the two are one
            return dict(self._connection.execute(sql, (schema, name)).fetchall())

    def one(self, sql: str) -> tuple[Any, ...]:
        """The one row that the statement gives."""
        with self.postgres._told():  # noqa: SLF001
            row = self._connection.execute(sql.encode()).fetchone()
        assert row is not None
        return row

    def refuse_lost(self) -> None:
        """Raise SourceError when the view is gone."""
        self.one("SELECT 1")


def identifier(name: str) -> str:
    """A name as SQL of PostgreSQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL of PostgreSQL."""
    quoted = "'" + text.replace("'", "''") + "'"
    return f" E{quoted}".replace("\\", "\\\\") if "\\" in text else quoted


def _escaped(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def _state_of(error: psycopg.Error) -> str:
    """SQLSTATE of a connection that was refused, of which libpq keeps the words alone."""
    said = str(error)
    if "authentication failed" in said or "no password supplied" in said or "pg_hba.conf" in said:
        return "28000"
    if "role" in said and "does not exist" in said:
        return "28000"
    if "database" in said and "does not exist" in said:
        return "3D000"
    return ""
