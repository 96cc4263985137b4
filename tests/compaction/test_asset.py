"""Upkeep as the deployment runs it: the Dagster asset, with its policies, on small files."""

from __future__ import annotations

import io
import json
import os
import threading
import time
import uuid
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from compaction.policies import DEFAULT, POLICIES
from penstock import Append, Contract, Merge, column, dataset, landing, run
from penstock.assets.recovery import settle_dead_runs
from penstock.compaction.apply import apply
from penstock.compaction.asset import compaction_asset
from penstock.compaction.policy import CompactionPolicy
from penstock.errors import LakeError
from penstock.ledger import Runner, utc_now
from penstock.resources.interruption import Interruption, interruptible
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.scratch import UNPACKED, folder_of
from penstock.resources.settings import Profile
from penstock.schemas.contract import model_of
from penstock.testing import temporary_lake
from tests.openlineage_schema import openlineage_errors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock import Runtime
    from penstock.compaction import CompactionOutcome

pytestmark = pytest.mark.slow

NIGHTS = 5


class Seats(Contract, name="bronze.seats", version="1.0.0", owner="team:travel"):
    """One seat that was sold. Its table is kept as the deployment keeps any other."""

    seat_id: int = column(key=True)
    sold_on: date = column()


class Bookings(Contract, name="silver.bookings", version="1.0.0", owner="team:travel"):
    """One booking. The deployment has a policy of its own for this name."""

    seat_id: int = column(key=True)
    sold_on: date = column()


class Never(Contract, name="gold.never", version="1.0.0", owner="team:travel"):
    """A table that was never written."""

    seat_id: int = column(key=True)


@dataset(Seats, inputs={"raw": landing("seats/*.csv")}, write=Append())
def seats(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Bookings, inputs={"raw": landing("seats/*.csv")}, write=Append())
def bookings(raw: DataFrame) -> DataFrame:
    return raw


@dataclass(frozen=True)
class Kept:
    """A lake after some nights, and its upkeep."""

    runtime: Runtime
    spark: SparkSession
    upkeep: dg.AssetsDefinition
    resources: dict[str, Any]

    def table(self, spec: Any) -> tuple[int, int, list[Any]]:
        """(version, files, rows) of a table."""
        table = self.runtime.lake.table(spec.name)
        log = table.read()
        assert log is not None
        frame = self.spark.read.format("delta").load(table.path)
        return log.version, log.files()[0], sorted(tuple(row) for row in frame.collect())

    def tend(self) -> dg.ExecuteInProcessResult:
        """One run of the asset."""
        with dg.DagsterInstance.ephemeral() as instance:
            return dg.materialize([self.upkeep], resources=self.resources, instance=instance)

    def upkeep_events(self) -> list[tuple[str, str, Any]]:
        """(event type, job, payload) of upkeep's events, oldest first."""
        payloads = [event.payload for event in self.runtime.ledger.events()]
        return [
            (p["eventType"], p["job"]["name"], p)
            for p in payloads
            if p["job"]["name"].startswith("upkeep.")
        ]


@pytest.fixture
def kept(spark: SparkSession, tmp_path: Path) -> Kept:
    """Five nights, each of which left a small file in both tables."""
    runtime = temporary_lake(tmp_path)
    folder = tmp_path / "landing" / "seats"
    folder.mkdir()
    for night in range(NIGHTS):
        (folder / f"{night}.csv").write_text(f"seat_id,sold_on\n{night},2013-02-0{night + 1}\n")
        for spec in (seats, bookings):
            run(spec, spark, runtime=runtime)
    return Kept(
        runtime=runtime,
        spark=spark,
        upkeep=compaction_asset(
            [seats.model, bookings.model, model_of(Never)], policies=POLICIES, default=DEFAULT
        ),
        resources={
            "lake": runtime.lake,
            "ledger": LedgerResource(url=f"sqlite:///{tmp_path / 'ledger.db'}"),
            "cluster": LocalCluster(profile=Profile.SMALL, cores=2),
        },
    )


def facts_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (made,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in made.materialization.metadata.items()}


