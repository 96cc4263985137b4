"""Which datasets run together, and what of a deployment runs by itself."""

from __future__ import annotations

import inspect
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    Append,
    Automation,
    Contract,
    Daily,
    Dataset,
    Deployment,
    Merge,
    Schedule,
    column,
    dataset,
    landing,
    table,
)
from penstock.assets.automation.catch_up import catch_up_schedule
from penstock.assets.automation.jobs import jobs_of
from penstock.assets.automation.new_files import new_files_sensor
from penstock.compaction import CompactionPolicy
from penstock.errors import DefinitionError
from penstock.privacy import MaskingPolicy
from penstock.privacy.method import Null
from penstock.resources.lake import Lake
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster

if TYPE_CHECKING:
    from collections.abc import Mapping

SINCE, LATER = date(2024, 1, 1), date(2024, 6, 1)


def _contract(name: str) -> type[Contract]:
    class Row(Contract, name=f"shop.{name}", version="1.0.0", owner="team:shop"):
        """One row."""

        id: int = column(key=True)
        day: date = column()
        note: str = column(nullable=True)

    return Row


def _spec(name: str, *reads: str, days: date | None = None, **more: Any) -> Dataset:
    """A dataset that reads others, and files of its own where it reads none."""
    inputs: dict[str, Any] = {f"a{n}": table(f"shop.{r}") for n, r in enumerate(reads)}
    if not reads:
        inputs = {"a0": landing(f"{name}/{name}{'-{day}' if days else ''}*.csv")}
        more.setdefault("write", None if days else Append())

    def body(**frames: Any) -> Any:
        return frames["a0"]

    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, positional) for name in inputs]
    body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    partitions = Daily(column="day", start=days) if days else None
    return dataset(_contract(name), inputs=inputs, partitions=partitions, **more)(body)


def _masked(name: str, *reads: str) -> Dataset:
    return _spec(name, *reads, masking=MaskingPolicy.of({"note": Null()}))


def test_a_day_takes_with_it_what_it_reads_and_what_is_made_of_it() -> None:
    jobs = jobs_of(
        [
            _spec("lists"),
            _spec("names", "lists"),
            _spec("orders", days=SINCE),
            _spec("sales", "orders", "names", days=SINCE),
            _spec("totals", "sales", write=Merge()),
            _masked("shared", "totals"),
            _spec("report", "shared"),
            _spec("other"),
        ]
    )
    [night] = jobs.by_day
    names = ("lists", "names", "orders", "sales", "totals")
    assert (night.name, night.datasets) == ("nightly", tuple(f"shop.{n}" for n in names))
    assert jobs.whole == ("shop.lists", "shop.names", "shop.other")
    assert jobs.masked == ("shop.shared", "shop.report")
    assert [item.pattern for item in jobs.arriving] == ["lists/lists*.csv", "other/other*.csv"]
    assert jobs.unscheduled
    assert not jobs_of([_spec("lists"), _spec("a", "lists", days=SINCE)]).unscheduled


def test_days_of_several_ranges_are_jobs_of_their_own() -> None:
    early, late = jobs_of(
        [
            _spec("a", days=SINCE),
            _spec("b", days=LATER),
            _spec("both", "a", "b"),
            _spec("c", "b", days=LATER, schedule=Schedule(cron="0 1 * * *")),
        ]
    ).by_day
    assert (early.name, early.datasets) == ("nightly_20240101", ("shop.a", "shop.both"))
    assert (late.name, late.datasets) == ("nightly_20240601", ("shop.b", "shop.both"))
    now = datetime(2024, 7, 1, 12, tzinfo=UTC)
    assert [job.has(date(2024, 3, 1), now) for job in (early, late)] == [True, False]
    # a day is one when it has ended
    assert [late.has(date(2024, month, day), now) for month, day in ((6, 30), (7, 1))] == [
        *(True, False)
    ]


def test_days_that_are_made_of_other_days_come_after_them() -> None:
    first, then = jobs_of(
        [
            _spec("gold", "silver", days=SINCE),
            _spec("report", "gold"),
            _spec("silver", "orders", days=LATER),
            _spec("orders", days=LATER),
            _spec("other", days=LATER),
        ]
    ).by_day
    assert (first.name, then.name) == ("nightly_20240601", "nightly_20240101")
    # it waits for the files that what it reads is made of, on days that those have
    [orders] = then.arriving
    assert orders.pattern == "orders/orders-{day}*.csv"
    assert [then.due(orders, day) for day in (date(2024, 5, 31), date(2024, 6, 1))] == [
        *(False, True)
    ]


def test_a_masked_dataset_that_takes_files_is_no_copy() -> None:
    masks = MaskingPolicy.of({"note": Null()})
    jobs = jobs_of([_spec("sent", masking=masks), _masked("shared", "sent")])
    assert (jobs.whole, jobs.masked) == (("shop.sent",), ("shop.shared",))


@st.composite
def _deployments(draw: st.DrawFn) -> list[Dataset]:
    specs: list[Dataset] = []
    for number in range(draw(st.integers(1, 6))):
        reads = draw(st.sets(st.sampled_from([s.name for s in specs]), max_size=2)) if specs else ()
        kind = draw(st.sampled_from(["plain", "early", "late", "masked", "own"]))
        names = sorted(name.partition(".")[2] for name in reads)
        days = {"early": SINCE, "late": LATER}.get(kind)
        more: dict[str, Any] = {}
        if kind == "masked":
            more["masking"] = MaskingPolicy.of({"note": Null()})
        if kind == "own":
            more["schedule"] = Schedule(cron="0 1 * * *")
        specs.append(_spec(f"d{number}", *names, days=days, **more))
    return specs


