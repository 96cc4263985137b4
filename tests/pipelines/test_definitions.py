from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from pipelines.definitions import defs
from pipelines.deployment import deployment

LAYERS = {
    "bronze": {"airlines", "airports", "bookings", "flights", "planes", "weather"},
    "silver": {"airlines", "airports", "bookings", "flights", "planes", "weather"},
    "gold": {"daily_punctuality", "delay_by_weather"},
    "features": {"route_delays"},
}
DAILY = {f"{layer}.{name}" for layer in LAYERS for name in LAYERS[layer]}


def selected(job: str) -> set[str]:
    keys = defs.resolve_job_def(job).asset_layer.executable_asset_keys
    return {".".join(key.path) for key in keys}


def test_dagster_takes_the_definitions() -> None:
    dg.Definitions.validate_loadable(defs)


def test_each_job_runs_what_it_says() -> None:
    assert selected("nightly") == DAILY
    assert selected("daily_masking") == {"shared.bookings"}
    assert selected("weekly_upkeep") == {"upkeep.compaction"}
    assert selected("reference") == {
        f"{layer}.{name}"
        for layer in ("bronze", "silver")
        for name in ("airlines", "airports", "planes")
    }


def test_every_dataset_is_run_by_a_schedule() -> None:
    schedules: Any = defs.schedules
    scheduled = set().union(*(selected(schedule.job_name) for schedule in schedules))
    assert {spec.name for spec in deployment.datasets} <= scheduled


def test_nothing_runs_by_itself_until_it_is_switched_on() -> None:
    stopped, off = dg.DefaultScheduleStatus.STOPPED, dg.DefaultSensorStatus.STOPPED
    assert {s.name for s in defs.schedules or ()} == {"nightly", "daily_masking", "weekly_upkeep"}
    assert all(schedule.default_status is stopped for schedule in defs.schedules or ())
    started = {s.name for s in defs.sensors or () if s.default_status is not off}
    assert {s.name for s in defs.sensors or ()} - started == {"new_files"}


def test_the_nightly_job_has_the_days_of_the_source() -> None:
    partitions = defs.resolve_job_def("nightly").partitions_def
    assert partitions is not None
    keys = partitions.get_partition_keys()
    assert (keys[0], keys[-1], len(keys)) == ("2013-01-01", "2013-12-31", 365)


@pytest.mark.parametrize("spec", deployment.datasets, ids=lambda spec: spec.name)
def test_a_dataset_explains_itself(spec: object) -> None:
    model = spec.model  # type: ignore[attr-defined]
    assert model.owner.startswith("team:")
    assert model.freshness
    assert [column.name for column in model.columns if not column.description] == []
    measures = ("minutes", "miles", "mph", "hours", "feet", "degrees", "utc", "percent", "inches")
    assert [
        column.name
        for column in model.columns
        if not column.unit and column.name.rpartition("_")[2] in measures
    ] == []
