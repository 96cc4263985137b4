"""No event that was accepted stops the graph, or any page of it."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from sqlalchemy import func, select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.evidence import Question, SigningKey, bundle, check
from penstock.evidence.coverage_report import coverage_report
from penstock.evidence.table_histories import TableHistories
from penstock.ledger import Ledger
from penstock.ledger.graph.fingerprint import fingerprint
from penstock.ledger.graph.passed import passed as passed_events
from penstock.ledger.graph.projector import catch_up, rebuild
from penstock.ledger.graph.statement import Statement
from penstock.ledger.graph.tables import graph_job
from penstock.ledger.verification import verify
from penstock.resources.secrets import FileSecrets
from penstock.server import ServerSettings, create_app
from tests.ledger.told_events import run_event
from tests.server.odd_events import IN_FACETS, WHOLE, events, put
from tests.server.serving import LINEAGE, OWN

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.ledger.database import LedgerDatabase

pytestmark = pytest.mark.slow(seconds=170)


QUERY = run_event(
    "COMPLETE",
    5,
    "scan",
    run="a query in it",
    inputs=("a",),
    run_facets={
        "parent": {"run": {"runId": WHOLE["run"]["runId"]}, "job": {"namespace": "n", "name": "j"}},
        "spark_jobDetails": {"jobGroup": WHOLE["run"]["runId"]},
    },
)


class Taking:
    """A server in this process: hundreds of events, and all that is told of them."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.key = SigningKey.of(FileSecrets(folder / "secrets"))
        app = create_app(ledger, ServerSettings(calls_per_minute=10**9))
        self.client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)

    def take(self, told: Any) -> bool:
        """Whether it was accepted; no answer to it is an error of the server."""
        # escaped, so that half a surrogate pair can be sent too
        headers = {"content-type": "application/json"}
        answer = self.client.post(LINEAGE, content=json.dumps(told), headers=headers)
        assert answer.status_code in {201, 400, 422}, (answer.status_code, answer.text)
        return answer.status_code == 201

    def get(self, path: str, **asked: Any) -> Any:
        answer = self.client.get(OWN + path, params={k: v for k, v in asked.items() if v})
        assert answer.status_code in {200, 404, 422}, (path, asked, answer.text)
        return answer.json() if answer.status_code == 200 else None

    def look_everywhere(self, run: str) -> None:
        """Every call of the API, of everything there is."""
        catch_up(self.ledger.database)
        for path in ("/summary", "/times", "/pii", "/graph", "/access"):
            assert self.get(path) is not None
        for text in ("b", "x", "team", "email", run):
            assert self.get("/search", q=text) is not None
        self.get("/changes", since="2025-01-01T00:00:00Z")
        with self.ledger.database.read() as connection:
            assert coverage_report(connection, TableHistories(())).datasets == ()
        begin = datetime(2025, 1, 1, tzinfo=UTC)
        made = bundle(self.ledger.database, Question(since=begin), key=self.key, at=begin, by="ada")
        assert check(made).intact
        found = self.get("/datasets", limit=1000)["datasets"]
        for told in found:
            page = self.get("/dataset", id=told["id"])
            assert page is not None, told["id"]
            assert self.get("/graph", id=told["id"], up=3, down=3) is not None
            for path in ("/readers", "/dataset/runs", "/dataset/history"):
                assert self.get(path, id=told["id"]) is not None
            for direction in ("upstream", "downstream"):
                assert self.get("/impact", id=told["id"], direction=direction) is not None
            for column in page["columns"][:4]:
                assert self.get("/impact", id=told["id"], column=column["name"]) is not None
                assert self.get("/readers", id=told["id"], column=column["name"]) is not None
                where = {"source": told["id"], "source_column": column["name"]}
                self.get("/path", **where, target="file|b", target_column="x")
            for line in page["runs"][:3]:
                assert self.get("/run", id=line["run_id"]) is not None
                assert self.get("/run/diff", id=line["run_id"]) is not None


