"""What Marquez's web UI asks for and its Python client does not; and nonsense, answered as such."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
import requests

from penstock.server.marquez.stats import borders
from tests.ledger.told_events import AT, dataset, identity, lineage, moment, run_event, schema
from tests.patience import PATIENCE_SECONDS
from tests.server.live_server import LiveServer, live_server
from tests.server.shop_story import BRONZE, CUSTOMERS, DATABASE, LAKE, SILVER, story

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def told(shared_url: str) -> Iterator[LiveServer]:
    with live_server(url=shared_url) as server:
        assert server.send(story()).status_code == 201
        yield server


def names(answer: dict[str, Any]) -> list[str]:
    return [node["id"] for node in answer["graph"]]


def test_lineage_around_a_dataset_by_steps(told: LiveServer) -> None:
    silver = f"dataset:{LAKE}:{SILVER}"
    near = told.get("/lineage", nodeId=silver, depth=0)
    assert names(near) == [
        "dataset:kafka://k:9092:partners",
        f"dataset:{LAKE}:{BRONZE}",
        silver,
        "job:flink:export",
        "job:spark:mask",
    ]
    node = next(node for node in near["graph"] if node["id"] == silver)
    assert node["type"] == "DATASET"
    assert node["data"]["fields"][1]["name"] == "contact"
    assert node["inEdges"] == [{"origin": "job:spark:mask", "destination": silver}]
    assert node["outEdges"] == [{"origin": silver, "destination": "job:flink:export"}]
    far = told.get("/lineage", nodeId=silver)
    assert set(names(far)) - set(names(near)) == {
        "job:spark:ingest",
        f"dataset:{DATABASE}:{CUSTOMERS}",
    }


def test_lineage_around_a_job_and_of_one_that_has_done_nothing_yet(told: LiveServer) -> None:
    answer = told.get("/lineage", nodeId="job:spark:ingest", depth=1)
    jobs = {node["id"]: node["data"] for node in answer["graph"] if node["type"] == "JOB"}
    assert sorted(jobs) == ["job:spark:ingest", "job:spark:mask"]
    assert jobs["job:spark:ingest"]["latestRun"]["state"] == "COMPLETED"
    assert jobs["job:spark:mask"]["latestRun"]["state"] == "ABORTED"
    # it began, and has moved nothing so far
    alone = told.get("/lineage", nodeId="job:airflow:daily.report")
    assert names(alone) == ["job:airflow:daily.report"]


def test_a_dropped_dataset_is_there_again_when_it_is_written(server: LiveServer) -> None:
    dropped = dataset("gone", lifecycleStateChange={"lifecycleStateChange": "DROP"})
    for minutes, output, deleted in ((1, "gone", False), (2, dropped, True), (3, "gone", False)):
        run = run_event("COMPLETE", minutes, "job", run=str(minutes), outputs=(output,))
        assert server.send([run]).status_code == 201
        assert server.get("/namespaces/file/datasets/gone")["deleted"] is deleted
        (node,) = (
            node
            for node in server.get("/lineage", nodeId="dataset:file:gone")["graph"]
            if node["type"] == "DATASET"
        )
        assert node["data"]["deleted"] is deleted


def test_a_node_by_another_name_is_the_dataset(told: LiveServer) -> None:
    answer = told.get("/lineage", nodeId="dataset:penstock:bronze.customers", depth=0)
    assert f"dataset:{LAKE}:{BRONZE}" in names(answer)


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("s3://a:1", "b:c"),
        ("postgres://db:5432", "public.t"),
        ("plain", "x:y:z"),
        ("a:b", "c"),
        ("wasbs://c@h", "/x#y"),
    ],
)
def test_node_ids_with_colons_are_tried_against_what_exists(
    server: LiveServer, namespace: str, name: str
) -> None:
    told = dataset(name, namespace=namespace, schema=schema("f:g"))
    server.send([run_event("COMPLETE", 1, "job:with:colons", outputs=(told,))])
    for node in (f"dataset:{namespace}:{name}", "job:spark:job:with:colons"):
        assert f"dataset:{namespace}:{name}" in names(server.get("/lineage", nodeId=node))
    field = f"datasetField:{namespace}:{name}:f:g"
    found = server.get("/column-lineage", nodeId=field)["graph"]
    assert [each["id"] for each in found] == [field]
    version = server.get(
        f"/namespaces/{quote(namespace, safe='')}/datasets/{quote(name, safe='')}"
    )["currentVersion"]
    found = server.get("/column-lineage", nodeId=f"{field}#{version}")["graph"]
    assert [each["id"] for each in found] == [f"{field}#{version}"]


def test_job_versions(server: LiveServer) -> None:
    server.send(
        [
            run_event("COMPLETE", 1, "job", run="1", inputs=("a",), outputs=("o",)),
            run_event("COMPLETE", 2, "job", run="2", inputs=("a", "b"), outputs=("o",)),
            run_event("COMPLETE", 3, "job", run="3", inputs=("b", "a"), outputs=("o",)),
            run_event("FAIL", 4, "job", run="4", inputs=("c",)),
        ]
    )
    newest, oldest = server.get("/namespaces/spark/jobs/job/versions")["versions"]
    assert [d["name"] for d in newest["inputs"]] == ["a", "b"]
    assert [d["name"] for d in oldest["inputs"]] == ["a"]
    assert newest["latestRun"]["id"] == identity("3")
    assert newest["createdAt"] == "2026-01-01T00:02:00.000000Z"
    assert newest["latestRun"]["jobVersion"]["version"] == newest["version"]
    one = server.get(f"/namespaces/spark/jobs/job/versions/{oldest['version']}")
    assert one == oldest
    assert server.ask(f"/namespaces/spark/jobs/job/versions/{identity('no')}").status_code == 404


def test_upstream_runs_go_back_through_the_versions_that_were_read(told: LiveServer) -> None:
    runs = told.get("/runlineage/upstream", runId=identity("m-2"))["runs"]
    assert [run["run"]["id"] for run in runs] == [identity("m-2"), identity("i-1")]
    read = runs[0]["inputs"][0]
    assert (read["namespace"], read["name"]) == (LAKE, BRONZE)
    assert read["producedByRunId"] == identity("i-1")
    assert runs[0]["job"]["name"] == "mask"
    assert runs[1]["run"]["status"] == "COMPLETED"
    assert runs[1]["inputs"][0]["producedByRunId"] is None
    assert len(told.get("/runlineage/upstream", runId=identity("m-2"), depth=0)["runs"]) == 1


def test_run_and_job_facets(told: LiveServer) -> None:
    run = identity("daily.report")
    answer = told.get(f"/jobs/runs/{run}/facets", type="run")
    assert answer["runId"] == run
    assert sorted(answer["facets"]) == ["nominalTime", "parent"]
    assert told.get(f"/jobs/runs/{run}/facets", type="JOB")["facets"] == {}
    assert told.ask(f"/jobs/runs/{run}/facets", type="dataset").status_code == 422


def test_jobs_by_the_state_of_their_last_run(told: LiveServer) -> None:
    def found(*states: str) -> list[str]:
        return [job["name"] for job in told.get("/jobs", lastRunStates=list(states))["jobs"]]

    assert found() == ["export", "daily", "daily.report", "mask", "ingest"]
    assert found("ABORTED") == ["mask"]
    assert found("FAILED") == []
    assert found("COMPLETED", "RUNNING") == ["daily.report", "ingest"]
    assert found("NEW") == ["export", "daily"]


def test_lineage_events_by_time(told: LiveServer) -> None:
    answer = told.get("/events/lineage", before=moment(20), after=moment(10), sortDirection="asc")
    assert answer["totalCount"] == 2
    assert [event["eventType"] for event in answer["events"]] == ["START", "COMPLETE"]
    # a plus that nobody escaped, and a parameter that is there and empty
    raw = f"{told.url}/api/v1/events/lineage?before={moment(20)}&after=&limit=1"
    found = requests.get(raw, timeout=PATIENCE_SECONDS).json()
    assert found["totalCount"] == 4
    assert found["events"][0]["eventTime"] == moment(11)
    # the UI shows events of runs only
    everything = told.get("/events/lineage", limit=1000)
    assert everything["totalCount"] == len(story()) - 1
    flink = told.get(f"/namespaces/{quote('flink', safe='')}/events/lineage")
    assert flink["totalCount"] == 1


def test_search(told: LiveServer) -> None:
    answer = told.get("/search", q="CUSTOMERS", sort="NAME", limit=2)
    assert answer["totalCount"] == 3
    assert [each["name"] for each in answer["results"]] == [BRONZE, CUSTOMERS]
    assert answer["results"][0]["nodeId"] == f"dataset:{LAKE}:{BRONZE}"
    assert names_of(told, q="a", filter="JOB") == ["daily", "daily.report", "mask"]
    by_time = names_of(told, q="a", filter="job", sort="update_at")
    assert by_time == ["daily", "daily.report", "mask"]
    assert names_of(told, q="customers", namespace=DATABASE) == [CUSTOMERS]
    assert names_of(told, q="customers", before="2026-01-01") == []
    assert names_of(told, q="%") == []


def names_of(server: LiveServer, **parameters: Any) -> list[str]:
    return [each["name"] for each in server.get("/search", **parameters)["results"]]


def test_numbers_of_the_last_day(tmp_path: Path) -> None:
    now = AT + timedelta(days=30)
    old = run_event("COMPLETE", 0, "old", outputs=(dataset("x", namespace="elsewhere"),))
    fresh = run_event("START", 0, "new", outputs=("y",))
    fresh["eventTime"] = now.isoformat()
    with live_server(tmp_path, clock=lambda: now) as server:
        server.send([old, fresh])
        events = server.get("/stats/lineage-events", period="DAY")
        assert len(events) == 24
        assert [each["start"] for each in events] == [0] * 23 + [1]
        assert sum(each["complete"] for each in events) == 0
        for asset in ("jobs", "datasets", "sources"):
            counts = server.get(f"/stats/{asset}", period="WEEK", timezone="Europe/Berlin")
            assert [each["count"] for each in counts] == [1] * 6 + [2]


def test_a_week_has_the_days_of_the_time_zone() -> None:
    # in this night the clocks of Berlin go forward
    times = borders(datetime(2026, 3, 29, 12, tzinfo=UTC), "WEEK", "Europe/Berlin")
    berlin = [at.astimezone(ZoneInfo("Europe/Berlin")) for at in times]
    assert {at.hour for at in berlin} == {0}
    assert times[-1] - times[-2] == timedelta(hours=23)
    assert times[1] - times[0] == timedelta(hours=24)


def test_jobs_that_share_a_run_id_stay_apart(server: LiveServer) -> None:
    one = dataset("c", columnLineage=lineage("b.x > y"))
    server.send(
        [
            run_event("COMPLETE", 1, "one", run="shared", inputs=("b",), outputs=(one,)),
            run_event("COMPLETE", 2, "two", run="shared", inputs=("c",), outputs=("d",)),
        ]
    )
    run = identity("shared")
    whole = server.get(f"/jobs/runs/{run}")
    assert [job["name"] for job in whole["jobs"]] == ["one", "two"]
    assert whole["jobVersion"]["name"] == "one"
    two = server.get(f"/jobs/runs/{run}", namespace="spark", job="two")
    assert [v["datasetVersionId"]["name"] for v in two["outputDatasetVersions"]] == ["d"]
    assert server.get("/namespaces/spark/jobs/two")["inputs"] == [
        {"namespace": "file", "name": "c"}
    ]
    c, d = (
        server.get(f"/namespaces/file/datasets/{name}/versions")["versions"][0] for name in "cd"
    )
    assert c["version"] != d["version"]
    read = d["createdByRun"]["inputDatasetVersions"][0]["datasetVersionId"]
    assert read["version"] == c["version"]
    upstream = server.get("/runlineage/upstream", runId=run)["runs"]
    assert sorted(each["job"]["name"] for each in upstream) == ["one", "two"]


def test_a_run_that_tells_more_of_itself_still_runs(server: LiveServer) -> None:
    server.send(
        [
            run_event("START", 1, "job", run="begun"),
            run_event("OTHER", 2, "job", run="begun"),
            run_event("OTHER", 3, "job", run="told of"),
        ]
    )
    states = {
        run["id"]: run["state"] for run in server.get("/namespaces/spark/jobs/job/runs")["runs"]
    }
    assert states == {identity("begun"): "RUNNING", identity("told of"): "NEW"}


NONSENSE = [
    ("/namespaces", {"limit": "0"}),
    ("/namespaces", {"limit": "-1"}),
    ("/namespaces", {"limit": "1e9"}),
    ("/namespaces", {"limit": "1" * 40}),
    ("/namespaces", {"offset": "-1"}),
    ("/namespaces", {"offset": str(2**63)}),
    ("/jobs", {"lastRunStates": "ASLEEP"}),
    ("/events/lineage", {"before": "yesterday"}),
    ("/events/lineage", {"before": "9999-12-31T23:59:59-12:00"}),
    ("/events/lineage", {"after": "0001-01-01T00:00:00+14:00"}),
    ("/events/lineage", {"sortDirection": "sideways"}),
    ("/lineage", {}),
    ("/lineage", {"nodeId": "dataset:a:b", "depth": "-1"}),
    ("/lineage", {"nodeId": "dataset:a:\0"}),
    ("/column-lineage", {"nodeId": "x" * 20_000}),
    ("/column-lineage", {"nodeId": "dataset:a:b", "withDownstream": "perhaps"}),
    ("/runlineage/upstream", {"runId": "not-a-run"}),
    ("/search", {}),
    ("/search", {"q": ""}),
    ("/search", {"q": "a", "filter": "TABLE"}),
    ("/search", {"q": "a", "before": "soon"}),
    ("/stats/jobs", {"period": "CENTURY"}),
    ("/stats/jobs", {"period": "WEEK", "timezone": "../../etc/passwd"}),
    ("/stats/jobs", {"period": "WEEK", "timezone": "Mars/Olympus"}),
    ("/namespaces/a%00b", {}),
]


@pytest.mark.parametrize(("path", "parameters"), NONSENSE)
def test_nonsense_is_the_callers_fault(
    told: LiveServer, path: str, parameters: dict[str, str]
) -> None:
    answer = told.ask(path, **parameters)
    assert answer.status_code == 422, answer.text
    assert {"error", "where", "next_step"} <= answer.json().keys()


@pytest.mark.parametrize("node", ["", "run:a:b", "dataset", "dataset:" + ":" * 100])
def test_what_is_no_node_id_is_a_bad_request(told: LiveServer, node: str) -> None:
    assert told.ask("/lineage", nodeId=node).status_code == 400


@pytest.mark.parametrize(
    "node", ["dataset:", "dataset::", "job:a", "datasetField:a:b", "job:a:b#c"]
)
def test_a_node_that_is_not_there_is_not_found(told: LiveServer, node: str) -> None:
    assert told.ask("/lineage", nodeId=node).status_code == 404


@pytest.mark.parametrize(
    "facets",
    [
        {"schema": {"fields": "no"}},
        {"schema": {"fields": [None, 1, {"name": 3}, {"name": "a", "type": 4, "fields": [5]}]}},
        {"tags": {"tags": 5}},
        {"tags": {"tags": [{"key": 1, "field": []}, 7]}},
        {"dataSource": {"name": 7, "uri": ["x"]}},
        {"dataSource": {"name": "n", "uri": "http://[oops"}},
        {"documentation": {"description": {}}},
        {"version": {"datasetVersion": 3}},
        {"lifecycleStateChange": {"lifecycleStateChange": None}},
        {
            "columnLineage": {
                "fields": {"a": {"inputFields": [{"namespace": "n", "name": "m", "field": "f"}]}}
            }
        },
    ],
)
def test_facets_that_make_no_sense_are_kept_and_break_nothing(
    server: LiveServer, facets: dict[str, Any]
) -> None:
    odd = dataset("odd", **facets)
    run = {"parent": {"run": 1, "job": "no"}, "nominalTime": {"nominalStartTime": 5}}
    answer = server.send(
        [run_event("COMPLETE", 1, "job", inputs=(odd,), outputs=(odd,), run_facets=run)]
    )
    assert answer.status_code == 201
    for path in (
        "/namespaces/file/datasets",
        "/namespaces/file/datasets/odd",
        "/namespaces/file/datasets/odd/versions",
        "/namespaces/spark/jobs",
        "/sources",
        "/tags",
        f"/jobs/runs/{identity('job')}",
        "/lineage?nodeId=dataset:file:odd",
        "/column-lineage?nodeId=dataset:file:odd&withDownstream=true",
        f"/runlineage/upstream?runId={identity('job')}",
        "/stats/sources?period=DAY",
    ):
        server.get(path)
    told = server.get("/namespaces/file/datasets/odd")["facets"]
    for name, body in facets.items():
        assert {key: told[name][key] for key in body} == body
