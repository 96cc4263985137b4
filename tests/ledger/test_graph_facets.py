"""A facet that is told as deleted stands no more, whatever came before it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.projector import catch_up
from tests.ledger.told_events import dataset, lineage, run_event, symlinks

if TYPE_CHECKING:
    from penstock.ledger import Ledger

GONE = {"_deleted": True}
PII = {"tags": [{"key": "pii", "value": "EMAIL", "field": "email", "source": "CONTRACT"}]}


def write(minutes: int, **facets: Any) -> dict[str, Any]:
    out = dataset("/d", **facets)
    return run_event("COMPLETE", minutes, "job", run=str(minutes), inputs=("/a",), outputs=(out,))


def tell(ledger: Ledger, order: str, *events: dict[str, Any]) -> None:
    for event in events if order == "in order" else reversed(events):
        ledger.append(event)
        catch_up(ledger.database)


def lines(ledger: Ledger, kind: str) -> list[list[Any]]:
    with ledger.database.read() as connection:
        found = [json.loads(line) for line in graph_lines(connection)]
    return [line[1:] for line in found if line[0] == kind]


def facets(ledger: Ledger, name: str = "/d") -> dict[str, Any]:
    with ledger.database.read() as connection:
        catalog = Catalog(connection)
        number = catalog.dataset_id("file", name)
        assert number is not None
        return catalog.datasets([number])[number].facets


pytestmark = pytest.mark.parametrize("order", ["in order", "reversed"])


def test_of_a_dataset(ledger: Ledger, order: str) -> None:
    description = {"description": "old"}
    tell(ledger, order, write(1, documentation=description), write(2, documentation=GONE))
    assert facets(ledger) == {}
    told = {"description": "new"}
    tell(ledger, order, write(3, documentation=told))
    assert facets(ledger)["documentation"]["description"] == "new"


def test_of_a_job_and_of_a_run(ledger: Ledger, order: str) -> None:
    parent = {"run": {"runId": "0176a8c2-fe01-7439-87e6-56a1a1b4029f"},
              "job": {"namespace": "a", "name": "b"}}  # fmt: skip
    events = []
    for minutes, more in ((1, {}), (2, GONE)):
        event = run_event("RUNNING", minutes, "job", run_facets={"parent": {**parent, **more}})
        event["job"]["facets"] = {"sql": {"query": "SELECT 1", **more}}
        events.append(event)
    tell(ledger, order, *events)
    with ledger.database.read() as connection:
        catalog = Catalog(connection)
        (run,) = catalog.runs(limit=9)
        assert (run.facets, run.parent_run_id) == ({}, None)
        assert catalog.jobs([run.job])[run.job].facets == {}


def test_a_withdrawn_tag_is_found_no_more(ledger: Ledger, order: str) -> None:
    tell(ledger, order, write(1, tags=PII), write(2, tags=GONE))
    assert lines(ledger, "label") == []


def test_what_another_name_withdrew_is_withdrawn(ledger: Ledger, order: str) -> None:
    claim = symlinks(("file", "/other"))
    other = dataset("/other", tags=GONE)
    tell(
        ledger,
        order,
        write(1, tags=PII, symlinks=claim),
        run_event("COMPLETE", 2, "job", run="other", outputs=(other,)),
    )
    assert lines(ledger, "label") == []
    assert "tags" not in facets(ledger)


def test_column_lineage_that_is_withdrawn_holds_until_then(ledger: Ledger, order: str) -> None:
    first = write(1, columnLineage=lineage("/a.k > k"))
    tell(ledger, order, first, write(2, columnLineage=GONE))
    held = lines(ledger, "held")
    made: dict[str, list[Any]] = dict(lines(ledger, "lineage"))
    assert [(ended is None, len(made[digest])) for *_, ended, digest in held] == [
        (False, 2),
        (True, 1),
    ]


def test_other_names_that_are_withdrawn_are_names_no_more(ledger: Ledger, order: str) -> None:
    claim, other = symlinks(("file", "/b")), symlinks(("file", "/c"))
    tell(
        ledger,
        order,
        write(1, symlinks=claim),
        run_event("COMPLETE", 2, "b", outputs=("/b", "/c")),
        write(3, symlinks=GONE),
        write(4, symlinks=other),
    )
    own = {name: same for (_, name), (_, same), _ in lines(ledger, "dataset")}
    assert own == {"/a": "/a", "/b": "/b", "/c": "/d", "/d": "/d"}
    assert [name for _, name, *_ in lines(ledger, "other name")] == ["/c"]
