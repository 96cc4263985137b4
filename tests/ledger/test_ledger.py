"""The ledger: durable, once, append-only, shared by threads and processes, clear when it fails.

On both databases, unless a test names one of them.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from penstock.errors import InputError, LedgerError
from penstock.events import (
    DatasetRef,
    RunFacts,
    RunIdentity,
    abort_event,
    complete_event,
    event_payload,
    fail_event,
    run_id,
    start_event,
)
from penstock.ledger import Ledger, Runner
from penstock.schemas.model import ColumnModel, ContractModel, Pii
from tests.openlineage_schema import openlineage_errors
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = datetime(2013, 1, 2, tzinfo=UTC)
CONTRACT = ContractModel(
    name="silver.bookings",
    version="1.0.0",
    owner="team:travel",
    description="One row per booking.",
    columns=(ColumnModel(name="email", type="string", pii=Pii.EMAIL),),
)

APPENDER = """
import itertools, sys
from datetime import UTC, datetime
from penstock.events import DatasetRef, RunFacts, RunIdentity, run_id, start_event
from penstock.ledger import Ledger, Runner

url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
ledger = Ledger.open(url)
for attempt in range(1, count + 1) if count else itertools.count(1):
    identity = RunIdentity(
        run_id=run_id(name, "d", None, attempt), job_namespace="n", job_name="d", attempt=attempt
    )
    facts = RunFacts(identity=identity, output=DatasetRef.at("/lake/d", "d"))
    event = start_event(facts, at=datetime(2013, 1, 1, tzinfo=UTC))
    sequence = ledger.append(event, runner=Runner.here())
    print(sequence, identity.run_id, flush=True)
"""


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url, clock=lambda: AT) as ledger:
        yield ledger


def facts_of(name: str = "silver.bookings", attempt: int = 1, **changes: Any) -> RunFacts:
    identity = RunIdentity(
        run_id=run_id("dagster-run", name, "2013-01-01", attempt),
        job_namespace="penstock",
        job_name=name,
        attempt=attempt,
        slice_key="2013-01-01",
    )
    facts = RunFacts(identity=identity, output=DatasetRef.at(f"/lake/{name}", name))
    return replace(facts, **changes)


def append_process(url: str, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", APPENDER, url, name, str(count)], stdout=subprocess.PIPE, text=True
    )


def gone() -> Runner:
    """A process that was on this host and has ended."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()
    return replace(Runner.here(), pid=process.pid)


def test_an_appended_event_is_read_back_as_it_was(ledger: Ledger, url: str) -> None:
    event = start_event(facts_of(), at=AT)
    assert ledger.append(event) == 1
    with Ledger.open(url) as other:
        (stored,) = other.events()
    assert stored.payload == event_payload(event)
    assert (stored.sequence, stored.job, stored.event_type) == (1, "silver.bookings", "START")
    assert stored.event_time == stored.recorded_at == AT
    assert len(stored.payload_hash) == 64


def test_an_event_given_again_is_stored_once(ledger: Ledger) -> None:
    start, done = start_event(facts_of(), at=AT), complete_event(facts_of(), at=AT)
    assert [ledger.append(event) for event in (start, done, start, event_payload(done))] == [
        1,
        2,
        1,
        2,
    ]
    assert len(ledger.events()) == 2


def test_events_are_filtered(ledger: Ledger) -> None:
    for name in ("a", "b"):
        ledger.append(start_event(facts_of(name), at=AT))
        ledger.append(complete_event(facts_of(name), at=AT))
    assert [event.sequence for event in ledger.events(after=1, limit=2)] == [2, 3]
    assert [event.job for event in ledger.events(event_type="COMPLETE")] == ["a", "b"]
    assert [event.sequence for event in ledger.events(job="b")] == [3, 4]
    of_run = ledger.events(run_id=facts_of("a").identity.run_id)
    assert [event.event_type for event in of_run] == ["START", "COMPLETE"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"run": {"runId": "x"}},
        {"eventTime": "2013-01-01T00:00:00", "eventType": "START"},
        {"run": None, "job": None, "eventType": None, "eventTime": None},
    ],
)
def test_what_is_no_event_is_refused(ledger: Ledger, wrong: dict[str, Any]) -> None:
    payload = {**event_payload(start_event(facts_of(), at=AT)), **wrong} if wrong else {}
    with pytest.raises(InputError, match="not an OpenLineage event"):
        ledger.append(payload)
    assert ledger.events() == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET payload = '{}'",
        "DELETE FROM event",
        "UPDATE contract SET document = '{}'",
        "DELETE FROM contract",
    ],
)
def test_the_database_itself_refuses_to_change_an_event_or_a_contract(
    ledger: Ledger, url: str, statement: str
) -> None:
    ledger.append(start_event(facts_of(), at=AT))
    ledger.register_contract(CONTRACT)
    outside = create_engine(url)
    with pytest.raises(DBAPIError, match="append-only"), outside.begin() as plain:
        plain.exec_driver_sql(statement)
    outside.dispose()
    with pytest.raises(LedgerError, match="append-only"), ledger.database.write() as connection:
        connection.exec_driver_sql(statement)
    assert len(ledger.events()) == 1
    assert ledger.contracts(CONTRACT.name) == (CONTRACT,)


