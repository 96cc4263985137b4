"""A job that only its children tell of is a job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.projector import catch_up
from tests.ledger.told_events import identity, moment, run_event

if TYPE_CHECKING:
    from penstock.ledger import Ledger


def jobs(ledger: Ledger, *events: dict[str, Any]) -> dict[tuple[str, str], list[Any]]:
    for event in events:
        ledger.append(event)
        catch_up(ledger.database)
    with ledger.database.read() as connection:
        found = [json.loads(line) for line in graph_lines(connection)]
    return {(fact[1][0], fact[1][1]): fact[2:] for fact in found if fact[0] == "job"}


def child(minutes: float, run: str, parent: Any) -> dict[str, Any]:
    return run_event("COMPLETE", minutes, "child", run=run, run_facets={"parent": parent})


def named(name: Any) -> dict[str, Any]:
    return {"run": {"runId": identity("up")}, "job": {"namespace": "airflow", "name": name}}


def test_the_parent_and_the_root(ledger: Ledger) -> None:
    told = {**named("dag.task"), "root": named("dag")}
    found = jobs(ledger, child(2, "2", told), child(1, "1", told))
    span = [moment(1), moment(2), {}]
    assert found == {
        ("airflow", "dag"): span,
        ("airflow", "dag.task"): span,
        ("spark", "child"): span,
    }


def test_one_that_tells_of_itself_too_keeps_what_it_told(ledger: Ledger) -> None:
    own = run_event("START", 1, "dag", run="up", namespace="airflow")
    own["job"]["facets"] = {"documentation": {"description": "nightly"}}
    found = jobs(ledger, own, child(2, "2", named("dag")))
    assert "documentation" in found["airflow", "dag"][2]


@pytest.mark.parametrize(
    "parent",
    [
        {"run": {"runId": identity("up")}},
        {**named("a\0b"), "root": 5},
        {**named(""), "root": {"job": 7}},
        {"job": "x", "root": {"job": {"namespace": 5, "name": "y"}}},
    ],
)
def test_what_makes_no_sense_is_passed(ledger: Ledger, parent: dict[str, Any]) -> None:
    assert list(jobs(ledger, child(1, "1", parent))) == [("spark", "child")]
