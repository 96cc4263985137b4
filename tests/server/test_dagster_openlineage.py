"""What dagster-openlineage emits is taken and read back, however many assets share a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.forked import forked
from tests.patience import PATIENCE_SECONDS
from tests.server.live_server import LiveServer, live_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Told = tuple[LiveServer, str]

pytestmark = pytest.mark.slow

STORAGE = """
event_log_storage:
  module: dagster_openlineage.storage
  class: OpenLineageEventLogStorage
  config:
    namespace: dagster
    timeout: {patience}
    wrapped:
      module: dagster._core.storage.event_log
      class: SqliteEventLogStorage
      config:
        base_dir: {home}/history
"""
# the sensor reads all runs at once, which the log of one file for each run cannot
CONSOLIDATED = """
event_log_storage:
  module: dagster._core.storage.event_log
  class: ConsolidatedSqliteEventLogStorage
  config:
    base_dir: {home}/history
"""
BRONZE, SILVER = "bronze/orders", "silver/orders"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with live_server(tmp_path_factory.mktemp("ledger")) as server:
        yield server, materialize(server, tmp_path_factory.mktemp("dagster"), "storage")


@pytest.fixture(scope="module")
def sensor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with live_server(tmp_path_factory.mktemp("ledger")) as server:
        yield server, materialize(server, tmp_path_factory.mktemp("dagster"), "sensor")


def materialize(server: LiveServer, home: Path, mechanism: str) -> str:
    """The id of the Dagster run that materialized two assets and failed with a third."""
    telemetry = "telemetry:\n  enabled: false\n"
    log = {"storage": STORAGE, "sensor": CONSOLIDATED}[mechanism]
    log = log.format(home=home, patience=float(PATIENCE_SECONDS))
    (home / "dagster.yaml").write_text(telemetry + log)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "OPENLINEAGE_URL": server.url,
        "OPENLINEAGE_NAMESPACE": "dagster",
    }
    output, answer = home / "output", home / "answer"
    with forked(output, emit, mechanism, answer, env=environment) as job:
        assert job.wait() == 0, output.read_text()
    assert "OpenLineage emit failed" not in output.read_text()
    return answer.read_text()


def emit(mechanism: str, answer: Path) -> None:
    """In another process: the import changes openlineage-python's producer for all of it."""
    from tests.server import dagster_openlineage_job

    answer.write_text(dagster_openlineage_job.materialize(mechanism))


def job(server: LiveServer, name: str) -> Any:
    return server.get(f"/namespaces/dagster/jobs/{quote(name, safe='')}")


def dataset(server: LiveServer, name: str) -> Any:
    return server.get(f"/namespaces/dagster/datasets/{quote(name, safe='')}")


@pytest.mark.parametrize("mechanism", ["storage", "sensor"])
def test_assets_of_one_dagster_run_stay_apart(
    request: pytest.FixtureRequest, mechanism: str
) -> None:
    server, run_id = request.getfixturevalue(mechanism)
    states = {
        name: [(run["id"], run["state"]) for run in job(server, name)["latestRuns"]]
        for name in (BRONZE, SILVER, "report")
    }
    assert states == {
        BRONZE: [(run_id, "COMPLETED")],
        SILVER: [(run_id, "COMPLETED")],
        "report": [(run_id, "FAILED")],
    }
    assert {each["name"] for each in server.get(f"/jobs/runs/{run_id}")["jobs"]} >= set(states)
    for name in (BRONZE, SILVER):
        run = server.get(f"/jobs/runs/{run_id}", namespace="dagster", job=name)
        (written,) = run["outputDatasetVersions"]
        assert written["datasetVersionId"]["name"] == name
        (version,) = server.get(f"/namespaces/dagster/datasets/{quote(name, safe='')}/versions")[
            "versions"
        ]
        assert written["datasetVersionId"]["version"] == version["version"]
        assert version["createdByRun"]["jobVersion"]["name"] == name
    failed = server.get(f"/jobs/runs/{run_id}", namespace="dagster", job="report")
    assert "errorMessage" in failed["facets"]
    assert server.get("/namespaces/dagster/datasets/report/versions")["totalCount"] == 0


def test_columns_and_lineage_of_assets(storage: Told) -> None:
    server, _ = storage
    silver = dataset(server, SILVER)
    assert [(f["name"], f["type"]) for f in silver["fields"]] == [("k", "int"), ("email", "string")]
    assert dataset(server, BRONZE)["facets"]["dataSource"]["uri"] == "s3://lake/bronze/orders"
    made_of = {c["name"]: c["inputFields"] for c in silver["columnLineage"]}
    assert [(f["dataset"], f["field"]) for f in made_of["email"]] == [(BRONZE, "email")]
    graph = server.get("/lineage", nodeId=f"dataset:dagster:{SILVER}", depth=3)["graph"]
    edges = {(e["origin"], e["destination"]) for node in graph for e in node["outEdges"]}
    # the wrapper names no inputs: what a job reads is known from its columns
    assert edges == {
        (f"job:dagster:{BRONZE}", f"dataset:dagster:{BRONZE}"),
        (f"dataset:dagster:{BRONZE}", f"job:dagster:{SILVER}"),
        (f"job:dagster:{SILVER}", f"dataset:dagster:{SILVER}"),
    }


def test_steps_are_children_of_the_dagster_run(sensor: Told) -> None:
    server, run_id = sensor
    step = job(server, "__ephemeral_asset_job__.bronze__orders")
    assert step["parentJobName"] == "__ephemeral_asset_job__"
    assert step["simpleName"] == "bronze__orders"
    assert step["latestRun"]["state"] == "COMPLETED"
    assert step["latestRun"]["id"] != run_id
    whole = job(server, "__ephemeral_asset_job__")["latestRun"]
    assert (whole["id"], whole["state"]) == (run_id, "FAILED")
