"""What was accepted is kept, whatever happens to the server, its disk or its database."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sqlalchemy import event

from penstock.ledger import Ledger
from penstock.ledger.graph.fingerprint import fingerprint
from penstock.ledger.graph.projector import catch_up, rebuild
from penstock.ledger.verification import verify
from tests.ledger.told_events import identity, run_event
from tests.patience import PATIENCE_SECONDS, until
from tests.server.serving import LINEAGE, OWN, serving, serving_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENTS = 4


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


def told(name: str, minutes: float = 0) -> dict[str, Any]:
    return run_event("COMPLETE", minutes, "nightly", run=name, inputs=("a",), outputs=(name,))


def is_whole(url: str) -> list[str]:
    """The chain verifies and the graph is made anew the same; gives the runs of the events."""
    with Ledger.open(url) as ledger:
        found = verify(ledger.database)
        assert found.intact, found.faults
        events = ledger.events()
        assert [e.sequence for e in events] == list(range(1, len(events) + 1))
        catch_up(ledger.database)
        before = graph(ledger)
        rebuild(ledger.database)
        assert graph(ledger) == before
        return [str(e.run_id) for e in events]


def graph(ledger: Ledger) -> str:
    with ledger.database.read() as connection:
        return fingerprint(connection)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "accepted_before"), [("sqlite", 1), ("sqlite", 40), ("postgresql", 40)]
)
def test_a_server_killed_while_clients_send_has_kept_what_it_accepted(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, accepted_before: int
) -> None:
    url: str = request.getfixturevalue(f"{database}_url")
    accepted: list[dict[str, Any]] = []
    ended = threading.Event()

    def send(client: int) -> None:
        with requests.Session() as session:
            number = 0
            while not ended.is_set():
                number += 1
                many = number % 3 == 0
                names = [f"c{client}-{number}-{part}" for part in range(7 if many else 1)]
                body = [told(name) for name in names]
                try:
                    answer = session.post(
                        server.url + LINEAGE,
                        json=body if many else body[0],
                        timeout=PATIENCE_SECONDS,
                    )
                except requests.RequestException:
                    return
                assert answer.status_code == 201
                accepted.append(dict(zip(names, answer.json()["sequences"], strict=True)))

    with serving_process(tmp_path / "out", url) as server, ThreadPoolExecutor(CLIENTS + 1) as pool:
        clients = [pool.submit(send, number) for number in range(CLIENTS)]
        try:
            until(lambda: len(accepted) >= accepted_before, "the server accepts")
            server.get(f"{OWN}/summary")  # the graph is at work too
            server.kill()
        finally:
            ended.set()
        for sending in clients:
            sending.result()

    runs = is_whole(url)
    assert len(accepted) >= accepted_before
    for answered in accepted:
        for name, sequence in answered.items():
            assert runs[sequence - 1] == identity(name)
    # the lists were kept whole or not at all
    kept = set(runs)
    for client in range(CLIENTS):
        for number in range(3, len(runs) + 3, 3):
            parts = {identity(f"c{client}-{number}-{part}") for part in range(7)}
            assert len(parts & kept) in {0, 7}
    with serving_process(tmp_path / "again", url) as server:
        assert server.post(told("afterwards")).json()["sequences"] == [len(runs) + 1]
        assert server.get(f"{OWN}/summary").json()["events"] == len(runs) + 1


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another process writes to the ledger all the while."""
    file = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, PATIENCE_SECONDS, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        yield
        raw.execute("ROLLBACK")


@contextmanager
def no_more_pages(ledger: Ledger) -> Iterator[None]:
    """The database's file cannot grow, as on a disk that is full."""

    def checkout(connection: Any, *_: Any) -> None:
        # SQLite raises it to what the file has already
        connection.execute("PRAGMA max_page_count=1")

    event.listen(ledger.database.engine, "checkout", checkout)
    try:
        yield
    finally:
        event.remove(ledger.database.engine, "checkout", checkout)
        ledger.database.engine.dispose()


def test_a_full_disk_is_503_and_later_events_are_taken(url: str) -> None:
    with serving(url) as server:
        accepted = []
        with no_more_pages(server.ledger):
            for number in range(400):
                answer = server.post([told(f"{number}-{part}") for part in range(5)])
                if answer.status_code != 201:
                    break
                accepted += [identity(f"{number}-{part}") for part in range(5)]
            assert answer.status_code == 503
            assert "disk is full" in answer.json()["error"]
            assert "free space" in answer.json()["next_step"]
            assert identity(f"{number}-0") not in answer.text
            large = {**told("single"), "more": "x" * 100_000}
            assert server.post(large).status_code == 503
        assert server.post(told("afterwards")).status_code == 201
        assert server.get(f"{OWN}/summary").json()["events"] == len(accepted) + 1
    assert is_whole(url) == [*accepted, identity("afterwards")]