def test_a_run_is_followed_from_start_to_complete(ledger: Ledger) -> None:
    ledger.append(start_event(facts_of(), at=AT), runner=Runner.here())
    (run,) = ledger.open_runs()
    assert (run.dataset, run.slice, run.attempt, run.state) == (
        "silver.bookings",
        "2013-01-01",
        1,
        "START",
    )
    assert run.runner == Runner.here()
    done = facts_of(rows_in=5, rows_committed=4, rows_quarantined=1, bytes=10, files=2)
    ledger.append(complete_event(done, at=AT + timedelta(minutes=1)))
    found = ledger.run(run.run_id)
    assert found is not None
    assert (found.state, found.ended) == ("COMPLETE", AT + timedelta(minutes=1))
    assert found.outcome == {
        "bytes": 10,
        "files": 2,
        "rows_committed": 4,
        "rows_in": 5,
        "rows_quarantined": 1,
    }
    assert ledger.open_runs() == ()


def test_runs_come_newest_first_and_by_dataset(ledger: Ledger) -> None:
    for day, name in enumerate(("a", "b", "a")):
        ledger.append(start_event(facts_of(name, day + 1), at=AT + timedelta(days=day)))
    assert [run.dataset for run in ledger.runs()] == ["a", "b", "a"]
    assert [run.attempt for run in ledger.runs("a", limit=1)] == [3]
    assert ledger.run(uuid.uuid4()) is None


def test_events_out_of_order_give_the_same_run(ledger: Ledger) -> None:
    ledger.append(complete_event(facts_of(rows_committed=4), at=AT + timedelta(minutes=1)))
    ledger.append(start_event(facts_of(), at=AT))
    (run,) = ledger.runs()
    assert (run.state, run.started, run.ended) == ("COMPLETE", AT, AT + timedelta(minutes=1))
    assert run.outcome["rows_committed"] == 4


def test_what_the_run_says_stands_above_an_abort_said_of_it(ledger: Ledger) -> None:
    ledger.append(start_event(facts_of(), at=AT))
    ledger.append(abort_event(facts_of(), "gone", at=AT + timedelta(hours=1)))
    ledger.append(complete_event(facts_of(), at=AT + timedelta(minutes=1)))
    assert ledger.runs()[0].state == "COMPLETE"
    ledger.append(abort_event(facts_of(), "gone", at=AT + timedelta(hours=2)))
    assert ledger.runs()[0].state == "COMPLETE"


def test_a_run_begun_again_is_open_again(ledger: Ledger) -> None:
    ledger.append(start_event(facts_of(), at=AT), runner=gone())
    ledger.append(fail_event(facts_of(), ValueError("x"), at=AT + timedelta(minutes=1)))
    ledger.append(start_event(facts_of(), at=AT + timedelta(minutes=2)), runner=Runner.here())
    (run,) = ledger.open_runs()
    assert (run.ended, run.outcome, run.runner) == (None, {}, Runner.here())


def test_a_run_whose_process_is_gone_is_closed_once(
    ledger: Ledger,
) -> None:
    ledger.append(start_event(facts_of("dead"), at=AT), runner=gone())
    ledger.append(start_event(facts_of("alive"), at=AT), runner=Runner.here())
    ledger.append(start_event(facts_of("somebody-elses"), at=AT))
    later = AT + timedelta(hours=1)
    assert ledger.close_dead_runs(later) == (facts_of("dead").identity.run_id,)
    assert ledger.close_dead_runs(later) == ()
    assert [run.dataset for run in ledger.open_runs()] == ["alive", "somebody-elses"]
    (abort,) = ledger.events(event_type="ABORT")
    assert openlineage_errors(abort.payload) == []
    run = ledger.runs("dead")[0]
    assert (run.state, run.ended) == ("ABORT", later)
    assert "is gone" in run.outcome["error"]


