"""Marquez's own Python client reads from Penstock's server what a small story told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from marquez_client import MarquezClient
from marquez_client.errors import APIError

from tests.ledger.told_events import identity
from tests.patience import PATIENCE_MILLISECONDS
from tests.server.live_server import LiveServer, live_server
from tests.server.shop_story import BRONZE, CUSTOMERS, DATABASE, LAKE, SILVER, story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPACES = ["airflow", "flink", "kafka://k:9092", "penstock", DATABASE, LAKE, "spark"]


@pytest.fixture(scope="module")
def told(shared_url: str) -> Iterator[LiveServer]:
    with live_server(url=shared_url) as server:
        assert server.send(story()).status_code == 201
        yield server


@pytest.fixture(scope="module")
def client(told: LiveServer) -> MarquezClient:
    return MarquezClient(told.url, timeout_ms=PATIENCE_MILLISECONDS)


def ids(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["id"]["namespace"], each["id"]["name"]) for each in found]


def stamp(minute: int) -> str:
    return f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00.000000Z"


def nodes(answer: dict[str, Any]) -> dict[str, Any]:
    return {node["id"]: node for node in answer["graph"]}


def column(name: str, field: str) -> str:
    return f"datasetField:{LAKE}:{name}:{field}"


def test_namespaces(client: MarquezClient) -> None:
    found = client.list_namespaces()["namespaces"]
    assert [each["name"] for each in found] == SPACES
    assert [each["name"] for each in client.list_namespaces(limit=2, offset=1)["namespaces"]] == (
        SPACES[1:3]
    )
    one = client.get_namespace(LAKE)
    assert one["name"] == LAKE
    assert one["createdAt"] == stamp(0)
    assert one["updatedAt"] == stamp(70)
    assert one["isHidden"] is False


def test_sources(client: MarquezClient) -> None:
    found = {each["name"]: each for each in client.list_sources()["sources"]}
    assert sorted(found) == ["kafka://k:9092", LAKE, "shop-db"]
    shop = client.get_source("shop-db")
    assert shop == found["shop-db"]
    assert (shop["type"], shop["connectionUrl"]) == ("POSTGRESQL", "jdbc:postgresql://db:5432/shop")
    assert client.get_source(LAKE)["type"] == "S3"


def test_datasets_of_a_namespace(client: MarquezClient) -> None:
    found = client.list_datasets(LAKE)
    assert ids(found["datasets"]) == [(LAKE, BRONZE), (LAKE, SILVER)]
    assert found["totalCount"] == 2
    second = client.list_datasets(LAKE, limit=1, offset=1)
    assert ids(second["datasets"]) == [(LAKE, SILVER)]
    assert second["totalCount"] == 2
    # it knows bronze only by another name, under which it is not listed twice
    assert client.list_datasets("penstock")["datasets"] == []


def test_a_dataset(client: MarquezClient) -> None:
    customers = client.get_dataset(DATABASE, CUSTOMERS)
    assert customers["fields"] == [
        {"name": "k", "type": "bigint", "tags": [], "description": None},
        {
            "name": "email",
            "type": "string",
            "tags": ["PII:EMAIL"],
            "description": "Where to write to.",
        },
    ]
    assert customers["tags"] == ["gold"]
    assert customers["sourceName"] == "shop-db"
    assert customers["type"] == "DB_TABLE"
    # nobody was seen writing it
    assert customers["currentVersion"] is customers["lastModifiedAt"] is None
    bronze = client.get_dataset(LAKE, BRONZE)
    assert bronze["description"] == "As it was sent."
    assert bronze["lastModifiedAt"] == stamp(21)
    assert bronze["facets"]["symlinks"]["identifiers"][0]["name"] == "bronze.customers"
    assert client.get_dataset("penstock", "bronze.customers") == bronze


def test_a_dataset_says_what_its_columns_are_made_of(client: MarquezClient) -> None:
    lineage = {c["name"]: c for c in client.get_dataset(LAKE, SILVER)["columnLineage"]}
    assert sorted(lineage) == ["contact", "k"]
    contact = lineage["contact"]
    assert contact["inputFields"] == [
        {
            "namespace": LAKE,
            "dataset": BRONZE,
            "field": "email",
            "transformationType": "TRANSFORMATION",
            "transformationDescription": "email",
            "transformations": [
                {
                    "type": "DIRECT",
                    "subtype": "TRANSFORMATION",
                    "description": "email",
                    "masking": False,
                }
            ],
        }
    ]
    assert contact["transformationType"] == "TRANSFORMATION"
    assert contact["transformationDescription"] == "email"


def test_dataset_versions_are_the_runs_that_completed(client: MarquezClient) -> None:
    found = client.list_dataset_versions(LAKE, SILVER)
    runs = [version["createdByRun"]["id"] for version in found["versions"]]
    assert runs == [identity("m-2"), identity("m-1")]
    assert found["totalCount"] == 2
    newest, first = found["versions"]
    assert [v["createdAt"] for v in found["versions"]] == [stamp(31), stamp(11)]
    assert [field["name"] for field in first["fields"]] == ["k", "contact"]
    step = first["facets"]["columnLineage"]["fields"]["contact"]["inputFields"][0]
    assert step["transformations"][0]["masking"] is True
    assert newest["currentSchemaVersion"] == first["currentSchemaVersion"]
    assert client.get_dataset(LAKE, SILVER)["currentVersion"] == newest["version"]
    assert client.get_dataset_version(LAKE, SILVER, first["version"]) == first
    assert client.list_dataset_versions(LAKE, SILVER, limit=1, offset=1)["versions"] == [first]


def test_jobs(client: MarquezClient) -> None:
    found = client.list_jobs("spark")
    # told of last first
    assert ids(found["jobs"]) == [("spark", "mask"), ("spark", "ingest")]
    assert found["totalCount"] == 2
    assert ids(client.list_jobs("spark", limit=1, offset=1)["jobs"]) == [("spark", "ingest")]
    # a list tells how runs stand, and what a run used only where it is asked for
    listed = found["jobs"][0]
    assert [run["state"] for run in listed["latestRuns"]] == [
        "ABORTED",
        "FAILED",
        "COMPLETED",
        "COMPLETED",
    ]
    assert "outputDatasetVersions" not in listed["latestRun"]
    mask = client.get_job("spark", "mask")
    for part in ("id", "state", "jobVersion", "facets"):
        assert listed["latestRun"][part] == mask["latestRun"][part]
    assert listed["currentVersion"] == mask["currentVersion"]
    assert mask["inputs"] == [{"namespace": LAKE, "name": BRONZE}]
    assert mask["outputs"] == [{"namespace": LAKE, "name": SILVER}]
    assert mask["type"] == "BATCH"
    assert mask["latestRun"]["id"] == identity("m-4")
    assert [run["state"] for run in mask["latestRuns"]] == [
        "ABORTED",
        "FAILED",
        "COMPLETED",
        "COMPLETED",
    ]
    export = client.get_job("flink", "export")
    assert export["type"] == "STREAM"
    assert export["description"] == "Sends it to partners."
    assert export["location"] == "https://example.com/export.py"
    assert export["tags"] == ["nightly"]
    assert export["latestRun"] is None
    report = client.get_job("airflow", "daily.report")
    assert (report["parentJobName"], report["simpleName"]) == ("daily", "report")


def test_runs(client: MarquezClient) -> None:
    found = client.list_job_runs("spark", "mask")
    assert [run["id"] for run in found["runs"]] == [identity(f"m-{n}") for n in (4, 3, 2, 1)]
    assert found["totalCount"] == 4
    assert [r["id"] for r in client.list_job_runs("spark", "mask", limit=1, offset=1)["runs"]] == [
        identity("m-3")
    ]
    failed = client.get_job_run(identity("m-3"))
    assert (failed["state"], failed["durationMs"]) == ("FAILED", 60_000)
    assert (failed["startedAt"], failed["endedAt"]) == (stamp(40), stamp(41))
    # it wrote no version
    assert [v["datasetVersionId"]["version"] for v in failed["outputDatasetVersions"]] == [None]
    report = client.get_job_run(identity("daily.report"))
    assert (report["state"], report["endedAt"], report["durationMs"]) == ("RUNNING", None, None)
    assert report["nominalEndTime"] == "2026-01-02T00:00:00+00:00"
    assert report["facets"]["parent"]["job"]["name"] == "daily"
    assert report["jobs"] == [{"namespace": "airflow", "name": "daily.report"}]


def test_a_run_names_the_versions_that_it_read_and_made(client: MarquezClient) -> None:
    versions = client.list_dataset_versions(LAKE, BRONZE)["versions"]
    made_by = {version["createdByRun"]["id"]: version["version"] for version in versions}

    def read(run: str) -> Any:
        return client.get_job_run(identity(run))["inputDatasetVersions"][0]["datasetVersionId"]

    # m-2 told that it read version 1, though 2 was there
    assert read("m-2") == {
        "namespace": LAKE,
        "name": BRONZE,
        "version": made_by[identity("i-1")],
    }
    assert read("m-1")["version"] == made_by[identity("i-1")]
    assert read("m-3")["version"] == made_by[identity("i-2")]
    run = client.get_job_run(identity("i-2"))
    assert (
        run["outputDatasetVersions"][0]["datasetVersionId"]["version"] == (made_by[identity("i-2")])
    )
    mask = client.get_job("spark", "mask")
    assert mask["currentVersion"] == run_version(client, "m-1") != run["jobVersion"]["version"]


def run_version(client: MarquezClient, run: str) -> Any:
    return client.get_job_run(identity(run))["jobVersion"]["version"]


def test_column_lineage_of_a_dataset(client: MarquezClient) -> None:
    answer = nodes(client.get_column_lineage_by_dataset(LAKE, SILVER))
    database = f"datasetField:{DATABASE}:{CUSTOMERS}"
    assert sorted(answer) == sorted(
        [
            column(SILVER, "k"),
            column(SILVER, "contact"),
            column(BRONZE, "k"),
            column(BRONZE, "email"),
            f"{database}:k",
            f"{database}:email",
        ]
    )
    contact = answer[column(SILVER, "contact")]
    assert contact["type"] == "DATASET_FIELD"
    assert contact["data"]["fieldType"] == "string"
    inputs = {each["field"]: each for each in contact["data"]["inputFields"]}
    assert inputs["email"]["transformationDescription"] == "email"
    # what decides the rows decides the column
    assert inputs["k"]["transformations"] == [
        {"type": "INDIRECT", "subtype": "FILTER", "description": "", "masking": False}
    ]
    assert inputs["k"]["transformationType"] == "FILTER"
    assert {edge["destination"] for edge in contact["inEdges"]} == {
        column(BRONZE, "k"),
        column(BRONZE, "email"),
    }
    assert contact["outEdges"] == []
    near = nodes(client.get_column_lineage_by_dataset(LAKE, SILVER, depth=1))
    assert f"{database}:email" not in near
    assert len(near) == 4


def test_column_lineage_of_a_column_both_ways(client: MarquezClient) -> None:
    answer = nodes(
        client.get_column_lineage_by_dataset_field(LAKE, BRONZE, "email", with_downstream=True)
    )
    assert sorted(answer) == sorted(
        [
            column(BRONZE, "email"),
            column(SILVER, "contact"),
            f"datasetField:{DATABASE}:{CUSTOMERS}:email",
        ]
    )
    email = answer[column(BRONZE, "email")]
    assert email["outEdges"] == [
        {"origin": column(BRONZE, "email"), "destination": column(SILVER, "contact")}
    ]
    only_up = nodes(client.get_column_lineage_by_dataset_field(LAKE, BRONZE, "email"))
    assert column(SILVER, "contact") not in only_up


def test_column_lineage_as_of_a_version(client: MarquezClient) -> None:
    newest, first = client.list_dataset_versions(LAKE, SILVER)["versions"]

    def email(version: str) -> Any:
        answer = nodes(client.get_column_lineage_by_dataset(LAKE, SILVER, version=version))
        data = answer[f"{column(SILVER, 'contact')}#{version}"]["data"]
        assert data["datasetVersion"] == version
        return next(each for each in data["inputFields"] if each["field"] == "email")

    assert email(newest["version"])["transformationType"] == "TRANSFORMATION"
    then = email(first["version"])
    assert (then["transformationType"], then["transformationDescription"]) == (
        "MASKED",
        "sha2(email)",
    )
    assert then["transformations"] == [
        {
            "type": "DIRECT",
            "subtype": "TRANSFORMATION",
            "description": "sha2(email)",
            "masking": True,
        }
    ]
    bronze = client.list_dataset_versions(LAKE, BRONZE)["versions"]
    # the version of the input is that of the moment as well
    assert then["datasetVersion"] == bronze[1]["version"]


def test_column_lineage_of_a_job(client: MarquezClient) -> None:
    answer = nodes(client.get_column_lineage_by_job("spark", "mask", depth=1))
    assert sorted(answer) == sorted(
        [
            column(SILVER, "k"),
            column(SILVER, "contact"),
            column(BRONZE, "k"),
            column(BRONZE, "email"),
        ]
    )


def test_events(client: MarquezClient) -> None:
    sent = story()
    found = client.list_events()
    assert found["totalCount"] == len(sent)
    by_time = sorted(sent, key=lambda event: event["eventTime"], reverse=True)
    assert found["events"] == by_time
    assert client.list_events(limit=2, offset=1)["events"] == by_time[1:3]
    flink = client.list_events(namespace="flink")
    assert [event["job"]["name"] for event in flink["events"]] == ["export"]


def test_tags(client: MarquezClient) -> None:
    assert [tag["name"] for tag in client.list_tags()["tags"]] == ["PII:EMAIL", "gold", "nightly"]
    assert [tag["name"] for tag in client.list_tags(limit=1, offset=1)["tags"]] == ["gold"]


def test_what_is_not_there_is_an_error_of_the_api(client: MarquezClient) -> None:
    nothing = identity("nothing")
    calls: tuple[Callable[[], Any], ...] = (
        lambda: client.get_namespace("nowhere"),
        lambda: client.list_datasets("nowhere"),
        lambda: client.get_dataset(LAKE, "nothing"),
        lambda: client.get_dataset_version(LAKE, SILVER, nothing),
        lambda: client.list_dataset_versions(LAKE, "nothing"),
        lambda: client.get_job("spark", "nothing"),
        lambda: client.list_jobs("nowhere"),
        lambda: client.list_job_runs("spark", "nothing"),
        lambda: client.get_job_run(nothing),
        lambda: client.get_source("nothing"),
        lambda: client.get_column_lineage_by_dataset(LAKE, "nothing"),
        lambda: client.get_column_lineage_by_dataset(LAKE, SILVER, version=nothing),
        lambda: client.get_column_lineage_by_dataset_field(LAKE, SILVER, "nothing"),
        lambda: client.get_column_lineage_by_job("spark", "nothing"),
    )
    for ask in calls:
        with pytest.raises(APIError) as caught:
            ask()
        assert caught.value.__cause__.response.status_code == 404
        assert caught.value.__cause__.response.json()["error"].startswith("there is no such ")


def test_writing_is_refused_and_says_where_to(client: MarquezClient) -> None:
    calls: tuple[Callable[[], Any], ...] = (
        lambda: client.create_namespace("mine", "me"),
        lambda: client.create_tag("mine"),
        lambda: client.tag_dataset(LAKE, SILVER, "mine"),
        lambda: client.tag_dataset_field(LAKE, SILVER, "k", "mine"),
    )
    for write in calls:
        with pytest.raises(APIError) as caught:
            write()
        answer = caught.value.__cause__.response
        assert answer.status_code == 405
        assert answer.json()["next_step"] == "send an event that tells it to POST /api/v1/lineage"
