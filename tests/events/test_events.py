"""Events: valid OpenLineage, whole, pure, and free of row values."""

from __future__ import annotations

import dataclasses
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.extensions.json import JSONSnapshotExtension

from penstock.errors import InputError
from penstock.events import (
    Assertion,
    ColumnMetric,
    DatasetRef,
    JobKind,
    ParentRun,
    ProcessingEngine,
    RunError,
    RunFacts,
    RunIdentity,
    SourceLocation,
    TableFiles,
    Upkeep,
    abort_event,
    abort_payload,
    complete_event,
    event_payload,
    fail_event,
    physical_name,
    run_id,
    start_event,
)
from penstock.events.field_type import field_parts
from penstock.lineage.column_lineage import ColumnLineage, Origin, Subtype, Unknown
from penstock.schemas.model import ColumnModel, ContractModel, Pii, Severity
from tests.openlineage_schema import openlineage_errors

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

AT = datetime(2013, 1, 2, 3, 4, 5, tzinfo=UTC)
DAGSTER_RUN = uuid.UUID("6f1d4c1e-0000-4000-8000-000000000001")

CONTRACT = ContractModel(
    name="silver.bookings",
    version="2.1.0",
    owner="team:travel",
    description="One row per booking.",
    columns=(
        ColumnModel(name="booking_id", type="string", key=True, description="Its number"),
        ColumnModel(name="email", type="string", pii=Pii.EMAIL, nullable=True, masked=True),
        ColumnModel(name="fare", type="decimal(10,2)", unit="USD"),
        ColumnModel(name="legs", type="array<struct<from:string,to:struct<code:string>>>"),
        ColumnModel(name="extras", type="map<string,decimal(10,2)>"),
    ),
)
RAW = DatasetRef(
    namespace="file",
    name="/lake/bronze/bookings",
    asset_key="bronze.bookings",
    version="7",
    row_count=100,
    bytes=4096,
    files=2,
)
IDENTITY = RunIdentity(
    run_id=run_id(str(DAGSTER_RUN), "silver.bookings", "2013-01-01", 2),
    job_namespace="penstock",
    job_name="silver.bookings",
    attempt=2,
    slice_key="2013-01-01",
    nominal_start=datetime(2013, 1, 1, tzinfo=UTC),
    nominal_end=datetime(2013, 1, 2, tzinfo=UTC),
    parent=ParentRun(run_id=DAGSTER_RUN, job_name="nightly", job_namespace="dagster"),
)
BEGUN = RunFacts(
    identity=IDENTITY,
    inputs=(RAW,),
    output=DatasetRef.at("s3a://lake/silver/bookings", "silver.bookings", contract=CONTRACT),
    token="silver.bookings:2013-01-01:abc",
    code_version="c0de",
    engine=ProcessingEngine(name="spark", version="4.2.0", adapter_version="0.1.0"),
    source=SourceLocation(
        repository_url="https://git.example.com/travel/pipelines.git",
        path="assets/bookings.py",
        commit="0" * 40,
        line=12,
    ),
)
DONE = dataclasses.replace(
    BEGUN,
    output=dataclasses.replace(BEGUN.output, version="3"),
    rows_in=100,
    rows_committed=97,
    rows_quarantined=3,
    quarantined_by_rule={"fare:ge": 2, "booking_id:not_null": 1},
    bytes=2048,
    files=1,
    committed=True,
    assertions=(
        Assertion(check_id="fare:ge", name="ge", success=False, column="fare", failed_rows=2),
        Assertion(check_id="email:format", name="format", success=True, severity=Severity.WARN),
    ),
    column_metrics={"email": ColumnMetric(null_count=4, count=97)},
    column_lineage=ColumnLineage(
        fields={
            "booking_id": (
                Origin(dataset="bronze.bookings", column="id", subtype=Subtype.IDENTITY),
            ),
            "email": (
                Origin(
                    dataset="/lake/bronze/bookings",
                    column="email",
                    subtype=Subtype.TRANSFORMATION,
                    masking=True,
                ),
                Origin(dataset="bronze.bookings", column="email", subtype=Subtype.CONDITIONAL),
            ),
            "fare": (),
            "legs": (Origin(dataset="elsewhere", column="x", subtype=Subtype.IDENTITY),),
        },
        dataset=(Origin(dataset="bronze.bookings", column="day", subtype=Subtype.FILTER),),
        unknown=(
            Unknown(column="extras", reason="made by a Python generator"),
            Unknown(column=None, reason="rows come from mapInPandas"),
        ),
    ),
)


def facets_of_output(payload: dict[str, Any]) -> dict[str, Any]:
    (output,) = payload["outputs"]
    facets: dict[str, Any] = output["facets"]
    return facets