def test_a_recycled_process_id_is_not_taken_for_the_runner(ledger: Ledger) -> None:
    imposter = replace(Runner.here(), started="another-boot:1")
    ledger.append(start_event(facts_of(), at=AT), runner=imposter)
    assert len(ledger.close_dead_runs(AT)) == 1


def test_a_run_on_another_host_lives_while_its_heartbeat_does(url: str) -> None:
    now = AT
    with Ledger.open(url, clock=lambda: now) as ledger:
        elsewhere = replace(Runner.here(), host="another-host")
        ledger.append(start_event(facts_of(), at=AT), runner=elsewhere)
        now = AT + timedelta(minutes=10)
        ledger.heartbeat(facts_of().identity.run_id)
        assert ledger.close_dead_runs(AT + timedelta(minutes=24)) == ()
        assert len(ledger.close_dead_runs(AT + timedelta(minutes=26))) == 1


def test_contracts_are_kept_in_order_and_a_return_is_the_latest(ledger: Ledger) -> None:
    second = replace(CONTRACT, version="2.0.0")
    assert ledger.latest_contract(CONTRACT.name) is None
    assert ledger.register_contract(CONTRACT)
    assert not ledger.register_contract(CONTRACT)
    assert ledger.register_contract(second)
    assert ledger.register_contract(CONTRACT)
    assert ledger.latest_contract(CONTRACT.name) == CONTRACT
    assert ledger.contracts(CONTRACT.name) == (CONTRACT, second, CONTRACT)
    assert ledger.contracts("silver.unknown") == ()


def test_threads_append_without_gap_or_loss(ledger: Ledger) -> None:
    def work(worker: int) -> list[int]:
        return [
            ledger.append(start_event(facts_of(f"d{worker}", number), at=AT))
            for number in range(1, 11)
        ]

    with ThreadPoolExecutor(8) as pool:
        sequences = [sequence for found in pool.map(work, range(8)) for sequence in found]
    assert sorted(sequences) == list(range(1, 81))


@pytest.mark.slow
def test_processes_make_the_ledger_at_once_and_append_without_gap_or_loss(url: str) -> None:
    processes = [append_process(url, f"p{number}", 25) for number in range(3)]
    printed = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 3
    sequences = [int(line.split()[0]) for text in printed for line in text.splitlines()]
    assert sorted(sequences) == list(range(1, 76))
    with Ledger.open(url) as ledger:
        assert [event.sequence for event in ledger.events()] == list(range(1, 76))
        assert len(ledger.close_dead_runs()) == 75


@pytest.mark.slow
def test_sigkill_loses_nothing_that_was_accepted(url: str) -> None:
    for victim in range(2):
        process = append_process(url, f"victim{victim}", 0)
        assert process.stdout is not None
        accepted = [process.stdout.readline().split() for _ in range(20 + 7 * victim)]
        process.send_signal(signal.SIGKILL)
        accepted += [line.split() for line in process.stdout.read().splitlines(keepends=False)]
        process.wait()
        process.stdout.close()
        with Ledger.open(url) as ledger:
            stored = {event.sequence: str(event.run_id) for event in ledger.events()}
            assert sorted(stored) == list(range(1, len(stored) + 1))
            for line in accepted:
                if len(line) == 2 and len(line[1]) == 36:  # the last line may be cut off
                    assert stored[int(line[0])] == line[1]
            open_runs = len(ledger.open_runs())
            assert len(ledger.close_dead_runs()) == open_runs > 0


def test_a_locked_sqlite_ledger_says_so(sqlite_url: str) -> None:
    with Ledger.open(sqlite_url, busy_timeout_seconds=0.05) as ledger:
        raw = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked by another process"):
            ledger.append(start_event(facts_of(), at=AT))
        assert ledger.events() == ()  # readers are not kept out
        raw.execute("ROLLBACK")
        raw.close()
        assert ledger.append(start_event(facts_of(), at=AT)) == 1


