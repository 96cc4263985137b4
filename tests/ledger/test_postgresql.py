"""What goes wrong on PostgreSQL is told in our words, with a next step, and nothing is lost."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from penstock.errors import LedgerError
from penstock.ledger import Ledger
from tests.ledger.told_events import run_event
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.ledger.postgres import PostgresServer

EVENT = run_event("COMPLETE", 1, "job")


def database_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def test_a_lock_that_is_held_too_long_says_so_and_readers_go_on(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    with Ledger.open(postgresql_url, busy_timeout_seconds=0.05) as ledger:
        with (
            contextlib.closing(postgres.connect(database_of(postgresql_url))) as other,
            other.transaction(),
        ):
            other.execute("SELECT * FROM head FOR UPDATE")
            with pytest.raises(LedgerError, match="locked by another process"):
                ledger.append(EVENT)
            assert ledger.events() == ()
        assert ledger.append(EVENT) == 1


def test_a_server_that_only_reads_says_so(postgres: PostgresServer, postgresql_url: str) -> None:
    Ledger.open(postgresql_url).close()
    name = database_of(postgresql_url)
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with Ledger.open(postgresql_url) as ledger:
        with pytest.raises(LedgerError, match="cannot be written"):
            ledger.append(EVENT)
        assert ledger.events() == ()


def test_nobody_listening_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://user:hunter2@127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(LedgerError, match="cannot be reached") as caught:
            Ledger.open(url)
    assert "hunter2" not in str(caught.value)


def test_a_database_that_is_not_there_says_so(postgres: PostgresServer) -> None:
    with pytest.raises(LedgerError, match="does not exist") as caught:
        Ledger.open(postgres.url("nowhere"))
    assert "createdb" in caught.value.next_step


def test_a_user_without_permission_is_told_so(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    Ledger.open(postgresql_url).close()
    postgres.execute("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN")
    with pytest.raises(LedgerError, match="lacks a permission"):
        Ledger.open(postgres.url(database_of(postgresql_url), user="guest"))


def test_a_user_who_is_not_known_is_told_so(postgres: PostgresServer, postgresql_url: str) -> None:
    with pytest.raises(LedgerError, match=r"does not let this user in|does not exist"):
        Ledger.open(postgres.url(database_of(postgresql_url), user="nobody_we_know"))


def test_a_session_that_the_server_ended_is_replaced(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    name = database_of(postgresql_url)
    with Ledger.open(postgresql_url) as ledger:
        ledger.append(EVENT)
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        postgres.execute(ended)
        assert ledger.append(run_event("COMPLETE", 2, "job")) == 2

        def cut_off() -> None:
            with ledger.database.write() as connection:
                connection.exec_driver_sql("UPDATE head SET sequence = 99")
                postgres.execute(ended)

        with pytest.raises(LedgerError, match="ended the connection"):
            cut_off()
        assert ledger.append(run_event("COMPLETE", 3, "job")) == 3


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("53100", "disk is full"),
        ("53300", "no connection left"),
        ("58030", "disk failed"),
        ("57P03", "cannot be reached"),
        ("57014", "took too long"),
        ("28P01", "does not let this user in"),
        ("40P01", "locked by another process"),
        ("XX001", "damaged"),
        ("42P01", "refused"),
    ],
)
def test_what_the_server_says_is_told_in_our_words(
    postgresql_ledger: Ledger, code: str, what: str
) -> None:
    raised = f"DO $$ BEGIN RAISE 'secret value' USING ERRCODE = '{code}'; END $$"
    with (
        pytest.raises(LedgerError, match=what) as caught,
        postgresql_ledger.database.write() as connection,
    ):
        connection.exec_driver_sql(raised)
    assert caught.value.found == f"SQLSTATE {code}"
    assert "secret" not in str(caught.value)


def test_a_commit_waits_for_the_disk_whatever_the_database_says(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    name = database_of(postgresql_url)
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with Ledger.open(postgresql_url) as ledger, ledger.database.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_read_is_one_state_of_the_ledger(postgresql_ledger: Ledger) -> None:
    with postgresql_ledger.database.read() as connection:
        count = "SELECT count(*) FROM event"
        assert connection.exec_driver_sql(count).scalar() == 0
        writer = threading.Thread(target=postgresql_ledger.append, args=(EVENT,))
        writer.start()
        writer.join()
        assert connection.exec_driver_sql(count).scalar() == 0
    assert len(postgresql_ledger.events()) == 1


def test_an_address_without_a_driver_takes_ours(postgresql_url: str) -> None:
    with Ledger.open(postgresql_url.replace("postgresql+psycopg", "postgresql")) as ledger:
        assert ledger.append(EVENT) == 1


@pytest.mark.slow
def test_the_tests_own_server_leaves_nothing_also_when_they_are_killed() -> None:
    code = """
import os, signal
from tests.ledger.postgres import postgres_server
with postgres_server() as server:
    print(server.socket, flush=True)
    if input() == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
"""
    for said in ("end", "kill"):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin
            assert process.stdout
            folder = process.stdout.readline().strip()
            servers = [p for p in psutil.process_iter() if f"{folder}/data" in _line(p)]
            assert servers
            process.stdin.write(f"{said}\n")
            process.stdin.close()
        gone, alive = psutil.wait_procs(servers, timeout=PATIENCE_SECONDS)
        assert (len(gone), alive) == (len(servers), [])
        assert Path(folder).exists() == (said == "kill")
        if said == "kill":
            _remove(Path(folder))


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)
