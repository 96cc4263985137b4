"""The events of the ledger's benchmarks, and the bare insert that they are measured against."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AT", "COLUMNS", "FACET", "bare_per_second", "run_event"]

AT = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = 20
FACET = {"_producer": "https://example.com/bench", "_schemaURL": "https://example.com/f.json"}


def run_event(number: int, jobs: int) -> dict[str, Any]:
    """A COMPLETE of one of `jobs` nightly jobs: 20 columns, two inputs, 40 column edges."""
    job = number % jobs
    columns = [f"column_{i}" for i in range(COLUMNS)]
    inputs = [f"/lake/input_{job}_{i}" for i in (0, 1)]
    fields = {
        column: {
            "inputFields": [
                {
                    "namespace": "file",
                    "name": name,
                    "field": column,
                    "transformations": [
                        {"type": "DIRECT", "subtype": "IDENTITY", "masking": False}
                    ],
                }
                for name in inputs
            ]
        }
        for column in columns
    }
    schema = {**FACET, "fields": [{"name": c, "type": "string"} for c in columns]}
    output = {"schema": schema, "columnLineage": {**FACET, "fields": fields}}
    return {
        "eventType": "COMPLETE",
        "eventTime": (AT + timedelta(seconds=number)).isoformat(),
        "producer": "https://example.com/bench",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {
            "runId": str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
            "facets": {"nominalTime": {**FACET, "nominalStartTime": AT.isoformat()}},
        },
        "job": {"namespace": "bench", "name": f"job_{job}"},
        "inputs": [{"namespace": "file", "name": name, "facets": {}} for name in inputs],
        "outputs": [{"namespace": "file", "name": f"/lake/out_{job}", "facets": output}],
    }


def bare_per_second(path: Path, events: list[dict[str, Any]], batch: int) -> float:
    """The same bytes into a bare table, as durable: WAL, synchronous=FULL."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS e (id INTEGER PRIMARY KEY, body TEXT)")
        began = time.perf_counter()
        for start in range(0, len(events), batch):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO e (body) VALUES (?)",
                [(json.dumps(event),) for event in events[start : start + batch]],
            )
            connection.execute("COMMIT")
        return len(events) / (time.perf_counter() - began)
