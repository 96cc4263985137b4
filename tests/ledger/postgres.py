"""A PostgreSQL server of the tests' own: in a temporary folder, on a socket for us alone.

On loopback, which is what JDBC can do, it asks for passwords.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from penstock.resources.ports import LOOPBACK, free_port
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PostgresServer", "postgres_server"]

MISSING = (
    "PostgreSQL is not installed, and the ledger is tested on it: "
    "`apt-get install postgresql` on Debian (`.ci/run` does it), or put `initdb` on the PATH"
)
OWNER = "penstock"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "fsync": "on",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "unix_socket_permissions": "0700",
    "lc_messages": "C",
}


class PostgresServer:
    """A running server. `address` gives the URL of a new, empty database."""

    def __init__(self, socket: Path, port: int) -> None:
        self.socket = socket
        self.port = port
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
        return psycopg.connect(
            host=str(self.socket), port=self.port, dbname=database, user=OWNER, autocommit=True
        )

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Runs the statements as the owner."""
        with contextlib.closing(self.connect(database)) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the length of the block; its processes and its folder are gone afterwards."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="penstock-pg-"))
    user = _user()
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    started: dict[str, Any] = {
        "cwd": folder,
        "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    }
    if user:
        started |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    try:
        data = folder / "data"
        made = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            OWNER,
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(
            made, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_SECONDS, **started
        )
        port = free_port()
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *_ended_with_us(),
                    programs / "postgres",
                    *("-D", data, "-k", folder, "-p", str(port)),
                    *itertools.chain.from_iterable(("-c", f"{k}={v}") for k, v in SETTINGS.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **started,
            )
        try:
            yield _answering(PostgresServer(folder, port), server, folder / "log")
        finally:
            _end(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True
    )
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError(MISSING)


def _user() -> pwd.struct_passwd | None:
    """Who runs the server: PostgreSQL refuses to be root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _ended_with_us() -> list[str]:
    """So that a server does not outlive tests that are killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []


def _answering(found: PostgresServer, server: subprocess.Popen[bytes], log: Path) -> PostgresServer:
    def answers() -> bool:
        try:
            found.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    until(lambda: server.poll() is not None or answers(), "PostgreSQL answers")
    if server.poll() is not None:
        raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
    return found


def _end(server: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGQUIT):  # sessions are ended; at once
        server.send_signal(number)
        try:
            server.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