def test_small_files_become_one_with_facts_and_events_and_then_nothing_is_left_to_do(
    kept: Kept,
) -> None:
    killed = kept.runtime.lake.scratch(UNPACKED)
    killed.put(f"{folder_of(utc_now() - timedelta(days=3))}/a.zip~", io.BytesIO(b"of a dead run"))
    before = {spec.name: kept.table(spec) for spec in (seats, bookings)}
    assert [files for _, files, _ in before.values()] == [NIGHTS, NIGHTS]

    result = kept.tend()

    assert result.success
    for spec in (seats, bookings):
        version, files, rows = kept.table(spec)
        assert (version, files) == (before[spec.name][0] + 1, 1)
        assert rows == before[spec.name][2]
    facts = facts_of(result)
    assert (facts["files_before"], facts["files_after"]) == (2 * NIGHTS, 2)
    assert facts["bytes_before"] > facts["bytes_after"] > 0
    assert f"| bronze.seats | done | {NIGHTS} | 1 |" in facts["tables"]
    assert facts["details"]["silver.bookings"]["after"]["files"] == 1
    assert "gold.never" not in facts["details"]
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("rows_unchanged", True)

    events = kept.upkeep_events()
    assert [(kind, job) for kind, job, _ in events] == [
        (kind, f"upkeep.compaction.{spec.name}")
        for spec in (seats, bookings)
        for kind in ("START", "COMPLETE")
    ]
    assert [openlineage_errors(payload) for _, _, payload in events] == [[]] * 4
    for _, _, payload in events:
        assert payload["run"]["facets"]["parent"]["run"]["runId"] == result.run_id
    (written,) = events[1][2]["outputs"]
    assert written["outputFacets"]["outputStatistics"]["fileCount"] == 1
    upkeep = events[1][2]["run"]["facets"]["penstock_upkeep"]
    assert (upkeep["status"], upkeep["operations"]) == ("done", ["OPTIMIZE"])
    assert (upkeep["before"]["files"], upkeep["after"]["files"]) == (NIGHTS, 1)
    assert any(reason.startswith("compact") for reason in upkeep["reasons"])
    assert written["facets"]["version"]["datasetVersion"] == str(kept.table(seats)[0])

    after = [kept.table(spec) for spec in (seats, bookings)]
    again = kept.tend()

    assert again.success
    assert [kept.table(spec) for spec in (seats, bookings)] == after
    assert kept.upkeep_events() == events
    statuses = facts_of(again)["details"]
    assert {name: told["status"] for name, told in statuses.items()} == {
        "bronze.seats": "nothing",
        "silver.bookings": "nothing",
    }
    assert json.dumps(statuses)
    assert killed.folders() == []