def test_a_locked_ledger_is_503_in_time_and_fine_after(url: str) -> None:
    with serving(url, busy_timeout_seconds=0.5) as server:

        def takes(event: dict[str, Any]) -> bool:
            # the graph is written too, and on a slow disk for longer than the server waits here
            return server.post(event).status_code == 201

        with server.ledger.database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 500
        until(lambda: takes(told("before")), "it is taken")
        with locked(url):
            answer = server.post(told("meanwhile"))
            assert answer.status_code == 503
            assert "locked by another process" in answer.json()["error"]
            assert server.get("/").status_code == 200
        until(lambda: takes(told("after")), "it is taken")
    assert is_whole(url) == [identity("before"), identity("after")]


def test_a_ledger_locked_for_a_moment_is_waited_for(url: str) -> None:
    begun = threading.Event()

    def begin(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            begun.set()

    with serving(url) as server, ThreadPoolExecutor(1) as pool:
        event.listen(server.ledger.database.engine, "before_cursor_execute", begin)
        with locked(url):
            waiting = pool.submit(server.post, told("waiting"))
            assert begun.wait(PATIENCE_SECONDS)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        assert waiting.result().status_code == 201


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"eventTime": "yesterday"}, "event 2 $.eventTime"),
        ({"run": {"runId": "none"}}, "event 2 $.run.runId"),
        ({"job": None}, "event 2 $.job"),
        ({"outputs": [{"namespace": "file"}]}, "event 2 $.outputs[0].name"),
        ({"eventType": "BEGIN"}, "event 2 $.eventType"),
        (None, "event 2 $"),
        ("text", "event 2 $"),
        ([], "event 2 $"),
    ],
)
@pytest.mark.parametrize("call", [LINEAGE, f"{LINEAGE}/batch"])
def test_of_a_list_with_one_bad_event_none_is_kept(
    url: str, wrong: Any, path: str, call: str
) -> None:
    with serving(url) as server:
        bad = {**told("bad"), **wrong} if isinstance(wrong, dict) else wrong
        answer = server.post([told("one"), told("two"), bad, told("three")], call)
        assert answer.status_code == 422
        assert answer.json()["where"].strip() == path
        assert {"error", "expected", "found", "next_step"} <= answer.json().keys()
        assert server.ledger.events() == ()
        assert server.post([told("one"), told("two")], call).json()["sequences"] == [1, 2]


def test_more_events_than_allowed_are_refused(url: str) -> None:
    with serving(url, most_events=3) as server:
        assert server.post([told(str(n)) for n in range(4)]).status_code == 413
        assert server.ledger.events() == ()
        assert server.post([told(str(n)) for n in range(3)]).status_code == 201
        assert server.post([]).json()["sequences"] == []


def test_an_event_sent_by_many_at_once_is_kept_once(url: str) -> None:
    with serving(url) as server:

        def send(number: int) -> list[int]:
            same = [told("same"), told("same")] if number % 2 else told("same")
            answer = requests.post(server.url + LINEAGE, json=same, timeout=PATIENCE_SECONDS)
            assert answer.status_code == 201
            found: list[int] = answer.json()["sequences"]
            return found

        with ThreadPoolExecutor(12) as pool:
            sequences = [s for found in pool.map(send, range(24)) for s in found]
        assert set(sequences) == {1}
    assert is_whole(url) == [identity("same")]


def test_a_clock_that_goes_back_changes_no_order(url: str) -> None:
    ticks = iter(range(10_000))

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=next(ticks))

    with serving(url, clock=clock) as server:
        for number in range(20):
            assert server.post(told(str(number), minutes=-number)).json()["sequences"] == [
                number + 1
            ]
        stored = server.ledger.events()
        recorded = [e.recorded_at for e in stored]
        assert recorded == sorted(recorded, reverse=True)
        assert recorded[0] - recorded[-1] == timedelta(hours=19)
        assert [e.position for e in stored] == list(range(1, 21))
        assert server.get(f"{OWN}/summary").json()["events"] == 20
    assert is_whole(url) == [identity(str(number)) for number in range(20)]
