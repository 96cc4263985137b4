"""Events as Marquez takes them: taken when asked for, brought into form, and marked so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from penstock.events.lenient import lenient
from penstock.ledger.graph.fingerprint import fingerprint
from penstock.ledger.graph.projector import rebuild
from penstock.ledger.verification import verify
from tests.ledger.told_events import dataset, run_event
from tests.server.serving import OWN, serving, serving_process

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.ledger import Ledger

REFUSED = 422


def _loose(kind: str, at: str, **more: Any) -> dict[str, Any]:
    told = run_event("COMPLETE", 0, "nightly", outputs=("made",))
    del told["schemaURL"]
    told["eventType"], told["eventTime"] = kind, at
    told["run"] = {"runId": "manual__2026-01-01", **more}
    return told


def test_what_marquez_takes_is_taken_when_asked_for_and_marked(url: str) -> None:
    parent = {"job": {"namespace": "n", "name": "dag"}, "run": {"runId": "scheduled 7"}}
    facets = {"parent": {"_producer": "x", "_schemaURL": "y", **parent}}
    events = [
        _loose("start", "2026-01-01T06:00:00"),
        _loose("complete", "2026-01-01T06:10:00.5", facets=facets),
    ]
    with serving(url) as strict:
        assert strict.post(events).status_code == REFUSED
    with serving(url, lenient=True) as server:
        assert server.post(events).json()["summary"]["successful"] == len(events)
        assert server.post(events).json()["sequences"] == [1, 2]  # kept once
        kept = [event.payload for event in server.ledger.events()]
        assert [event["eventType"] for event in kept] == ["START", "COMPLETE"]
        assert [event["eventTime"] for event in kept] == [
            "2026-01-01T06:00:00+00:00",
            "2026-01-01T06:10:00.500000+00:00",
        ]
        assert len({UUID(event["run"]["runId"]) for event in kept}) == 1
        assert UUID(kept[1]["run"]["facets"]["parent"]["run"]["runId"])
        changed = kept[1]["run"]["facets"]["penstock_lenient"]["changed"]
        assert [line.split()[0] for line in changed] == [
            "$.eventTime",
            "$.schemaURL",
            "$.eventType",
            "$.run.runId",
            "$.run.facets.parent.run.runId",
        ]
        page = server.get(f"{OWN}/dataset", id="file|made").json()
        assert [run["state"] for run in page["runs"]] == ["COMPLETE"]
        _is_whole(server.ledger)


def _is_whole(ledger: Ledger) -> None:
    with ledger.database.read() as connection:
        before = fingerprint(connection)
    rebuild(ledger.database)
    with ledger.database.read() as connection:
        assert fingerprint(connection) == before
    assert verify(ledger.database).intact


def test_the_command_has_the_switch(tmp_path: Path) -> None:
    told = _loose("complete", "2026-01-01T06:00:00")
    url = f"sqlite:///{tmp_path}/ledger.db"
    with serving_process(tmp_path / "strict", url) as strict:
        assert strict.post(told).status_code == REFUSED
    with serving_process(tmp_path / "lenient", url, "--lenient") as server:
        assert server.post(told).json()["status"] == "success"


def test_an_event_in_form_and_what_is_no_event_are_left_as_they_are() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"x": deep}
    right = run_event("COMPLETE", 0, "nightly")
    about = {**right, "dataset": dataset("a"), "eventTime": "soon"}
    odd: tuple[Any, ...] = (5, None, [], {"schemaURL": "x", "eventTime": 5}, {"run": deep})
    for told in (right, about, *odd):
        assert lenient(told) is told