def test_a_table_with_another_inside_is_compacted_and_never_vacuumed(
    kept: Kept,
) -> None:
    outer = Path(kept.runtime.lake.table(seats.name).path)
    # by whom and when ever: an old file of the inner table is an orphan to VACUUM of the outer
    write_deltalake(str(outer / "old" / "lines"), pa.table({"n": [1, 2, 3]}))
    long_ago = time.time() - 400 * 24 * 3600
    for file in outer.rglob("*.parquet"):
        os.utime(file, (long_ago, long_ago))
    policy = CompactionPolicy(min_files=2, retain_hours=168)
    upkeep = compaction_asset([seats.model, bookings.model], default=policy)
    before = {spec.name: kept.table(spec) for spec in (seats, bookings)}

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [upkeep], resources=kept.resources, instance=instance, raise_on_error=False
        )

    assert not result.success
    (failure,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "bronze.seats: another table lies inside this one" in str(failure.event_specific_data)
    assert DeltaTable(outer / "old" / "lines").to_pyarrow_table().num_rows == 3
    for spec in (seats, bookings):  # both are compact, and the other was not kept from it
        _, files, rows = kept.table(spec)
        assert (files, rows) == (1, before[spec.name][2])
    told = [payload for kind, _, payload in kept.upkeep_events() if kind == "COMPLETE"]
    (reason,) = [
        reason
        for reason in told[0]["run"]["facets"]["penstock_upkeep"]["reasons"]
        if "vacuum" in reason
    ]
    assert reason == "no vacuum: a table inside this one would lose its files"


def test_upkeep_that_is_asked_to_end_goes_to_no_other_table_and_tells_abort(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    interruption = Interruption()

    def cancelled(*_: Any, **__: Any) -> None:
        interruption.ask()
        raise LakeError("as Spark tells of a job that was cancelled", next_step="run it again")

    monkeypatch.setattr("penstock.compaction.asset.apply", cancelled)
    with interruptible(interruption), dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [kept.upkeep], resources=kept.resources, instance=instance, raise_on_error=False
        )
    assert not result.success
    assert [kind for kind, _, _ in kept.upkeep_events()] == ["START", "ABORT"]


def test_a_log_that_keeps_less_than_was_promised_fails_the_step_and_is_named(kept: Kept) -> None:
    path = kept.runtime.lake.table(seats.name).path

    def say(properties: str) -> None:
        kept.spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ({properties})").collect()

    def failure() -> str:
        with dg.DagsterInstance.ephemeral() as instance:
            result = dg.materialize(
                [kept.upkeep], resources=kept.resources, instance=instance, raise_on_error=False
            )
        failed = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
        return "".join(str(event.event_specific_data) for event in failed)

    # Delta has the log keep no less than the files
    files = "'delta.deletedFileRetentionDuration' = 'interval 100 hours'"
    say(f"{files}, 'delta.logRetentionDuration' = 'interval 167 hours'")
    told = failure()
    assert "bronze.seats: the table's log keeps old versions for less than was promised" in told
    assert "'delta.logRetentionDuration' = 'interval 168 hours'" in told
    assert "silver.bookings" not in told
    assert [kept.table(spec)[1] for spec in (seats, bookings)] == [1, 1]
    # nothing to do is no promise kept
    assert "bronze.seats" in failure()
    say("'delta.enableExpiredLogCleanup' = 'false'")
    assert failure() == ""
    say(
        "'delta.enableExpiredLogCleanup' = 'true', 'delta.logRetentionDuration' = 'interval 1 week'"
    )
    assert failure() == ""


def test_upkeep_beats_while_it_is_at_work(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    beating: list[list[str]] = []

    def applied(*given: Any, **named: Any) -> CompactionOutcome:
        names = [thread.name for thread in threading.enumerate()]
        beating.append([name for name in names if name.startswith("heartbeat-")])
        return apply(*given, **named)

    monkeypatch.setattr("penstock.compaction.asset.apply", applied)
    assert kept.tend().success
    runs = [payload["run"]["runId"] for kind, _, payload in kept.upkeep_events() if kind == "START"]
    assert beating == [[f"heartbeat-{run_id}"] for run_id in runs]


def test_upkeep_that_died_is_told_as_ended_and_not_as_done(kept: Kept) -> None:
    assert kept.tend().success
    ledger, upkeep = kept.runtime.ledger, "upkeep.compaction.bronze.seats"
    # as another host began it that then was heard no more of, after its commit
    start = dict(ledger.events(job=upkeep, event_type="START")[-1].payload)
    begun = utc_now()
    start["eventTime"] = begun.isoformat()
    ledger.append(start, runner=replace(Runner.here(), host="another-host"))
    later = replace(kept.runtime, clock=lambda: begun + timedelta(minutes=16))
    run_id = uuid.UUID(start["run"]["runId"])
    settled = settle_dead_runs(later)
    assert (settled.completed, settled.aborted) == ((), (run_id,))
    assert [kind for kind, job, _ in kept.upkeep_events() if job == upkeep][-1] == "ABORT"


def test_the_night_after_upkeep_is_one_like_any_other(kept: Kept) -> None:
    merging = dataset(Seats, inputs={"raw": landing("seats/*.csv")}, write=Merge())(lambda raw: raw)
    landed = Path(kept.runtime.lake.landing) / "seats"
    for night, spec in enumerate((seats, merging), NIGHTS):
        assert kept.tend().success
        (landed / f"{night}.csv").write_text(f"seat_id,sold_on\n{night},2013-03-01\n")
        assert run(spec, kept.spark, runtime=kept.runtime).rows_changed == 1
    assert len(kept.table(seats)[2]) == NIGHTS + 2