EVENTS = {
    "start": start_event(BEGUN, at=AT),
    "complete": complete_event(DONE, at=AT),
    "fail": fail_event(DONE, ValueError("x"), at=AT),
    "abort": abort_event(BEGUN, "cancelled by the user", at=AT),
    "bare": start_event(
        RunFacts(
            identity=RunIdentity(
                run_id=DAGSTER_RUN, job_namespace="penstock", job_name="bronze.weather"
            ),
            output=DatasetRef.at("/lake/bronze/weather", "bronze.weather"),
            kind=JobKind.COMPACTION,
        ),
        at=AT,
    ),
}


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_is_valid_openlineage(kind: str) -> None:
    assert openlineage_errors(event_payload(EVENTS[kind])) == []


def test_the_check_is_strict() -> None:
    payload = event_payload(EVENTS["complete"])
    facets = facets_of_output(payload)
    facets["version"]["datasetVersion"] = 3
    facets["columnLinage"] = facets.pop("columnLineage")
    facets["schema"]["_schemaURL"] = "https://openlineage.io/spec/facets/9-9-9/Schema.json"
    facets["tags"]["tags"][0]["colour"] = "red"
    del payload["run"]["facets"]["processing_engine"]["version"]
    payload["run"]["runId"] = "not-a-uuid"
    payload["eventTime"] = "yesterday"
    payload["run"]["facets"]["penstock_run"]["attempt"] = 0
    assert len(openlineage_errors(payload)) == 8


def test_start_names_inputs_at_their_versions_and_the_output_by_its_contract() -> None:
    payload = event_payload(EVENTS["start"])
    (read,) = payload["inputs"]
    assert (read["namespace"], read["name"]) == ("file", "/lake/bronze/bookings")
    assert read["facets"]["version"]["datasetVersion"] == "7"
    assert read["inputFacets"]["inputStatistics"]["rowCount"] == 100
    (output,) = payload["outputs"]
    assert (output["namespace"], output["name"]) == ("s3://lake", "silver/bookings")
    assert output["facets"]["symlinks"]["identifiers"] == [
        {"namespace": "penstock", "name": "silver.bookings", "type": "TABLE"}
    ]
    assert output["facets"]["ownership"]["owners"][0]["name"] == "team:travel"
    assert payload["job"]["facets"]["jobType"]["jobType"] == "DATASET"
    assert payload["job"]["facets"]["sourceCodeLocation"]["url"] == (
        f"https://git.example.com/travel/pipelines/blob/{'0' * 40}/assets/bookings.py#L12"
    )


def test_parent_is_the_dagster_run_and_root_of_itself() -> None:
    parent = event_payload(EVENTS["start"])["run"]["facets"]["parent"]
    assert parent["run"] == {"runId": str(DAGSTER_RUN)}
    assert parent["root"]["run"] == {"runId": str(DAGSTER_RUN)}
    assert parent["root"]["job"] == {"namespace": "dagster", "name": "nightly"}


def test_schema_carries_nested_fields_and_tags_carry_personal_data_classes() -> None:
    facets = facets_of_output(event_payload(EVENTS["complete"]))
    legs = next(field for field in facets["schema"]["fields"] if field["name"] == "legs")
    assert legs["type"] == "array"
    assert [field["name"] for field in legs["fields"][0]["fields"]] == ["from", "to"]
    tags = {(tag.get("field"), tag["key"]): tag["value"] for tag in facets["tags"]["tags"]}
    assert tags["email", "pii"] == "email"
    assert tags["email", "masked"] == "true"
    assert tags["fare", "unit"] == "USD"
    assert tags[None, "contract"] == "silver.bookings@2.1.0"


def test_column_lineage_tells_types_masking_and_what_shapes_the_rows() -> None:
    lineage = facets_of_output(event_payload(EVENTS["complete"]))["columnLineage"]
    (email,) = lineage["fields"]["email"]["inputFields"]
    assert email["name"] == "/lake/bronze/bookings"
    assert [(t["type"], t["subtype"], t["masking"]) for t in email["transformations"]] == [
        ("DIRECT", "TRANSFORMATION", True),
        ("INDIRECT", "CONDITIONAL", False),
    ]
    (rows,) = lineage["dataset"]
    assert rows["field"] == "day"
    assert rows["transformations"][0]["subtype"] == "FILTER"


def test_what_lineage_cannot_know_is_said_with_its_reason() -> None:
    payload = event_payload(EVENTS["complete"])
    lineage = facets_of_output(payload)["columnLineage"]
    assert lineage["fields"]["extras"] == {"inputFields": []}
    assert lineage["fields"]["legs"] == {"inputFields": []}
    assert payload["run"]["facets"]["penstock_run"]["lineageUnknown"] == [
        {"field": "extras", "reason": "made by a Python generator"},
        {"reason": "rows come from mapInPandas"},
        {"field": "legs", "reason": "reads elsewhere, which is not a declared input"},
    ]


