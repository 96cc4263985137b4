"""The outbox over real HTTP: in order, at least once, and never in a run's way."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import DefinitionError
from penstock.events import DatasetRef, RunFacts, RunIdentity, run_id, start_event
from penstock.ledger import Ledger
from penstock.outbox import OutboxConfig, Relay, deliveries
from penstock.outbox.relay import backoff_seconds
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AT = datetime(2013, 1, 2, tzinfo=UTC)
TOKEN = "canary-token-5f2b"

RELAY = f"""
import sys
from penstock.ledger import Ledger
from penstock.outbox import OutboxConfig, Relay

config = OutboxConfig(url=sys.argv[2], token="t", timeout_seconds={PATIENCE_SECONDS})
print(Relay(Ledger.open(sys.argv[1]), config).run_once())
"""


class Backend(ThreadingHTTPServer):
    """An OpenLineage endpoint that keeps what it takes. `reply` gives the status for an event."""

    daemon_threads = True

    def __init__(self, reply: Callable[[int], int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply = reply
        self.requests = 0
        self.taken: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wait_for(self, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: len(self.taken) >= count, PATIENCE_SECONDS)


class Handler(BaseHTTPRequestHandler):
    server: Backend

    def do_POST(self) -> None:  # http.server's spelling
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = body["run"]["facets"]["penstock_run"]["attempt"]
        with self.server.changed:
            self.server.requests += 1
        status = self.server.reply(number)
        with self.server.changed:
            self.server.headers.append({**self.headers, "path": self.path})
            if status < 300:
                self.server.taken.append(number)
            self.server.changed.notify_all()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "120")
        if 300 <= status < 400:
            self.send_header("Location", "/login")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:  # http.server's spelling
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@contextmanager
def serving(reply: Callable[[int], int]) -> Iterator[Backend]:
    backend = Backend(reply)
    thread = threading.Thread(target=backend.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield backend
    finally:
        backend.shutdown()
        thread.join()
        backend.server_close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as ledger:
        yield ledger


def fill(ledger: Ledger, count: int, *, after: int = 0) -> None:
    """Appends `count` events; the attempt numbers them."""
    for number in range(after + 1, after + count + 1):
        identity = RunIdentity(
            run_id=run_id("dagster-run", "d", None, number),
            job_namespace="penstock",
            job_name="d",
            attempt=number,
        )
        facts = RunFacts(identity=identity, output=DatasetRef.at("/lake/d", "d"))
        ledger.append(start_event(facts, at=AT))


def relay_to(ledger: Ledger, url: str, clock: Clock | None = None, **changes: Any) -> Relay:
    settings = {"timeout_seconds": PATIENCE_SECONDS, "poll_seconds": 0.02, **changes}
    config = OutboxConfig(url=url, **settings)
    if clock is None:
        return Relay(ledger, config)
    return Relay(ledger, config, clock=clock, chance=lambda: 0.5)


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_events_arrive_in_order_and_once(ledger: Ledger) -> None:
    fill(ledger, 120)
    with serving(lambda _: 201) as backend:
        relay = relay_to(ledger, backend.url, token=TOKEN)
        assert relay.run_once().sent == 120
        assert relay.run_once().sent == 0
        assert backend.taken == list(range(1, 121))
        assert backend.headers[0]["Authorization"] == f"Bearer {TOKEN}"
        assert backend.headers[0]["path"] == "/api/v1/lineage"
    assert relay.status().pending == 0


def test_a_new_destination_is_told_everything_and_each_has_its_own_cursor(ledger: Ledger) -> None:
    fill(ledger, 3)
    with serving(lambda _: 201) as one, serving(lambda _: 201) as other:
        relay_to(ledger, one.url).run_once()
        fill(ledger, 2, after=3)
        relay_to(ledger, other.url).run_once()
        assert one.taken == [1, 2, 3]
        assert other.taken == [1, 2, 3, 4, 5]
    pending = {status.destination: status.pending for status in deliveries(ledger.database)}
    assert pending == {one.url: 2, other.url: 0}


def test_errors_of_the_endpoint_are_retried_later_and_order_holds(
    ledger: Ledger, clock: Clock
) -> None:
    fill(ledger, 4)
    broken = True
    with serving(lambda number: 503 if broken and number == 2 else 201) as backend:
        relay = relay_to(ledger, backend.url, clock)
        assert relay.run_once().sent == 1
        for attempts in range(1, 5):
            status = relay.status()
            assert (status.attempts, status.pending) == (attempts, 3)
            assert status.last_error == "HTTP 503 Service Unavailable"
            assert status.next_attempt == clock.now + timedelta(seconds=0.75 * 2 ** (attempts - 1))
            asked = backend.requests
            assert "backing off" in str(relay.run_once().waiting)
            assert backend.requests == asked
            clock.now = status.next_attempt
            if attempts == 4:
                broken = False
            relay.run_once()
        assert backend.taken == [1, 2, 3, 4]
    assert (relay.status().attempts, relay.status().last_error) == (0, None)


def test_an_event_that_is_refused_is_set_aside_and_the_rest_go_on(
    ledger: Ledger, clock: Clock
) -> None:
    fill(ledger, 5)
    strict = True
    with serving(lambda number: 422 if strict and number in {2, 4} else 201) as backend:
        relay = relay_to(ledger, backend.url, clock)
        report = relay.run_once()
        assert (report.sent, report.parked) == (3, 2)
        status = relay.status()
        assert (status.parked, status.pending) == (2, 0)
        assert relay.resend_parked().parked == 2
        strict = False
        assert relay.resend_parked().sent == 2
        assert backend.taken == [1, 3, 5, 2, 4]
    assert relay.status().parked == 0


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 429, 500, 502])
def test_what_speaks_of_the_endpoint_sets_no_event_aside(
    ledger: Ledger, clock: Clock, status: int
) -> None:
    fill(ledger, 2)
    with serving(lambda _: status) as backend:
        relay = relay_to(ledger, backend.url, clock)
        report = relay.run_once()
        assert (report.sent, report.parked) == (0, 0)
        assert (relay.status().pending, backend.requests) == (2, 1)
        if status == 429:
            assert relay.status().next_attempt == clock.now + timedelta(seconds=120)


def test_a_closed_port_neither_fails_nor_slows_a_run(ledger: Ledger, clock: Clock) -> None:
    relay = relay_to(ledger, closed_port(), clock)
    fill(ledger, 1)
    relay.start()
    until(lambda: relay.status().attempts == 1, "the relay has met the closed port")
    fill(ledger, 20, after=1)
    # by the relay's clock it is never time for another attempt: nobody waits for one
    assert not relay.stop(flush_seconds=threading.TIMEOUT_MAX)
    assert relay.status().attempts == 1
    assert relay.status().pending == 21
    assert relay.status().last_error == "ConnectionError"


def test_an_endpoint_that_never_answers_neither_fails_nor_slows_a_run(ledger: Ledger) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        relay = relay_to(ledger, f"http://127.0.0.1:{silent.getsockname()[1]}")
        fill(ledger, 1)
        relay.start()
        connection, _ = silent.accept()
        assert connection.recv(4) == b"POST"  # the relay waits for an answer from here on
        fill(ledger, 20, after=1)
        assert not relay.stop(flush_seconds=0.2)
        assert relay.status().pending == 21
        assert relay.status().attempts == 0, "neither has waited until the relay gave up"
        connection.close()


def test_stopping_does_not_fail_a_run_when_the_ledger_does(ledger: Ledger) -> None:
    relay = relay_to(ledger, closed_port())
    relay.start()
    with ledger.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE parked")
    assert not relay.stop(flush_seconds=1.0)


def test_a_timeout_is_retried(ledger: Ledger, clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        fill(ledger, 1)
        relay = relay_to(ledger, url, clock, timeout_seconds=0.1)
        assert relay.run_once().waiting == "ReadTimeout"
        assert relay.status().pending == 1


def test_the_background_relay_sends_what_comes_and_flushes_at_the_end(ledger: Ledger) -> None:
    with serving(lambda _: 201) as backend:
        relay = relay_to(ledger, backend.url)
        relay.start()
        fill(ledger, 3)
        assert backend.wait_for(3)
        fill(ledger, 4, after=3)
        assert relay.stop(flush_seconds=PATIENCE_SECONDS)
        assert backend.taken == [1, 2, 3, 4, 5, 6, 7]
        fill(ledger, 1, after=7)
        with relay_to(ledger, backend.url):
            assert backend.wait_for(8)


def test_a_budget_ends_a_turn_and_the_next_goes_on(ledger: Ledger) -> None:
    fill(ledger, 3)
    with serving(lambda _: 201) as backend:
        relay = relay_to(ledger, backend.url)
        assert relay.run_once(budget_seconds=0).waiting == "time is up"
        assert relay.run_once().sent == 3


def test_a_relay_is_no_rival_of_itself(ledger: Ledger) -> None:
    fill(ledger, 2)
    reports = []

    def reply(number: int) -> int:
        if number == 1:
            reports.append(relay.run_once())
        return 201

    with serving(reply) as backend:
        relay = relay_to(ledger, backend.url)
        assert relay.run_once().sent == 2
        assert backend.taken == [1, 2]
    assert [report.waiting for report in reports] == ["this relay is at work already"]


def test_two_relays_at_once_keep_the_order(ledger: Ledger, url: str) -> None:
    fill(ledger, 60)
    with serving(lambda _: 201) as backend, Ledger.open(url) as second:
        relays = [relay_to(ledger, backend.url), relay_to(second, backend.url)]
        for relay in relays:
            relay.start()
        assert backend.wait_for(60)
        # the one that does not hold the destination may be asked before the last is written down
        assert [relay.stop(flush_seconds=PATIENCE_SECONDS) for relay in relays][-1]
        assert backend.taken == list(range(1, 61))


def test_a_relay_that_lost_its_lease_leaves_the_cursor_alone(
    ledger: Ledger, url: str, clock: Clock
) -> None:
    fill(ledger, 4)
    overtaken = False

    def reply(number: int) -> int:
        nonlocal overtaken
        if number == 2 and not overtaken:
            overtaken = True
            clock.advance(3600)  # the first relay's lease runs out while it waits for this answer
            assert other.run_once().sent == 3
        return 201

    with Ledger.open(url) as second, serving(reply) as backend:
        other = relay_to(second, backend.url, clock)
        first = relay_to(ledger, backend.url, clock)
        report = first.run_once()
        assert backend.taken == [1, 2, 3, 4, 2]  # at least once
    assert "took the destination over" in str(report.waiting)
    assert (first.status().cursor, first.status().pending) == (4, 0)


def test_a_killed_relay_is_followed_by_one_that_sends_the_rest(ledger: Ledger, url: str) -> None:
    fill(ledger, 10)
    reached, release = threading.Event(), threading.Event()

    def reply(number: int) -> int:
        if number == 6 and not release.is_set():
            reached.set()
            release.wait(PATIENCE_SECONDS)
        return 201

    with serving(reply) as backend:
        process = subprocess.Popen([sys.executable, "-c", RELAY, url, backend.url])
        assert reached.wait(PATIENCE_SECONDS)
        process.send_signal(signal.SIGKILL)
        process.wait()
        release.set()
        # the lease is not waited out: its holder is known to be dead
        report = relay_to(ledger, backend.url).run_once()
        assert report.waiting is None
        # the sixth was under way when the process died: it may have arrived twice
        assert sorted(set(backend.taken)) == list(range(1, 11))
        assert backend.taken == sorted(backend.taken)
        assert relay_to(ledger, backend.url).status().pending == 0


def test_the_token_is_in_no_log_no_ledger_no_repr_and_no_error(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fill(ledger, 2)
    for token in (TOKEN, f"{TOKEN}\nnot-a-header"):
        with serving(lambda _: 401) as backend:
            relay = relay_to(ledger, backend.url, token=token)
            relay.run_once()
            assert TOKEN not in repr(relay.config)
            assert TOKEN not in repr(relay.status())
    assert caplog.text
    assert TOKEN not in caplog.text
    assert all(TOKEN.encode() not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "marquez:5000"},
        {"url": "ftp://marquez"},
        {"url": "http://user:hunter2@marquez"},
        {"url": "http://marquez", "timeout_seconds": 0},
    ],
)
def test_a_wrong_setting_is_refused_and_holds_no_secret(wrong: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError) as caught:
        OutboxConfig(**wrong)
    assert "hunter2" not in str(caught.value)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0, 1e6))
def test_backoff_grows_within_its_bounds(attempts: int, chance: float, at_least: float) -> None:
    def seconds(tries: int, wish: float = 0.0) -> float:
        return backoff_seconds(tries, first=1.0, longest=300.0, chance=chance, at_least=wish)

    assert 0.5 <= seconds(attempts) <= seconds(attempts + 1) <= 300.0
    assert min(300.0, at_least) <= seconds(attempts, at_least) <= 300.0