def test_a_full_disk_says_so_and_the_sqlite_ledger_works_again_after(
    sqlite_ledger: Ledger,
) -> None:
    ledger = sqlite_ledger
    ledger.append(start_event(facts_of(), at=AT))

    def limit(pages: str) -> None:
        # the limit is the connection's; the pool hands the same one out again
        with ledger.database.read() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    limit("1")  # SQLite raises it to what the file has already

    def fill() -> None:
        for number in range(2, 200):
            ledger.append(start_event(facts_of("d", number), at=AT))

    with pytest.raises(LedgerError, match="disk is full") as caught:
        fill()
    assert "/lake/d" not in str(caught.value)
    stored = len(ledger.events())
    limit("1000000")
    assert ledger.append(complete_event(facts_of(), at=AT)) == stored + 1


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("this is a text file, and longer than the header of a database is" * 20)
    with pytest.raises(LedgerError, match="not a ledger"):
        Ledger.open(f"sqlite:///{path}")
    assert path.read_text().startswith("this is a text file")


def test_a_folder_in_place_of_the_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger.open(f"sqlite:///{tmp_path}")


def test_a_file_in_place_of_the_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="folder cannot be made"):
        Ledger.open(f"sqlite:///{tmp_path}/file/ledger.db")


def test_a_newer_schema_is_left_alone(ledger: Ledger, url: str) -> None:
    with ledger.database.write() as connection:
        connection.exec_driver_sql("UPDATE penstock_revision SET version_num = '9999'")
    with pytest.raises(LedgerError, match="newer Penstock") as caught:
        Ledger.open(url)
    assert caught.value.found == "schema revision 9999"


@pytest.mark.parametrize("wrong", ["not a url", "sqlite://", "nosuchdb://host/x"])
def test_an_address_that_cannot_be_used_says_so(wrong: str) -> None:
    with pytest.raises(LedgerError):
        Ledger.open(wrong)


def test_a_password_is_not_in_the_message() -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger.open("nosuchdb://user:hunter2@host/x")
    assert "hunter2" not in str(caught.value)


def test_commits_to_sqlite_are_synchronous_and_its_journal_is_wal(sqlite_ledger: Ledger) -> None:
    with sqlite_ledger.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_reader_sees_no_half_of_an_append(ledger: Ledger) -> None:
    done = threading.Event()
    torn: list[int] = []

    def read() -> None:
        while not done.is_set():
            with ledger.database.read() as connection:
                count = connection.exec_driver_sql("SELECT count(*) FROM event").scalar_one()
                head = connection.exec_driver_sql("SELECT sequence FROM head").scalar_one()
                if count != head:
                    torn.append(head)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 40):
        ledger.append(start_event(facts_of("d", number), at=AT))
    done.set()
    reader.join()
    assert torn == []


def test_this_process_is_alive_and_known_from_others() -> None:
    here = Runner.here()
    assert here.pid == os.getpid()
    assert here.alive() is True
    assert gone().alive() is False
    assert replace(here, host="another-host").alive() is None


@pytest.mark.parametrize(
    "facets",
    [
        {"parent": {"run": {"runId": "nul\0"}}},
        {"parent": {"run": {"runId": "x" * 65}}},
        {"parent": {"run": "no object"}},
        {"penstock_run": {"dataset": 5, "slice": ["x"], "attempt": "first", "dagsterRunId": {}}},
        {"penstock_run": {"dataset": "\0", "slice": "\0", "attempt": 2**40, "rowsIn": "\0"}},
        {"errorMessage": None},
        {"errorMessage": {"message": {"nul": "\0"}}},
    ],
)
def test_what_others_say_in_our_facets_never_keeps_an_event_out(
    ledger: Ledger, facets: dict[str, Any]
) -> None:
    payload = event_payload(start_event(facts_of(), at=AT))
    payload["producer"] = "https://example.com/other"
    payload["run"]["facets"] = facets
    assert ledger.append(payload) == 1
    assert [event.payload for event in ledger.events()] == [payload]
    (run,) = ledger.runs()
    assert (run.dataset, run.attempt) == ("silver.bookings", 1)


@pytest.mark.parametrize("moment", [1700000000, "1700000000", 1.5, "2024-01-01T00:00:00"])
def test_a_moment_that_is_no_iso_8601_text_is_no_event(ledger: Ledger, moment: object) -> None:
    payload = {**event_payload(start_event(facts_of(), at=AT)), "eventTime": moment}
    with pytest.raises(InputError, match="not an OpenLineage event"):
        ledger.append(payload)