def test_complete_counts_what_was_committed_and_what_was_set_aside() -> None:
    payload = event_payload(EVENTS["complete"])
    (output,) = payload["outputs"]
    statistics = output["outputFacets"]["outputStatistics"]
    assert (statistics["rowCount"], statistics["size"], statistics["fileCount"]) == (97, 2048, 1)
    facet = payload["run"]["facets"]["penstock_run"]
    assert facet["quarantinedByRule"] == {"fare:ge": 2, "booking_id:not_null": 1}
    assert facet["inputVersions"] == {"bronze.bookings": "7"}
    assert facet["contractFingerprint"] == CONTRACT.fingerprint()
    check = output["facets"]["dataQualityAssertions"]["assertions"][0]
    assert (check["name"], check["success"], check["severity"]) == ("fare:ge", False, "error")
    assert check["params"] == {"failedRows": 2}


def test_upkeep_says_what_it_did_and_why_and_a_run_where_bad_rows_lie() -> None:
    before = TableFiles(files=9, bytes=900, expired_files=0)
    upkeep = Upkeep(
        status="done",
        operations=("OPTIMIZE",),
        reasons=("compact 1 of 1 partitions",),
        before=before,
        after=dataclasses.replace(before, files=1, expired_files=9),
    )
    facts = dataclasses.replace(DONE, upkeep=upkeep, quarantine="s3a://lake/_quarantine/x")
    payload = event_payload(complete_event(facts, at=AT))
    assert openlineage_errors(payload) == []
    facets = payload["run"]["facets"]
    assert facets["penstock_run"]["quarantine"] == "s3a://lake/_quarantine/x"
    told = facets["penstock_upkeep"]
    assert (told["before"]["files"], told["after"]["expiredFiles"]) == (9, 9)
    told["after"]["files"] = -1
    told["status"] = "well"
    assert len(openlineage_errors(payload)) == 2


def test_an_error_message_that_may_hold_a_row_value_is_withheld() -> None:
    canary = "anna.canary@example.com"

    class CastError(Exception):
        def getCondition(self) -> str:  # noqa: N802  # pyspark's spelling
            return "CAST_INVALID_INPUT"

    def body() -> None:
        try:
            dict[str, int]()[canary]
        except KeyError as error:
            raise CastError(f"cannot cast '{canary}' to INT") from error

    with pytest.raises(CastError) as caught:
        body()
    text = json.dumps(event_payload(fail_event(DONE, caught.value, at=AT)))
    assert canary not in text
    assert "CAST_INVALID_INPUT" in text
    assert "caused by KeyError" in text
    assert "in body" in text


def test_a_penstock_error_is_told_in_full() -> None:
    error = InputError("no such folder", where="bronze.weather", next_step="check the path")
    assert RunError.of(error).message == str(error)


def test_an_abort_made_of_a_start_is_the_same_run_with_a_reason() -> None:
    start = event_payload(EVENTS["start"])
    abort = abort_payload(start, "its process is gone", at=AT + timedelta(hours=1))
    assert openlineage_errors(abort) == []
    assert abort["eventType"] == "ABORT"
    assert abort["run"]["runId"] == start["run"]["runId"]
    assert abort["run"]["facets"]["errorMessage"]["message"] == "its process is gone"
    assert "errorMessage" not in start["run"]["facets"]


def test_a_complete_event_is_as_it_was_agreed(snapshot: SnapshotAssertion) -> None:
    assert event_payload(EVENTS["complete"]) == snapshot.use_extension(JSONSnapshotExtension)


def test_the_same_facts_give_the_same_event() -> None:
    assert event_payload(complete_event(DONE, at=AT)) == event_payload(EVENTS["complete"])


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        start_event(BEGUN, at=AT.replace(tzinfo=None))


names = st.text(min_size=1, max_size=8)


runs = st.tuples(names, names, st.none() | names, st.integers(1, 9))


@given(runs, runs)
def test_run_ids_are_stable_and_tell_runs_apart(
    one: tuple[str, str, str | None, int], other: tuple[str, str, str | None, int]
) -> None:
    assert (run_id(*one) == run_id(*other)) == (one == other)


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("/lake/a", ("file", "/lake/a")),
        ("file:/lake/a", ("file", "/lake/a")),
        ("file:///lake/a/", ("file", "/lake/a")),
        ("s3://b/k/a", ("s3://b", "k/a")),
        ("s3a://b/k/a/", ("s3://b", "k/a")),
        ("s3a://b", ("s3://b", "/")),
    ],
)
def test_physical_names_follow_the_naming_specification(
    location: str, name: tuple[str, str]
) -> None:
    assert physical_name(location) == name


@pytest.mark.parametrize(
    ("spark_type", "parts"),
    [
        ("bigint", ("bigint", ())),
        ("decimal(10,2)", ("decimal(10,2)", ())),
        ("map<string,decimal(10,2)>", ("map", (("key", "string"), ("value", "decimal(10,2)")))),
        ("struct<`a:b`:int,c:string>", ("struct", (("a:b", "int"), ("c", "string")))),
        ("struct<>", ("struct", ())),
    ],
)
def test_field_parts_take_one_level_apart(spark_type: str, parts: object) -> None:
    assert field_parts(spark_type) == parts
