"""A table with sixty nights, upkeep, quarantine and a write past Penstock, in a real lake.

Told as of now, since the commits of its lake are; no later moment is on the server's clock.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from penstock.events.producer import PRODUCER
from penstock.events.run_facts import physical_name
from penstock.evidence.table_histories import TableHistories
from penstock.resources.lake import Lake
from penstock.schemas.model import ColumnModel, ContractModel
from tests.ledger.told_events import FACET, dataset, identity, run_event, schema, symlinks

if TYPE_CHECKING:
    from pathlib import Path

NAME = "silver.orders"
NIGHTS = 56
CURIOUS, MODEST = 54, 55
SETS_ASIDE, SETS_MORE_ASIDE = 40, 50
QUARANTINE = "/lake/_quarantine/silver/orders"
REASONS = (
    "compact 1 of 1 partitions: 40 of 40 files are under 16.0 MiB; about 39 files fewer",
    "no purge: 0.0% of rows are marked deleted; purging starts at 10.0% of a partition",
    "no vacuum: the policy gives no retain_hours",
)


class Kept:
    """The lake, and what is told of it."""

    def __init__(self, folder: Path) -> None:
        lake = Lake(root=str(folder / "lake"), landing=str(folder))
        self.histories = TableHistories([lake.table(NAME)])
        self.now = datetime.now(UTC).replace(microsecond=0)
        self._uri = lake.table(NAME).uri
        self._events: list[dict[str, Any]] = []

    @property
    def id(self) -> str:
        """The API's id of the table."""
        return "|".join(physical_name(self._uri))

    def contract(self) -> ContractModel:
        """It promises rows every day."""
        columns = (
            ColumnModel(name="order_id", type="string", key=True),
            ColumnModel(name="amount", type="decimal(10,2)"),
        )
        return ContractModel(
            name=NAME,
            version="1.2.0",
            owner="Orders",
            description="One row an order.",
            columns=columns,
            freshness=timedelta(days=1),
        )

    def told(self) -> list[dict[str, Any]]:
        """Writes the table and gives the events of its runs."""
        for night in range(1, NIGHTS + 1):
            ago = timedelta(hours=3 * (NIGHTS - night) + 4)
            aside = {SETS_ASIDE: 5, SETS_MORE_ASIDE: 2}.get(night, 0)
            own: dict[str, Any] = {
                "slice": (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=night))
                .date()
                .isoformat(),
                "rowsIn": 100 + night + aside,
                "rowsCommitted": 100 + night,
                "rowsQuarantined": aside,
            }
            if aside:
                own["quarantinedByRule"] = {"amount:ge": aside, "order_id:not_null": 1}
                own["quarantine"] = QUARANTINE
            size = {"size": 4096 + 97 * (night * 37 % 41), "fileCount": 1, "rowCount": 100 + night}
            self._run(f"night {night}", ago, own=own, statistics=size)
            if night in {CURIOUS, MODEST}:
                self._seen(f"night {night}", ago, reads=night == CURIOUS)
            if night == SETS_ASIDE:
                self._keep(ago - timedelta(hours=1))
        self._commit(None)
        self._run("broken", timedelta(hours=3), end="FAIL")
        self._run("unchanged", timedelta(hours=2), own={"rowsIn": 0, "rowsCommitted": 0})
        return self._events

    def _keep(self, ago: timedelta) -> None:
        before = {"files": 40, "bytes": 180_000, "expiredFiles": 0}
        facet = {
            "status": "done",
            "operations": ["OPTIMIZE"],
            "reasons": list(REASONS),
            "before": before,
            "after": {"files": 1, "bytes": 41_000, "expiredFiles": 40},
        }
        self._run(
            "upkeep",
            ago,
            job=f"upkeep.compaction.{NAME}",
            kind="COMPACTION",
            facets={"penstock_upkeep": facet},
            statistics={"size": 41_000, "fileCount": 1},
        )

    def _seen(self, run: str, ago: timedelta, *, reads: bool) -> None:
        """What OpenLineage's Spark listener tells of a query in a run of ours."""
        customers = dataset("/lake/silver/customers", schema=schema("email"))
        event = run_event(
            "COMPLETE",
            0,
            "penstock.scan",
            run=f"query in {run}",
            inputs=(customers,) if reads else (),
            run_facets={"spark_jobDetails": {"jobId": 7, "jobGroup": identity(run)}},
            namespace="spark",
        )
        event["eventTime"] = (self.now - ago - timedelta(minutes=1)).isoformat()
        self._events.append(event)

    def _run(
        self,
        name: str,
        ago: timedelta,
        *,
        job: str = NAME,
        kind: str = "DATASET",
        end: str = "COMPLETE",
        own: dict[str, Any] | None = None,
        facets: dict[str, Any] | None = None,
        statistics: dict[str, Any] | None = None,
    ) -> None:
        wrote = end == "COMPLETE" and statistics
        version = {"version": {"datasetVersion": str(self._commit(name, kind))}} if wrote else {}
        space, place = physical_name(self._uri)
        named = symlinks(("penstock", NAME))
        columns = schema("order_id", "amount")
        written = dataset(place, namespace=space, symlinks=named, schema=columns, **version)
        if statistics:
            written["outputFacets"] = {"outputStatistics": {**FACET, **statistics}}
        run_facets = {"penstock_run": {"dataset": NAME, "attempt": 1, **(own or {})}}
        for event_type, at in (("START", ago + timedelta(minutes=2)), (end, ago)):
            event = run_event(
                event_type,
                0,
                job,
                run=name,
                outputs=(written,),
                run_facets={**run_facets, **(facets or {})},
                namespace="penstock",
            )
            event["eventTime"] = (self.now - at).isoformat()
            event["producer"] = PRODUCER
            told = {"processingType": "BATCH", "integration": "PENSTOCK", "jobType": kind}
            event["job"]["facets"] = {"jobType": {**FACET, **told}}
            self._events.append(event)

    def _commit(self, run: str | None, kind: str = "DATASET") -> int:
        """One commit to the table; without a run it is somebody's who is not Penstock."""
        note = {"penstock": 1, "run_id": identity(run)} if run else None
        if note and kind == "COMPACTION":
            note["upkeep"] = "compaction"
        metadata = {"userMetadata": json.dumps(note)} if note else {"userName": "eve"}
        properties = CommitProperties(custom_metadata=metadata)
        if kind == "COMPACTION":
            DeltaTable(self._uri).optimize.compact(commit_properties=properties)
        else:
            rows = pa.table({"order_id": ["a"], "amount": [1]})
            write_deltalake(self._uri, rows, mode="append", commit_properties=properties)
        return DeltaTable(self._uri).version()
