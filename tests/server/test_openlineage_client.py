"""OpenLineage's own Python client sends Penstock's events over HTTP, and they read back."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import DatasetEvent, StaticDataset
from openlineage.client.facet_v2 import documentation_dataset
from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport

from penstock.events import (
    DatasetRef,
    ParentRun,
    RunFacts,
    RunIdentity,
    complete_event,
    event_payload,
    fail_event,
    run_id,
    start_event,
)
from penstock.lineage.column_lineage import ColumnLineage, Origin, Subtype
from penstock.schemas.model import ColumnModel, ContractModel, Pii
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.server.live_server import LiveServer

AT = datetime(2026, 1, 1, tzinfo=UTC)
DAGSTER_RUN = uuid.UUID("6f1d4c1e-0000-4000-8000-000000000001")
CONTRACT = ContractModel(
    name="silver.bookings",
    version="2.1.0",
    owner="team:travel",
    description="One row per booking.",
    columns=(
        ColumnModel(name="booking_id", type="string", key=True),
        ColumnModel(name="email", type="string", pii=Pii.EMAIL, nullable=True, masked=True),
    ),
)
BRONZE = DatasetRef(
    namespace="file", name="/lake/bronze/bookings", asset_key="bronze.bookings", version="7"
)
FACTS = RunFacts(
    identity=RunIdentity(
        run_id=run_id(str(DAGSTER_RUN), "silver.bookings", "2026-01-01", 1),
        job_namespace="penstock",
        job_name="silver.bookings",
        attempt=1,
        slice_key="2026-01-01",
        parent=ParentRun(run_id=DAGSTER_RUN, job_name="nightly", job_namespace="dagster"),
    ),
    inputs=(BRONZE,),
    output=DatasetRef.at("s3a://lake/silver/bookings", "silver.bookings", contract=CONTRACT),
    token="silver.bookings:2026-01-01:abc",
    code_version="c0de",
    rows_in=100,
    rows_committed=97,
    committed=True,
    column_lineage=ColumnLineage(
        fields={
            "booking_id": (
                Origin(dataset="bronze.bookings", column="id", subtype=Subtype.IDENTITY),
            ),
            "email": (
                Origin(
                    dataset="bronze.bookings",
                    column="email",
                    subtype=Subtype.TRANSFORMATION,
                    masking=True,
                    description="sha2(email)",
                ),
                Origin(dataset="bronze.bookings", column="email", subtype=Subtype.CONDITIONAL),
            ),
        },
        dataset=(Origin(dataset="bronze.bookings", column="day", subtype=Subtype.FILTER),),
    ),
)
EVENTS = [
    start_event(FACTS, at=AT),
    complete_event(FACTS, at=AT + timedelta(minutes=1)),
]
SILVER = f"/namespaces/{quote('s3://lake', safe='')}/datasets/{quote('silver/bookings', safe='')}"


def client(server: LiveServer, compression: HttpCompression | None = None) -> OpenLineageClient:
    config = HttpConfig(
        url=server.url, timeout=PATIENCE_SECONDS, compression=compression, retry={"total": 0}
    )
    return OpenLineageClient(transport=HttpTransport(config))


def test_events_read_back_as_they_were_sent(server: LiveServer) -> None:
    sender = client(server)
    for event in EVENTS:
        sender.emit(event)
    sent = [event_payload(event) for event in EVENTS]
    answer = server.get("/events/lineage", sortDirection="asc")
    assert answer["events"] == sent
    assert [event.payload for event in server.ledger.events()] == sent


def test_the_run_and_what_it_made_read_back(server: LiveServer) -> None:
    sender = client(server)
    for event in EVENTS:
        sender.emit(event)
    run = server.get(f"/jobs/runs/{FACTS.identity.run_id}")
    assert (run["state"], run["durationMs"]) == ("COMPLETED", 60_000)
    assert run["facets"] == event_payload(EVENTS[1])["run"]["facets"]
    assert run["facets"]["penstock_run"]["rowsCommitted"] == 97
    job = server.get("/namespaces/penstock/jobs/silver.bookings")
    assert job["parentJobName"] == "nightly"
    assert job["inputs"] == [{"namespace": "file", "name": "/lake/bronze/bookings"}]
    silver = server.get(SILVER)
    assert [f["name"] for f in silver["fields"]] == ["booking_id", "email"]
    assert silver["description"] == "One row per booking."
    (output,) = event_payload(EVENTS[1])["outputs"]
    assert silver["facets"] == output["facets"]
    # by the name that the contract has
    assert server.get("/namespaces/penstock/datasets/silver.bookings") == silver
    version = server.get(f"{SILVER}/versions")["versions"][0]
    assert version["facets"] == output["facets"] | output["outputFacets"]
    email = {c["name"]: c for c in silver["columnLineage"]}["email"]["inputFields"][0]
    assert email["field"] == "email"
    assert (email["transformationType"], email["transformationDescription"]) == (
        "MASKED",
        "sha2(email)",
    )
    lineage = server.get("/column-lineage", nodeId="dataset:penstock:silver.bookings")["graph"]
    node = next(n for n in lineage if n["data"]["field"] == "email" and n["inEdges"])
    steps = {i["field"]: i["transformations"] for i in node["data"]["inputFields"]}
    assert [step["subtype"] for step in steps["email"]] == ["TRANSFORMATION", "CONDITIONAL"]
    assert [step["subtype"] for step in steps["day"]] == ["FILTER"]


def test_the_same_event_sent_again_is_kept_once(server: LiveServer) -> None:
    sender = client(server)
    for _ in range(3):
        sender.emit(EVENTS[0])
    assert server.get("/events/lineage")["totalCount"] == 1


def test_what_the_client_compresses_is_taken(server: LiveServer) -> None:
    client(server, HttpCompression.GZIP).emit(EVENTS[0])
    assert server.get("/events/lineage")["events"] == [event_payload(EVENTS[0])]


def test_a_run_that_failed_says_why_and_made_nothing(server: LiveServer) -> None:
    sender = client(server)
    sender.emit(EVENTS[0])
    sender.emit(fail_event(FACTS, ValueError("no such day"), at=AT + timedelta(minutes=2)))
    run = server.get(f"/jobs/runs/{FACTS.identity.run_id}")
    assert run["state"] == "FAILED"
    assert "ValueError" in run["facets"]["errorMessage"]["message"]
    assert server.get(f"{SILVER}/versions") == {"versions": [], "totalCount": 0}
    assert server.get(SILVER)["columnLineage"] == []


def test_an_event_about_a_dataset_alone(server: LiveServer) -> None:
    told = documentation_dataset.DocumentationDatasetFacet(description="What it is.")
    dataset = StaticDataset(namespace="file", name="/x y/ü", facets={"documentation": told})
    client(server).emit(
        DatasetEvent(eventTime=AT.isoformat(), producer="https://example.com", dataset=dataset)
    )
    found = server.get(f"/namespaces/file/datasets/{quote('/x y/ü', safe='')}")
    assert found["description"] == "What it is."


def test_an_event_that_is_refused_is_an_error_of_the_client(server: LiveServer) -> None:
    payload = event_payload(EVENTS[0])
    payload["run"]["runId"] = "no"
    answer = server.send([payload])
    assert answer.status_code == 422
    assert answer.json()["where"].endswith("$.run.runId")
    assert server.get("/events/lineage")["totalCount"] == 0
