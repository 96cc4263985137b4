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
    from collections.abc import Iterable, Iterator, Mapping

    import psycopg

    from penstock.resources.secrets import Password

__all__ = ["Postgres", "PostgresView", "identifier", "literal", "relation_sql"]

_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",  # the shortest digits that are it from PostgreSQL 12 on, else all
    "bytea_output": "hex",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    # a host that is gone is noticed in two minutes, not in hours
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "15",
    "tcp_keepalives_count": "4",
}
# Who waits for a lock waits for one that may itself wait for our transaction
_LOCK_MILLISECONDS = 30_000
_LOCKED = ("r", "p", "v")  # tables, partitioned ones and views; others cannot be
_READ = (*_LOCKED, "m")
_CONNECT_SECONDS = 10
_ROWS_AT_ONCE = 10_000
# SQLSTATE of what another try does not mend
_REFUSED = {
    "28": "the database refuses the user or the password",
    "3D": "there is no such database",
    "42501": "the user may not read this",
}
# of what another try may mend: sessions that are ended, no resources, conflicts, time-outs
_NO_LOCK = "55P03"
_PASSING = ("57", "53", "08", "40", "25P", _NO_LOCK)


class Postgres(ConfigurableResource["Postgres"]):
    """Where a PostgreSQL database is, and who reads it. A resource of the name that `query` says.

    The password is the one of the same name in the `secrets` resource; `passwordless` says that the
    server asks for none. `sslmode` and `sslrootcert`, a file, are as PostgreSQL's own clients have
    them: "verify-full" checks the server's certificate and name. The user needs no more than SELECT
    on what is read.
    """

    host: str
    database: str
    user: str
    port: int = 5432
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    sslrootcert: str | None = None
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
    def view(self, password: Password | None, relations: Iterable[str]) -> Iterator[PostgresView]:
        """What the database holds now, for as long as the block lasts.

        The tables and views among `relations` are locked against being emptied or altered first: a
        snapshot that is older than that shows them without a row.

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
        with self._told(connecting=True):
            connection = psycopg.connect(
                host=self.host,
                port=self.port,
                dbname=self.database,
                user=self.user,
                password=password.reveal() if password else None,
                sslmode=self.sslmode,
                sslrootcert=self.sslrootcert,
                connect_timeout=_CONNECT_SECONDS,
                application_name="penstock",
                client_encoding="UTF8",
                options=f"-c lock_timeout={_LOCK_MILLISECONDS}",
                autocommit=True,
                # nobody is at the other end of a connection that says nothing for two minutes
                keepalives_idle=60,
                keepalives_interval=15,
                keepalives_count=4,
            )
        try:
            if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
                raise InputError(
                    "the database does not know in which encoding its texts are",
                    where=self.place,
                    expected="a database in UTF8 or another encoding",
                    found="SQL_ASCII",
                    next_step="have its texts put into a database of an encoding, with pg_dump "
                    "--encoding and pg_restore; nothing was committed",
                )
            with self._told():
                locked = _to_lock(connection, relations)
                connection.autocommit = False
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                for relation in locked:  # which takes no snapshot
                    sql = f"LOCK TABLE {relation_sql(relation)} IN ACCESS SHARE MODE"
                    connection.execute(sql.encode())
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
            **({"sslrootcert": self.sslrootcert} if self.sslrootcert else {}),
            "options": f"-c lock_timeout={_LOCK_MILLISECONDS}",
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
    def _told(self, *, connecting: bool = False) -> Iterator[None]:
        """Raise psycopg's errors as ours.

        Its messages may quote values, and are not taken over, but for those of `connecting`.
        """
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
            if not lost and not state.startswith(_PASSING):
                raise InputError(
                    "the database cannot say what is to be read",
                    where=self.place,
                    found=f"{type(error).__name__}, SQLSTATE {state or 'none'}",
                    next_step="see the database's own log; nothing was committed",
                ) from None
            raise SourceError(
                "somebody holds a lock on what is to be read"
                if state == _NO_LOCK
                else "the database cannot be reached, or went away",
                where=self.place,
                found=str(error).strip().partition("\n")[0]
                if connecting
                else f"{type(error).__name__}, SQLSTATE {state or 'none'}",
                next_step="wait for whoever changes it, then run again: nothing was committed"
                if state == _NO_LOCK
                else "see that it is up and takes connections from here, then run again: nothing "
                "was committed",
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
        """Name -> type of the columns of a table or view; none where there is no such thing.

        Of a domain the type is the one that it is of. Raises InputError for a foreign table, which
        has no snapshot.
        """
        schema, _, name = relation.partition(".")
        sql = """
            WITH RECURSIVE base AS (
                SELECT a.attname, a.attnum, t.typname, t.typbasetype
                FROM pg_attribute a
                JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_type t ON t.oid = a.atttypid
                WHERE n.nspname = %s AND c.relname = %s AND c.relkind = ANY(%s)
                    AND a.attnum > 0 AND NOT a.attisdropped
                UNION ALL
                SELECT base.attname, base.attnum, t.typname, t.typbasetype
                FROM base JOIN pg_type t ON t.oid = base.typbasetype
            )
            SELECT attname, typname FROM base WHERE typbasetype = 0 ORDER BY attnum
        """
        foreign = """
            SELECT count(*)
            FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN LATERAL pg_partition_tree(c.oid) p ON c.relkind = 'p'
            JOIN pg_class f ON f.oid = coalesce(p.relid, c.oid)
            WHERE n.nspname = %s AND c.relname = %s AND f.relkind = 'f'
        """
        with self.postgres._told():  # noqa: SLF001 - the two are one
            found = dict(self._connection.execute(sql, (schema, name, [*_READ])).fetchall())
            (others,) = self._connection.execute(foreign, (schema, name)).fetchone() or (0,)
        if others:
            raise InputError(
                "a foreign table is of no snapshot: each reader would see another moment",
                where=f"{self.postgres.place}, {relation}",
                expected="a table, a view or a materialized view of the database itself",
                next_step="read the database that has the rows",
            )
        return found

    def one(self, sql: str) -> tuple[Any, ...]:
        """The one row that the statement gives."""
        with self.postgres._told():  # noqa: SLF001
            row = self._connection.execute(sql.encode()).fetchone()
        assert row is not None
        return row

    def refuse_lost(self) -> None:
        """Raise SourceError when the view is gone."""
        self.one("SELECT 1")


def _to_lock(
    connection: psycopg.Connection[tuple[Any, ...]], relations: Iterable[str]
) -> list[str]:
    """Those that are there and can be locked, in an order that all runs keep to."""
    sql = """
        SELECT n.nspname || '.' || c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname || '.' || c.relname = ANY(%s) AND c.relkind = ANY(%s)
    """
    found = connection.execute(sql, ([*relations], [*_LOCKED])).fetchall()
    return sorted(name for (name,) in found)


def relation_sql(relation: str) -> str:
    """A schema and a name as SQL of PostgreSQL."""
    schema, _, name = relation.partition(".")
    return f"{identifier(schema)}.{identifier(name)}"


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
