"""The `lineage` facet, of a dataset and of a job, tells edges like those of columnLineage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.projector import catch_up
from tests.ledger.told_events import FACET, dataset, run_event

if TYPE_CHECKING:
    from penstock.ledger import Ledger


def held(ledger: Ledger) -> set[tuple[Any, ...]]:
    """What the graph holds now: ("made of", source) and ("column", source, target, how)."""
    catch_up(ledger.database)
    with ledger.database.read() as connection:
        facts = [json.loads(line) for line in graph_lines(connection)]
    found: set[tuple[Any, ...]] = set()
    for fact in facts:
        for edge in fact[2] if fact[0] == "lineage" else ():
            if len(edge) == 1:
                found.add(("made of", edge[0][1]))
                continue
            source, target, *how = edge
            found.add(("column", ".".join(source[1:]), ".".join(target[1:]), *how[:3]))
    return found


def source(name: str, field: str | None = None, **step: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"namespace": "file", "name": name, "type": "DATASET"}
    if field:
        told["field"] = field
    if step:
        told["transformations"] = [step]
    return told


TOLD = {
    "inputs": [source("a"), source("b", "day", type="INDIRECT", subtype="FILTER")],
    "fields": {
        "id": {"inputs": [source("a", "key", type="DIRECT", subtype="IDENTITY", masking=False)]},
        "email": {"inputs": [source("c", "email", type="DIRECT", masking=True), {"type": "JOB"}]},
    },
}
HELD = {
    ("made of", "a"),
    ("made of", "b"),
    ("made of", "c"),
    ("column", "b.day", "out.", "INDIRECT", "FILTER", False),
    ("column", "a.key", "out.id", "DIRECT", "IDENTITY", False),
    ("column", "c.email", "out.email", "DIRECT", None, True),
}


def test_of_a_dataset_and_of_nothing_else(ledger: Ledger) -> None:
    out = dataset("out", lineage=TOLD)
    # the job reads d too, but not for this dataset
    ledger.append(run_event("COMPLETE", 1, "job", inputs=("a", "d"), outputs=(out,)))
    assert held(ledger) == HELD


def test_of_columns_alone_says_nothing_of_the_inputs(ledger: Ledger) -> None:
    out = dataset("out", lineage={"fields": TOLD["fields"]})
    ledger.append(run_event("COMPLETE", 1, "job", inputs=("d",), outputs=(out,)))
    made_of = {edge[1] for edge in held(ledger) if edge[0] == "made of"}
    assert made_of == {"a", "c", "d"}


def test_of_a_job_about_datasets_that_the_event_does_not_name(ledger: Ledger) -> None:
    entries = [
        {"namespace": "file", "name": "out", "type": "DATASET", **TOLD},
        {"namespace": "file", "name": "new", "type": "DATASET", "inputs": []},
        {"namespace": "airflow", "name": "other", "type": "JOB", "inputs": [source("e")]},
    ]
    event = run_event("COMPLETE", 1, "job", inputs=("d",))
    event["job"]["facets"] = {"lineage": {**FACET, "entries": entries}}
    ledger.append(event)
    assert held(ledger) == HELD


def test_of_a_job_about_itself(ledger: Ledger) -> None:
    event = run_event("COMPLETE", 1, "job", outputs=("out",))
    entries = [{"type": "JOB", "inputs": [source("a", "x"), {"type": "JOB"}]}]
    event["job"]["facets"] = {"lineage": {**FACET, "entries": entries}}
    ledger.append(event)
    assert held(ledger) == {("made of", "a")}


def test_beside_column_lineage_both_count(ledger: Ledger) -> None:
    step = {"type": "DIRECT", "subtype": "AGGREGATION"}
    told = {"fields": {"id": {"inputFields": [
        {"namespace": "file", "name": "z", "field": "n", "transformations": [step]}]}}}  # fmt: skip
    out = dataset("out", lineage=TOLD, columnLineage=told)
    ledger.append(run_event("COMPLETE", 1, "job", outputs=(out,)))
    assert held(ledger) - HELD == {
        ("made of", "z"),
        ("column", "z.n", "out.id", "DIRECT", "AGGREGATION", False),
    }


@pytest.mark.parametrize(
    "facet",
    [
        {"inputs": 1, "fields": 2, "entries": 3},
        {"inputs": [None, 4, {"type": "DATASET", "name": 5}], "fields": {"a": 6}, "entries": [7]},
        {"fields": {"a": {"inputs": 8}, "\0": {"inputs": []}}, "entries": [{"type": "DATASET"}]},
        {"entries": [{"type": "DATASET", "namespace": "n", "name": "m", "inputs": {}}]},
        {"entries": [{"type": "JOB", "inputs": [{"type": "DATASET", "namespace": "\0"}]}]},
    ],
)
def test_what_makes_no_sense_is_passed(ledger: Ledger, facet: dict[str, Any]) -> None:
    event = run_event("COMPLETE", 1, "job", outputs=(dataset("out", lineage=facet),))
    event["job"]["facets"] = {"lineage": {**FACET, **facet}}
    ledger.append(event)
    assert held(ledger) == set()


def test_told_anew_it_holds_from_then_on(ledger: Ledger) -> None:
    ledger.append(run_event("COMPLETE", 1, "job", run="1", outputs=(dataset("out", lineage=TOLD),)))
    other = {"inputs": [source("only")]}
    ledger.append(
        run_event("COMPLETE", 2, "job", run="2", outputs=(dataset("out", lineage=other),))
    )
    catch_up(ledger.database)
    with ledger.database.read() as connection:
        facts = [json.loads(line) for line in graph_lines(connection)]
    intervals = [fact for fact in facts if fact[0] == "held"]
    assert [interval[4] is None for interval in intervals] == [False, True]
