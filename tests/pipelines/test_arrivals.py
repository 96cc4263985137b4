from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from penstock.assets.automation.catch_up import catch_up_schedule
from penstock.assets.automation.jobs import jobs_of
from penstock.assets.automation.new_files import new_files_sensor
from penstock.assets.automation.requests import LANDED
from penstock.errors import InputError
from penstock.resources.lake import Lake
from pipelines.deployment import deployment

JOBS = jobs_of(deployment.datasets)
TARGETS = [dg.define_asset_job(name) for name in ("nightly", "reference")]
SENSOR = new_files_sensor(JOBS, "reference", TARGETS)
NIGHTLY = catch_up_schedule(JOBS.by_day[0], "0 3 * * *", "UTC")
KINDS = ("airlines", "airports", "bookings", "flights", "planes", "weather")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    folder = tmp_path / "landing"
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
    return Lake(root=str(tmp_path / "lake"), landing=str(folder))


def arrive(lake: Lake, *names: str, content: str = "x\n") -> None:
    an_hour_ago = datetime.now(UTC).timestamp() - 3600
    for name in names:
        path = Path(lake.landing) / name
        path.write_text(content)
        os.utime(path, (an_hour_ago, an_hour_ago))


def whole_day(day: date | str) -> tuple[str, ...]:
    return tuple(f"{kind}/{kind}-{day}.csv" for kind in ("flights", "weather", "bookings"))


def look(lake: Lake, cursor: str | None = None) -> tuple[list[dg.RunRequest], str | None]:
    with dg.DagsterInstance.ephemeral() as instance:
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"lake": lake}
        ) as context:
            result: Any = SENSOR(context)
    if isinstance(result, dg.SkipReason):
        return [], cursor
    return list(result.run_requests or ()), result.cursor


def test_every_landing_input_of_the_deployment_is_watched() -> None:
    watched = {*JOBS.arriving, *(item for job in JOBS.by_day for item in job.arriving)}
    assert {item.pattern.partition("/")[0] for item in watched} == set(KINDS)


def test_the_sensor_asks_once_for_each_day_that_is_whole(lake: Lake) -> None:
    arrive(lake, *whole_day("2013-02-07"), "flights/flights-2013-02-08.csv")
    requests, cursor = look(lake)
    assert [(request.job_name, request.partition_key) for request in requests] == [
        ("nightly", "2013-02-07")
    ]
    assert look(lake, cursor) == ([], cursor)

    arrive(lake, *whole_day("2013-02-08")[1:])
    requests, _ = look(lake, cursor)
    assert [request.partition_key for request in requests] == ["2013-02-08"]


def test_a_file_sent_again_makes_a_new_run_with_a_key_of_its_own(lake: Lake) -> None:
    arrive(lake, *whole_day("2013-02-07"))
    [first], cursor = look(lake)
    arrive(lake, "weather/weather-2013-02-07.csv", content="more\n")
    [again], _ = look(lake, cursor)
    assert first.partition_key == again.partition_key
    assert first.run_key != again.run_key


def test_a_late_day_runs_and_then_what_looks_back_at_it(lake: Lake) -> None:
    arrive(lake, *whole_day("2013-02-08"), *whole_day("2013-03-08"))
    taken, cursor = look(lake)
    assert [request.partition_key for request in taken] == ["2013-02-08", "2013-03-08"]
    arrive(lake, *whole_day("2013-02-07"))
    late, after = look(lake, cursor)[0]
    assert (late.partition_key, late.asset_selection) == ("2013-02-07", None)
    # a month later nothing looks back as far
    assert after.partition_key == "2013-02-08"
    assert after.asset_selection == [dg.AssetKey(["features", "route_delays"])]
    # one at a time, in this order: dagster.yaml says so of the tag
    keys = [late.tags[LANDED], after.tags[LANDED]]
    assert keys[0] != keys[1]
    # what looks back again must not count as the day itself being taken
    assert after.tags[LANDED] != taken[0].tags[LANDED]


def test_new_lists_run_the_reference_job(lake: Lake) -> None:
    arrive(lake, "planes/planes.csv")
    requests, cursor = look(lake)
    assert [(request.job_name, request.partition_key) for request in requests] == [
        ("reference", None)
    ]
    arrive(lake, *whole_day("2013-02-07"))
    requests, _ = look(lake, cursor)
    assert [request.job_name for request in requests] == ["nightly"]


def test_a_list_that_may_still_grow_is_waited_for(lake: Lake) -> None:
    arrive(lake, "planes/planes.csv", "airports/airports.csv")
    _, cursor = look(lake)
    (Path(lake.landing) / "planes/planes.csv").write_text("half of it")
    assert look(lake, cursor) == ([], cursor)


def test_a_day_outside_the_partitions_is_left_alone(lake: Lake) -> None:
    arrive(lake, *whole_day("2012-12-31"), *whole_day("2014-01-01"))
    assert look(lake)[0] == []


def test_a_missing_landing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        look(Lake(root=str(tmp_path), landing=str(tmp_path / "nowhere")))


def test_the_schedule_takes_late_and_failed_days_and_no_day_twice(
    lake: Lake, tmp_path: Path
) -> None:
    arrive(lake, *whole_day("2013-02-07"), "flights/flights-2013-02-08.csv")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def tonight() -> list[dg.RunRequest]:
            # entered, or what it opens stays open and the next test of Dagster stumbles over it
            with dg.build_schedule_context(
                instance=instance,
                scheduled_execution_time=datetime.now(UTC),
                resources={"lake": lake},
            ) as context:
                result: Any = NIGHTLY(context)
            return [] if isinstance(result, dg.SkipReason) else list(result)

        def ran(request: dg.RunRequest, status: dg.DagsterRunStatus) -> None:
            instance.add_run(
                dg.DagsterRun(
                    job_name="nightly",
                    status=status,
                    tags={LANDED: request.tags[LANDED]},
                )
            )

        seventh, eighth = tonight()
        assert [seventh.partition_key, eighth.partition_key] == ["2013-02-07", "2013-02-08"]
        ran(seventh, dg.DagsterRunStatus.SUCCESS)
        ran(eighth, dg.DagsterRunStatus.FAILURE)
        assert [request.partition_key for request in tonight()] == ["2013-02-08"]
        arrive(lake, "flights/flights-2013-02-07.csv", content="more\n")
        assert [request.partition_key for request in tonight()] == ["2013-02-07", "2013-02-08"]
