"""A PostgreSQL server in a temporary folder, on a socket for us alone.

On loopback, which is what JDBC can do, it asks for passwords.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import SetupError
from penstock.resources.ports import LOOPBACK, free_port
from pipelines.senders.program import SECONDS, Program, run_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

__all__ = ["OWNER", "DatabaseServer", "database_server"]

OWNER = "penstock"
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "fsync": "on",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "unix_socket_permissions": "0700",
    "lc_messages": "C",
}


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A running server: the folder of its socket, and its port on both."""

    socket: Path
    port: int

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A session of the owner, each statement its own transaction."""
        import psycopg

        return psycopg.connect(
            host=str(self.socket), port=self.port, dbname=database, user=OWNER, autocommit=True
        )


@contextmanager
def database_server(seconds: float = SECONDS) -> Iterator[DatabaseServer]:
    """A server for the length of the block; its processes and its folder are gone afterwards.

    Raises SetupError: PostgreSQL is not installed, or does not start.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="penstock-pg-"))
    user = _user()
    started: dict[str, Any] = {
        "cwd": folder,
        "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    }
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
        started |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = folder / "data"
    made: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        OWNER,
        "-E",
        "UTF8",
        "--no-sync",
    ]
    made += ["--auth-local=trust", "--auth-host=scram-sha-256"]
    found = DatabaseServer(folder, free_port())
    server = Program(
        name="PostgreSQL",
        command=[
            programs / "postgres",
            *("-D", data, "-k", folder, "-p", str(found.port)),
            *itertools.chain.from_iterable(("-c", f"{k}={v}") for k, v in _SETTINGS.items()),
        ],
        log=folder / "log",
        end=signal.SIGINT,  # sessions are ended
        started=started,
    )
    try:
        run_once("initdb", made, folder, seconds, **started)
        with server.running(lambda: _answers(found), seconds):
            yield found
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
    raise SetupError(
        "PostgreSQL is not installed",
        where="PATH and /usr/lib/postgresql",
        expected="its programs initdb and postgres",
        next_step="apt-get install postgresql on Debian, or put initdb on the PATH",
    )


def _user() -> pwd.struct_passwd | None:
    """Who runs the server: PostgreSQL refuses to be root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise SetupError(
        "PostgreSQL does not run as root",
        where="the users of this machine",
        expected="a user postgres or nobody",
        next_step="run this as somebody else",
    )


def _answers(found: DatabaseServer) -> bool:
    import psycopg

    try:
        found.connect().close()
    except psycopg.OperationalError:
        return False
    return True
