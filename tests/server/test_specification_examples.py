"""An example of every facet of the specification is taken, and reads back unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger.told_events import dataset, identity, run_event
from tests.openlineage_schema import openlineage_errors
from tests.server.facet_examples import DATASET, EXAMPLES, INPUT, JOB, OUTPUT, RUN
from tests.server.live_server import LiveServer, live_server

if TYPE_CHECKING:
    from collections.abc import Iterator

IDS = [f"{base.__name__}-{name}" for base, name, _ in EXAMPLES]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("examples")) as server:
        yield server


def event_with(base: type, name: str, body: dict[str, Any], job: str) -> dict[str, Any]:
    event = run_event("COMPLETE", 1, job, inputs=(f"{job}/in",), outputs=(f"{job}/out",))
    facets = {name: body}
    if base is DATASET:
        event["outputs"][0]["facets"] = facets
    elif base is INPUT:
        event["inputs"][0]["inputFacets"] = facets
    elif base is OUTPUT:
        event["outputs"][0]["outputFacets"] = facets
    elif base is RUN:
        event["run"]["facets"] = facets
    elif base is JOB:
        event["job"]["facets"] = facets
    return event


def facets_of(server: LiveServer, base: type, job: str) -> Any:
    run = f"/jobs/runs/{identity(job)}"
    if base is DATASET:
        return server.get(f"/namespaces/file/datasets/{job}%2Fout")["facets"]
    if base is INPUT:
        return server.get(run)["inputDatasetVersions"][0]["facets"]
    if base is OUTPUT:
        found = server.get(f"/namespaces/file/datasets/{job}%2Fout/versions")
        return found["versions"][0]["facets"]
    return server.get(f"{run}/facets", type="run" if base is RUN else "job")["facets"]


@pytest.mark.parametrize(("base", "name", "body"), EXAMPLES, ids=IDS)
def test_a_facet_reads_back_unchanged(
    told: LiveServer, base: type, name: str, body: dict[str, Any]
) -> None:
    job = f"{base.__name__}-{name}"
    event = event_with(base, name, body, job)
    assert openlineage_errors(event) == []
    assert told.send([event]).status_code == 201
    assert facets_of(told, base, job) == {name: body}
    (kept,) = told.ledger.events(job=job)
    assert kept.payload == event


def test_every_facet_of_the_specification_has_an_example() -> None:
    names = {name for _, name, _ in EXAMPLES}
    assert len(EXAMPLES) >= 35
    # some that are easily forgotten
    assert names >= {
        "columnLineage",
        "dataQualityMetrics",
        "environmentVariables",
        "externalQuery",
        "hierarchy",
        "jobDependencies",
        "lifecycleStateChange",
        "subset",
        "symlinks",
        "tags",
    }


def test_an_example_that_is_lost_would_be_seen(told: LiveServer) -> None:
    event = run_event("COMPLETE", 1, "bare", outputs=(dataset("bare/out"),))
    told.send([event])
    assert facets_of(told, DATASET, "bare") == {}