@given(_deployments())
def test_every_dataset_runs_and_dagster_takes_every_job(specs: list[Dataset]) -> None:
    jobs = jobs_of(specs)
    scheduled = {n for job in jobs.by_day for n in job.datasets} | {*jobs.masked}
    if jobs.unscheduled:
        scheduled |= {*jobs.whole}
    assert scheduled == {spec.name for spec in specs if not spec.schedule.cron}
    defs = _deployment(specs).definitions()
    dg.Definitions.validate_loadable(defs)
    made = {name for job in defs.jobs or () for name in _selected(defs, job.name)}
    assert made == scheduled | {*jobs.whole, "upkeep.compaction"}


def test_everything_is_off_until_it_is_said() -> None:
    specs = [_spec("orders", days=SINCE), _masked("shared", "orders"), _spec("lists")]
    off = _deployment(specs).definitions()
    assert _running(off) == {"dead_runs"}
    assert [s.name for s in off.schedules or ()] == [
        *("nightly", "reference", "daily_masking", "weekly_upkeep")
    ]
    on = _deployment(specs).definitions(
        Automation(running=True, masking=None, timezone="Asia/Tokyo")
    )
    assert _running(on) == {"dead_runs", "new_files", "nightly", "reference", "weekly_upkeep"}
    schedules: Any = on.schedules
    assert {s.execution_timezone for s in schedules} == {"Asia/Tokyo"}
    assert "daily_masking" in {job.name for job in on.jobs or ()}
    none = _deployment(specs).definitions(None)
    assert not [*(none.jobs or ()), *(none.schedules or ()), *(none.sensors or ())]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"nightly": "0 3 * *"}, "nightly= is no cron expression"),
        ({"upkeep": 6}, "upkeep= is no cron expression"),
        ({"timezone": "Europe/Berln"}, "there is no such time zone"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(wrong: dict[str, Any], what: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        Automation(**wrong)
    assert caught.value.what == what


def test_a_deployment_without_datasets_has_nothing_to_run() -> None:
    empty = _deployment([]).definitions()
    dg.Definitions.validate_loadable(empty)
    assert not [*(empty.jobs or ()), *(empty.schedules or ())]


def test_a_policy_of_no_dataset_is_refused() -> None:
    policies = {"shop.order": CompactionPolicy()}
    with pytest.raises(DefinitionError, match="is of no dataset") as caught:
        _deployment([_spec("orders", days=SINCE)]).definitions(Automation(policies=policies))
    assert caught.value.found == "shop.order"


def test_a_deployment_of_lists_alone_is_watched_and_runs_at_night(tmp_path: Path) -> None:
    jobs = jobs_of([_spec("lists"), _spec("names", "lists")])
    landed = tmp_path / "landing" / "lists"
    landed.mkdir(parents=True)
    (landed / "lists-1.csv").write_text("id\n")
    sensor = new_files_sensor(jobs, "reference", [dg.define_asset_job("reference")])
    with dg.DagsterInstance.ephemeral() as instance:
        cursor = None
        for expected in ([], ["reference"], []):
            with dg.build_sensor_context(
                instance=instance, cursor=cursor, resources={"lake": _lake(tmp_path)}
            ) as context:
                result = sensor(context)
            found: list[str | None] = []
            if isinstance(result, dg.SensorResult):
                found = [request.job_name for request in result.run_requests or ()]
                cursor = result.cursor
            assert found == expected
            _make_old(landed / "lists-1.csv")
    assert json.loads(cursor or "{}").keys() == {"reference"}
    defs = _deployment([_spec("lists")]).definitions()
    assert [s.name for s in defs.schedules or ()] == ["reference", "weekly_upkeep"]


def test_a_job_that_no_file_is_for_runs_the_day_that_has_ended(tmp_path: Path) -> None:
    [night] = jobs_of([_spec("orders", "sent", days=SINCE)]).by_day
    schedule = catch_up_schedule(night, "0 3 * * *", "UTC")
    for at, expected in ((date(2024, 1, 2), ["2024-01-01"]), (date(2024, 1, 1), [])):
        with dg.build_schedule_context(
            scheduled_execution_time=datetime(at.year, at.month, at.day, 3, tzinfo=UTC),
            resources={"lake": _lake(tmp_path)},
        ) as context:
            result: Any = schedule(context)
        found = [] if isinstance(result, dg.SkipReason) else [r.partition_key for r in result]
        assert found == expected


def _make_old(path: Path) -> None:
    long_ago = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
    os.utime(path, (long_ago, long_ago))


def _lake(folder: Path) -> Lake:
    return Lake(root=str(folder / "lake"), landing=str(folder / "landing"))


def _deployment(specs: list[Dataset]) -> Deployment:
    resources: Mapping[str, Any] = {
        "lake": _lake(Path("/nowhere")),
        "ledger": LedgerResource(url="sqlite:///nowhere.db"),
        "cluster": LocalCluster(),
    }
    made = {spec.name for spec in specs}
    external = tuple({up for spec in specs for up in spec.upstream} - made)
    return Deployment(datasets=tuple(specs), resources=resources, external=external)


def _selected(defs: dg.Definitions, job: str) -> set[str]:
    keys = defs.resolve_job_def(job).asset_layer.executable_asset_keys
    return {".".join(key.path) for key in keys}


def _running(defs: dg.Definitions) -> set[str]:
    on = {s.name for s in defs.schedules or () if s.default_status.value == "RUNNING"}
    return on | {s.name for s in defs.sensors or () if s.default_status.value == "RUNNING"}