@pytest.fixture
def taking(sqlite_ledger: Ledger, tmp_path: Path) -> Taking:
    return Taking(sqlite_ledger, tmp_path)


def passed(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the server logged as failed: events that the graph passed, calls that broke."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("penstock")]


def mutated(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    told = copy.deepcopy(WHOLE)
    put(told, path, value, "put")
    return told


def test_each_part_of_a_facet_may_be_anything(
    taking: Taking, caplog: pytest.LogCaptureFixture
) -> None:
    accepted = 0
    assert taking.take(WHOLE)
    assert taking.take(QUERY)
    odd: tuple[Any, ...] = (None, 5, "x", [], {}, [5], [{}], [[]], {"x": 5}, True, "a\0b", 2**70)
    for number, path in enumerate(IN_FACETS):
        for value in odd:
            told = mutated(path, value)
            # of a time of its own: each is told later than all before
            told["eventTime"] = f"2026-01-01T01:{number % 60:02}:00.{accepted:06}Z"
            accepted += taking.take(told)
        if number % 20 == 0:
            taking.look_everywhere(WHOLE["run"]["runId"])
            assert passed(caplog) == [], path
    taking.look_everywhere(WHOLE["run"]["runId"])
    assert passed(caplog) == []
    assert accepted > len(IN_FACETS) * 8
    before = graph_of(taking)
    rebuild(taking.ledger.database)
    assert graph_of(taking) == before
    assert verify(taking.ledger.database).intact


def test_what_postgresql_cannot_store_is_taken(
    postgresql_ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taking, accepted = Taking(postgresql_ledger, tmp_path), 0
    for path in IN_FACETS:
        for value in ("a\0b", 2**70, "\ud800"):
            told = mutated(path, value)
            told["eventTime"] = f"2026-01-01T01:00:00.{accepted:06}Z"
            accepted += taking.take(told)
    assert accepted > len(IN_FACETS) * 1.5
    taking.look_everywhere(WHOLE["run"]["runId"])
    assert passed(caplog) == []
    before = graph_of(taking)
    rebuild(taking.ledger.database)
    assert graph_of(taking) == before
    assert verify(taking.ledger.database).intact


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(told=mutated(("outputs", 0, "facets", "columnLineage", "fields"), ["x"]))
@example(told=mutated(("outputs", 0, "facets", "symlinks", "identifiers"), "x"))
@example(told=mutated(("outputs", 0, "facets", "symlinks", "identifiers"), 5))
@example(told=mutated(("outputs", 0, "facets", "tags", "tags"), {"a": 5}))
@example(told=mutated(("outputs", 0, "facets", "version", "datasetVersion"), 2**70))
@example(told=mutated(("run", "facets", "parent", "root"), "x"))
@example(told=mutated(("run", "facets", "penstock_run", "attempt"), 2**70))
@example(told=mutated(("run", "facets", "penstock_run", "slice"), []))
@example(told=mutated(("run", "facets", "errorMessage"), None))
@given(told=events())
def test_no_event_stops_the_graph_or_a_page(
    taking: Taking, caplog: pytest.LogCaptureFixture, told: dict[str, Any]
) -> None:
    caplog.clear()
    if taking.take(told):
        taking.look_everywhere(WHOLE["run"]["runId"])
    assert passed(caplog) == []


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the graph cannot take: an event of the job of this name."""
    real = Statement.of.__func__  # type: ignore[attr-defined]

    def of(cls: type[Statement], payload: Any, *more: Any) -> Statement:
        if payload["job"]["name"] == "poison":
            raise KeyError("ada@example.com")
        found: Statement = real(cls, payload, *more)
        return found

    monkeypatch.setattr(Statement, "of", classmethod(of))


@pytest.mark.usefixtures("poison")
def test_an_event_that_the_graph_cannot_take_is_passed_and_said(
    taking: Taking, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        assert taking.take(run_event("COMPLETE", number, f"j{number}", outputs=(f"d{number}",)))
        assert taking.take(run_event("COMPLETE", number, "poison", run=f"p{number}"))
    assert catch_up(taking.ledger.database, batch=4) == 10
    assert taking.get("/datasets")["total"] == 5
    assert passed(caplog) == [f"event {n} is not in the graph: KeyError" for n in range(2, 11, 2)]
    assert taking.get("/summary")["events_not_understood"] == 5
    listed = taking.get("/events_not_understood", limit=2)
    assert listed["total"] == 5
    assert [(one["namespace"], one["sequence"], one["reason"]) for one in listed["events"]] == [
        ("spark", 10, "KeyError"),
        ("spark", 8, "KeyError"),
    ]
    recorded = taking.ledger.events(after=9, limit=1)[0].recorded_at
    assert datetime.fromisoformat(listed["events"][0]["at"]) == recorded
    assert "ada@example.com" not in json.dumps(listed)
    (older,) = taking.get("/events_not_understood", limit=2, offset=4)["events"]
    assert older["sequence"] == 2

    before = graph_of(taking)
    rebuild(taking.ledger.database)
    assert graph_of(taking) == before
    assert taking.get("/events_not_understood", limit=2) == listed


def test_what_is_understood_later_is_on_the_list_no_more(
    taking: Taking, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("poison")
    assert taking.take(run_event("COMPLETE", 0, "poison", outputs=("d",)))
    assert taking.get("/summary")["events_not_understood"] == 1
    before = graph_of(taking)
    monkeypatch.undo()
    rebuild(taking.ledger.database)
    assert graph_of(taking) != before
    assert taking.get("/summary")["events_not_understood"] == 0
    assert taking.get("/datasets")["total"] == 1


@pytest.mark.usefixtures("poison")
def test_two_that_meet_the_same_event_pass_no_other(url: str) -> None:
    with Ledger.open(url) as ledger:
        told = [run_event("COMPLETE", n, f"j{n}", outputs=(f"d{n}",)) for n in range(12)]
        for number in range(12):
            ledger.append(run_event("COMPLETE", number, "poison", run=f"p{number}"))
            ledger.append(told[number])
        with ThreadPoolExecutor(4) as pool:
            taken = [pool.submit(catch_up, ledger.database, batch=2) for _ in range(4)]
        assert sum(one.result() for one in taken) == 24
        with ledger.database.read() as connection:
            assert [one.sequence for one in passed_events(connection, limit=99)] == [
                *range(23, 0, -2)
            ]
            assert connection.execute(select(func.count()).select_from(graph_job)).scalar() == 12


@pytest.mark.usefixtures("poison")
def test_the_commands_name_what_the_graph_could_not_take(url: str) -> None:
    with Ledger.open(url) as ledger:
        ledger.append(run_event("COMPLETE", 0, "poison", outputs=("d",)))
        catch_up(ledger.database)
        recorded = ledger.events()[0].recorded_at
    one = {"namespace": "spark", "sequence": 1, "reason": "KeyError", "at": recorded}
    for command in ("verify", "rebuild"):
        call = ["ledger", command, "--ledger", url]
        said = CliRunner().invoke(app, [*call, "--json"])
        assert said.exit_code == 0, said.output
        told = json.loads(said.stdout)["not_understood"]
        for event in told["events"]:
            event["at"] = datetime.fromisoformat(event["at"])
        assert told == {"total": 1, "events": [one]}
        shown = CliRunner().invoke(app, call).output
        assert "the graph could not take" in shown
        assert "spark sequence 1: KeyError" in shown


def graph_of(taking: Taking) -> str:
    database: LedgerDatabase = taking.ledger.database
    catch_up(database)
    with database.read() as connection:
        return fingerprint(connection)
