"""A small story: customers are brought into a lake, masked, once not masked, and reported on."""

from __future__ import annotations

from typing import Any

from tests.ledger.told_events import (
    FACET,
    PRODUCER,
    dataset,
    identity,
    lineage,
    moment,
    run_event,
    schema,
    symlinks,
)

DATABASE = "postgres://db:5432"
LAKE = "s3://lake"
CUSTOMERS = "shop.public.customers"
BRONZE = "bronze/customers"
SILVER = "silver/customers"
STORE = {"name": "shop-db", "uri": "jdbc:postgresql://db:5432/shop"}
TAGS = {
    "tags": [
        {"key": "PII", "value": "EMAIL", "field": "email", "source": "CONTRACT"},
        {"key": "gold", "value": "true", "source": "USER"},
    ]
}
EMAIL_SCHEMA = {
    "fields": [
        {"name": "k", "type": "bigint"},
        {"name": "email", "type": "string", "description": "Where to write to."},
    ]
}


def story() -> list[dict[str, Any]]:
    """Runs i-1 and i-2 of ingest, m-1 (masked), m-2 (clear), m-3 (failed), m-4 (aborted)."""
    customers = dataset(
        CUSTOMERS, namespace=DATABASE, schema=EMAIL_SCHEMA, dataSource=STORE, tags=TAGS
    )
    copied = lineage(f"{CUSTOMERS}.k > k", f"{CUSTOMERS}.email > email", namespace=DATABASE)
    told = []
    for number in (1, 2):
        bronze = dataset(
            BRONZE,
            namespace=LAKE,
            schema=EMAIL_SCHEMA,
            columnLineage=copied,
            version={"datasetVersion": str(number)},
            symlinks=symlinks(("penstock", "bronze.customers")),
            documentation={"description": "As it was sent."},
        )
        run: dict[str, Any] = {"run": f"i-{number}", "inputs": (customers,), "outputs": (bronze,)}
        told += [
            run_event("START", 20 * number - 20, "ingest", **run),
            run_event("COMPLETE", 20 * number - 19, "ingest", **run),
        ]
    read = dataset(BRONZE, namespace=LAKE)
    # by its other name, and pinned to what it was before
    pinned = dataset("bronze.customers", namespace="penstock", version={"datasetVersion": "1"})
    told += [
        *_mask("m-1", 10, "COMPLETE", read, "~"),
        *_mask("m-2", 30, "COMPLETE", pinned, ">"),
        *_mask("m-3", 40, "FAIL", read, ">"),
        *_mask("m-4", 50, "ABORT", read, ">"),
    ]
    parent = {
        "run": {"runId": identity("dag")},
        "job": {"namespace": "airflow", "name": "daily"},
    }
    nominal = {"nominalStartTime": moment(0), "nominalEndTime": moment(1440)}
    told.append(
        run_event(
            "START",
            60,
            "daily.report",
            namespace="airflow",
            inputs=(dataset(SILVER, namespace=LAKE),),
            run_facets={"parent": parent, "nominalTime": nominal},
        )
    )
    told.append(job_event())
    return told


def job_event() -> dict[str, Any]:
    facets = {
        "documentation": {**FACET, "description": "Sends it to partners."},
        "sourceCodeLocation": {**FACET, "type": "git", "url": "https://example.com/export.py"},
        "jobType": {**FACET, "processingType": "STREAMING", "integration": "FLINK"},
        "tags": {**FACET, "tags": [{"key": "nightly", "value": "true"}]},
    }
    return {
        "eventTime": moment(70),
        "producer": PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
        "job": {"namespace": "flink", "name": "export", "facets": facets},
        "inputs": [dataset(SILVER, namespace=LAKE)],
        "outputs": [dataset("partners", namespace="kafka://k:9092", schema=schema("k"))],
    }


def _mask(run: str, minutes: float, end: str, read: Any, sign: str) -> list[dict[str, Any]]:
    made = lineage(
        f"{BRONZE}.k > k",
        f"{BRONZE}.email {sign} contact",
        rows=(f"{BRONZE}.k",),
        namespace=LAKE,
    )
    step = made["fields"]["contact"]["inputFields"][0]["transformations"][0]
    step["description"] = "sha2(email)" if sign == "~" else "email"
    silver = dataset(SILVER, namespace=LAKE, schema=schema("k", "contact"), columnLineage=made)
    return [
        run_event("START", minutes, "mask", run=run, inputs=(read,), outputs=(silver,)),
        run_event(end, minutes + 1, "mask", run=run, outputs=(silver,)),
    ]
