"""Slices that are no days: which are due, what Dagster maps them to, and who asks for them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData

from penstock import (
    Daily,
    Dataset,
    Deployment,
    Dynamic,
    Hourly,
    Monthly,
    Schedule,
    Static,
    Weekly,
    landing,
    query,
    table,
)
from penstock.assets.asset import build_asset
from penstock.assets.automation.arrivals import landed
from penstock.assets.automation.due_slices import due_slices, ready_slices
from penstock.assets.automation.jobs import jobs_of
from penstock.assets.automation.new_files import new_files_sensor
from penstock.assets.automation.requests import landed_slice
from penstock.assets.automation.slice_schedule import slice_schedule
from penstock.errors import DefinitionError
from penstock.resources.lake import Lake
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from tests.cut_dataset import cut_dataset as spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from penstock.assets.automation.slice_jobs import SliceJob

SINCE = date(2013, 1, 1)
TODAY = datetime.now(UTC).date()
FEBRUARY = datetime(2013, 2, 1, 12, tzinfo=UTC)
NOW = datetime(2013, 3, 1, tzinfo=UTC)
BERLIN = "Europe/Berlin"
HOURS = Hourly(column="at", start=SINCE)
DAYS = Daily(column="day", start=SINCE)
MONTHS = Monthly(column="day", start=SINCE)
COUNTRIES = Static(column="country", values=["DE", "FR"])
TENANTS = Dynamic(column="country", name="tenants")
BUSINESS_DAYS = Daily(column="at", start=SINCE, time_zone=BERLIN)


BEATS = spec("beats", HOURS, landing("beats/{day}/{hour}-*.csv"))
SALES = spec("sales", DAYS, landing("sales/{day}.csv"))
MONTHLY = spec("monthly", MONTHS, table("shop.sales", slice_by="day"))
OF_TENANT = spec("tenants", TENANTS, landing("tenants/{country}/*.csv"))
GRID = spec("grid", (DAYS, COUNTRIES), landing("grid/{country}/{day}.csv"))
ACROSS = spec("across", COUNTRIES, table("shop.grid", slice_by="country"))
TOTAL = spec("total", None, table("shop.monthly"))


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as one:
        yield one


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    (tmp_path / "landing").mkdir()
    return Lake(root=str(tmp_path / "lake"), landing=str(tmp_path / "landing"))


def land(lake: Lake, name: str, text: str = "x", *, lately: bool = False) -> None:
    from pathlib import Path

    file = Path(lake.landing) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    settled = datetime(2012, 1, 1, tzinfo=UTC).timestamp()
    settled = datetime.now(UTC).timestamp() - 60 if lately else settled
    os.utime(file, (settled, settled))


def made(instance: dg.DagsterInstance, of: Dataset, *keys: str) -> None:
    for key in keys:
        name = dg.AssetKey(of.name.split("."))
        instance.report_runless_asset_event(dg.AssetMaterialization(name, partition=key))


def job(*specs: Dataset) -> SliceJob:
    (found,) = jobs_of(specs).by_slice
    return found


def due(
    found: SliceJob, instance: dg.DagsterInstance, lake: Lake, now: datetime
) -> dict[str, bool]:
    files = landed(found.landing, lake)
    ready = ready_slices(found, instance, files, now=now)
    return {each.key: each.stale for each in ready if not each.waits}


def waits(found: SliceJob, instance: dg.DagsterInstance, lake: Lake, now: datetime) -> str:
    """What the schedule says of those that wait."""
    ready = ready_slices(found, instance, landed(found.landing, lake), now=now)
    return due_slices(found, instance, ready, again=True).words


def test_datasets_that_are_cut_alike_run_together() -> None:
    weeks = Weekly(column="at", start=SINCE)
    other_months = Monthly(column="at", start=SINCE)
    specs = [
        BEATS,
        SALES,
        MONTHLY,
        TOTAL,
        GRID,
        OF_TENANT,
        spec("more", other_months, table("shop.sales", slice_by="day")),
        spec("later", Monthly(column="at", start=date(2014, 1, 1)), table("shop.sales")),
        spec("joined", DAYS, table("shop.grid", slice_by="day"), table("shop.sales")),
        spec("weekly", weeks, table("shop.beats", slice_by="at")),
        spec("same", weeks, table("shop.weekly", slice_by="at")),
        spec("alone", weeks, table("shop.beats", slice_by="at"), schedule=Schedule(eager=True)),
    ]
    jobs = jobs_of(specs)
    assert [job.datasets for job in jobs.by_day] == [("shop.sales",)]
    assert {job.name: job.datasets for job in jobs.by_slice} == {
        "hourly_shop__beats": ("shop.beats",),
        "monthly_shop__monthly": ("shop.monthly", "shop.total"),
        "monthly_shop__more": ("shop.more",),
        "monthly_shop__later": ("shop.later",),
        "daily_shop__joined": ("shop.joined",),
        "daily_by_country_shop__grid": ("shop.grid",),
        "by_country_shop__tenants": ("shop.tenants",),
        "weekly_shop__weekly": ("shop.weekly", "shop.same"),
    }
    assert jobs.whole == ()


def test_a_month_waits_for_its_days_and_is_made_again_after_a_late_one(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    months = job(SALES, MONTHLY)
    march = datetime(2013, 3, 1, tzinfo=UTC)
    days = [str(day) for day in DAYS.slice("2013-01-01", "2013-02-28").days()]
    made(instance, SALES, *days[:30])
    assert due(months, instance, lake, march) == {}
    assert waits(months, instance, lake, march) == (
        " 2 wait, such as 2013-01 for 2013-01-31 of shop.sales."
    )
    made(instance, SALES, *days[30:])
    assert due(months, instance, lake, march) == {"2013-01": True, "2013-02": True}
    # a month has not ended before it has
    assert due(months, instance, lake, march - timedelta(seconds=1)) == {"2013-01": True}
    made(instance, MONTHLY, "2013-01", "2013-02")
    assert due(months, instance, lake, march) == {"2013-01": False, "2013-02": False}
    made(instance, SALES, "2013-01-17")
    assert due(months, instance, lake, march) == {"2013-01": True, "2013-02": False}


def test_a_business_day_waits_for_the_hours_that_it_has(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    daily = spec("daily", BUSINESS_DAYS, table("shop.beats", slice_by="at"))
    # no files come by day: it is no matter of the nightly job, which asks for yesterday once
    jobs = jobs_of([BEATS, daily])
    assert jobs.by_day == ()
    assert [job.name for job in jobs.by_slice] == ["hourly_shop__beats", "daily_shop__daily"]
    both = spec("both", (BUSINESS_DAYS, COUNTRIES), table("shop.beats", slice_by="at"))
    now = datetime(2013, 1, 3, tzinfo=UTC)
    hours = HOURS.keys(HOURS.slice("2013-01-01-23:00", "2013-01-02-22:00"))
    made(instance, BEATS, *hours[:-1])
    grid = next(job for job in jobs_of([BEATS, both]).by_slice if job.name != "hourly_shop__beats")
    assert due(jobs.by_slice[1], instance, lake, now) == due(grid, instance, lake, now) == {}
    made(instance, BEATS, hours[-1])
    assert due(jobs.by_slice[1], instance, lake, now) == {"2013-01-02": True}
    assert due(grid, instance, lake, now) == {"2013-01-02|DE": True, "2013-01-02|FR": True}


def test_a_value_of_all_times_is_made_again_when_a_slice_of_it_was(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    across, now = next(j for j in jobs_of([GRID, ACROSS]).by_slice if j.cut == (ACROSS,)), NOW
    assert waits(across, instance, lake, now) == " 2 wait, such as DE for any of DE of shop.grid."
    made(instance, GRID, "DE|2013-01-05", "FR|2013-01-05")
    made(instance, ACROSS, "DE", "FR")
    assert due(across, instance, lake, now) == {"DE": False, "FR": False}
    made(instance, GRID, "FR|2013-01-06")
    assert due(across, instance, lake, now) == {"DE": False, "FR": True}
    # of a database nobody is told what changed: each night, and no window of it again
    asked = [
        spec("asked", COUNTRIES, query("public.a", database="shop", slice_by="country")),
        spec("months", MONTHS, query("public.a", database="shop", slice_by="day")),
    ]
    jobs = {job.name: job for job in jobs_of(asked).by_slice}
    made(instance, asked[0], "DE", "FR")
    made(instance, asked[1], "2013-01")

    def at(name: str, night: str) -> list[tuple[str, bool]]:
        ready = ready_slices(jobs[name], instance, {}, now=FEBRUARY, night=night)
        return [(each.key, each.stale) for each in ready]

    assert at("by_country_shop__asked", "2013-02-01") == [("DE", True), ("FR", True)]
    assert at("by_country_shop__asked", "") == [("DE", False), ("FR", False)]
    assert at("monthly_shop__months", "2013-02-01") == [("2013-01", False)]


def test_a_window_of_what_is_not_cut_waits_until_that_was_made_after_it(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    events = spec("events", None, table("shop.other"))
    hours = spec("hours", Hourly(column="at", start=TODAY), table("shop.events", slice_by="at"))
    (found,) = jobs_of([events, hours]).by_slice
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    later = datetime.now(UTC) + timedelta(hours=2)
    assert "for a run of shop.events after it" in waits(found, instance, lake, later)
    instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(["shop", "events"])))
    ended = int((datetime.now(UTC) - midnight) / timedelta(hours=1))
    assert len(due(found, instance, lake, later)) == ended
    made(instance, hours, *due(found, instance, lake, later))
    assert not any(due(found, instance, lake, later).values())
    # what is loaded late may be of one of the last hours, and not of all that ever were
    instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(["shop", "events"])))
    again = due(found, instance, lake, midnight + timedelta(hours=ended))
    assert [key for key, stale in again.items() if stale] == [*again][-3:]


def test_what_is_read_across_is_waited_for_across(instance: dg.DagsterInstance, lake: Lake) -> None:
    shares = spec("shares", (DAYS, COUNTRIES), table("shop.grid", slice_by="day"))
    jobs = {job.cut[0].name: job for job in jobs_of([GRID, shares]).by_slice}
    assert len(jobs) == 2, "in one job each would wait for the other"
    now = datetime(2013, 1, 2, tzinfo=UTC)
    made(instance, GRID, "DE|2013-01-01")
    assert due(jobs["shop.shares"], instance, lake, now) == {}
    made(instance, GRID, "FR|2013-01-01")
    assert due(jobs["shop.shares"], instance, lake, now) == {
        "DE|2013-01-01": True,
        "FR|2013-01-01": True,
    }
    # of values that nobody knows beforehand a day has those that came, and more may come
    by_tenant = spec("by_tenant", (DAYS, TENANTS), landing("grid/{country}/{day}.csv"))
    total = spec("daily", DAYS, table("shop.by_tenant", slice_by="day"))
    jobs_ = {job.name: job for job in jobs_of([by_tenant, total]).by_slice}
    assert due(jobs_["daily_shop__daily"], instance, lake, now) == {}
    made(instance, by_tenant, "acme|2013-01-01")
    assert due(jobs_["daily_shop__daily"], instance, lake, now) == {"2013-01-01": True}
    made(instance, total, "2013-01-01")
    assert due(jobs_["daily_shop__daily"], instance, lake, now) == {"2013-01-01": False}
    made(instance, by_tenant, "zeta|2013-01-01")
    assert due(jobs_["daily_shop__daily"], instance, lake, now) == {"2013-01-01": True}


def test_what_is_read_by_value_alone_is_as_it_is_when_a_window_is_made(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    rates = spec("rates", COUNTRIES, landing("rates/{country}.csv"))
    priced = spec(
        "priced", (DAYS, COUNTRIES), table("shop.rates", slice_by="country"), table("shop.days")
    )
    found = next(job for job in jobs_of([rates, priced]).by_slice if job.cut[0] is priced)
    now = datetime(2013, 1, 3, tzinfo=UTC)
    made(instance, rates, "DE")
    assert due(found, instance, lake, now) == {"DE|2013-01-01": True, "DE|2013-01-02": True}
    assert waits(found, instance, lake, now).endswith("such as FR|2013-01-01 for FR of shop.rates.")
    made(instance, priced, "DE|2013-01-01", "DE|2013-01-02")
    made(instance, rates, "DE")
    assert due(found, instance, lake, now) == {"DE|2013-01-01": False, "DE|2013-01-02": False}


def test_datasets_that_are_made_of_each_other_by_way_of_others_do_not_wait_for_themselves() -> None:
    totals = spec("totals", DAYS, table("shop.grid", slice_by="day"))
    both = table("shop.grid", slice_by=("day", "country"))
    shares = spec("shares", (DAYS, COUNTRIES), both, table("shop.totals", slice_by="day"))
    copy = spec("copy", (DAYS, COUNTRIES), both)
    jobs = {job.name: job.datasets for job in jobs_of([GRID, totals, shares]).by_slice}
    assert jobs == {
        "daily_by_country_shop__grid": ("shop.grid",),
        "daily_shop__totals": ("shop.totals",),
        "daily_by_country_shop__shares": ("shop.shares",),
    }
    (together,) = jobs_of([GRID, copy]).by_slice
    assert together.datasets == ("shop.grid", "shop.copy")


def test_datasets_that_have_nothing_to_do_with_each_other_do_not_wait_for_each_other(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    invoices = spec("invoices", TENANTS, landing("invoices/{country}/*.csv"))
    jobs = {job.name: job for job in jobs_of([OF_TENANT, invoices]).by_slice}
    land(lake, "tenants/acme/orders.csv")
    assert due(jobs["by_country_shop__tenants"], instance, lake, NOW) == {"acme": True}
    assert due(jobs["by_country_shop__invoices"], instance, lake, NOW) == {}


def test_days_of_another_zone_are_made_of_the_days_that_share_hours_with_them(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    utc = spec("utc", Daily(column="at", start=SINCE), landing("{day}.csv"))
    berlin = spec("berlin", BUSINESS_DAYS, table("shop.utc", slice_by="at"))
    jobs = jobs_of([utc, berlin])
    assert [job.datasets for job in jobs.by_day] == [("shop.utc",)]
    (found,) = jobs.by_slice
    now = datetime(2013, 1, 4, tzinfo=UTC)
    made(instance, utc, "2013-01-02", "2013-01-03")
    assert "2013-01-03" in due(found, instance, lake, now)
    made(instance, berlin, "2013-01-03")
    made(instance, utc, "2013-01-02")
    assert due(found, instance, lake, now)["2013-01-03"]


def test_what_was_made_anew_while_a_run_was_under_way_it_did_not_read(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    days = [str(day) for day in DAYS.slice("2013-01-01", "2013-01-31").days()]
    made(instance, SALES, *days)
    months = job(SALES, MONTHLY)
    planned = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
        job_name="monthly",
        event_specific_data=AssetMaterializationPlannedData(
            dg.AssetKey(["shop", "monthly"]), partition="2013-01"
        ),
    )
    run = instance.create_run_for_job(monthly_job(), tags={})
    instance.report_dagster_event(planned, run_id=run.run_id)
    made(instance, SALES, "2013-01-17")
    made(instance, MONTHLY, "2013-01")
    assert due(months, instance, lake, FEBRUARY) == {"2013-01": True}
    # a run that failed later is no run that made it
    made(instance, MONTHLY, "2013-01")
    assert due(months, instance, lake, FEBRUARY) == {"2013-01": True}


def monthly_job() -> Any:
    @dg.op
    def nothing() -> None: ...

    @dg.job
    def monthly() -> None:
        nothing()

    return monthly


def test_a_slice_is_asked_for_once_and_again_when_its_run_failed(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    tenants = job(OF_TENANT)
    for name in ("acme", "zeta"):
        land(lake, f"tenants/{name}/orders.csv")

    def asked(*, again: bool) -> list[str]:
        ready = [*ready_slices(tenants, instance, landed(tenants.landing, lake), now=NOW)]
        return [each.key for each in due_slices(tenants, instance, ready, again=again).slices]

    assert asked(again=False) == ["acme", "zeta"]
    first = next(ready_slices(tenants, instance, landed(tenants.landing, lake), now=NOW))
    run = instance.create_run_for_job(
        monthly_job(), tags={"penstock/landed": landed_slice(tenants, first)}
    )
    assert asked(again=True) == ["zeta"]
    instance.report_run_failed(run)
    assert asked(again=False) == ["zeta"]
    assert asked(again=True) == ["zeta", "acme"]


def test_an_hour_and_a_value_wait_for_their_files(instance: dg.DagsterInstance, lake: Lake) -> None:
    now = datetime(2013, 1, 2, tzinfo=UTC)
    land(lake, "beats/2013-01-01/05-a.csv")
    land(lake, "beats/2013-01-02/00-a.csv")
    assert due(job(BEATS), instance, lake, now) == {"2013-01-01-05:00": True}
    assert due(job(BEATS), instance, lake, now + timedelta(hours=1)) == {
        "2013-01-01-05:00": True,
        "2013-01-02-00:00": True,
    }
    for name in ("acme", "zeta"):
        land(lake, f"tenants/{name}/orders.csv")
    made(instance, OF_TENANT, "acme")
    assert due(job(OF_TENANT), instance, lake, now) == {"acme": False, "zeta": True}


def test_the_schedule_asks_once_for_what_is_due(instance: dg.DagsterInstance, lake: Lake) -> None:
    for name in ("acme", "zeta"):
        land(lake, f"tenants/{name}/orders.csv")
    schedule = slice_schedule(job(OF_TENANT), "0 3 * * *", "UTC")

    def tick() -> Any:
        with dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime(2013, 1, 2, tzinfo=UTC),
            resources={"lake": lake},
        ) as context:
            return schedule(context)

    asked = tick()
    assert [request.partition_key for request in asked] == ["acme", "zeta"]
    assert {*instance.get_dynamic_partitions("tenants")} == {"acme", "zeta"}
    made(instance, OF_TENANT, "acme", "zeta")
    assert isinstance(tick(), dg.SkipReason)


def test_the_sensor_asks_again_when_files_change_and_names_new_values(
    instance: dg.DagsterInstance, lake: Lake
) -> None:
    jobs = jobs_of([OF_TENANT, SALES])
    targets = [
        dg.define_asset_job(name, selection=[dg.AssetKey(["a"])])
        for name in ("by_country_shop__tenants", "x")
    ]
    sensor = new_files_sensor(jobs, "reference", targets)

    def look(cursor: str | None) -> Any:
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"lake": lake}
        ) as context:
            return sensor(context)

    land(lake, "tenants/acme/orders.csv")
    first = look(None)
    assert [request.partition_key for request in first.run_requests] == ["acme"]
    (added,) = first.dynamic_partitions_requests
    assert (added.partitions_def_name, [*added.partition_keys]) == ("tenants", ["acme"])
    instance.add_dynamic_partitions("tenants", ["acme"])
    assert isinstance(look(first.cursor), dg.SkipReason)
    # made by whoever; its files change; another comes
    made(instance, OF_TENANT, "acme")
    land(lake, "tenants/acme/orders.csv", "more than before", lately=True)
    land(lake, "tenants/zeta/orders.csv")
    second = look(first.cursor)
    assert [request.partition_key for request in second.run_requests] == ["zeta", "acme"]
    assert json.loads(second.cursor)["by_country_shop__tenants"].keys() == {"acme", "zeta"}
    assert isinstance(look(second.cursor), dg.SkipReason)


def upstream(of: Dataset, reads: Dataset, key: str) -> set[str]:
    """The slices that Dagster says a slice is made of."""
    graph = dg.Definitions(
        assets=[
            build_asset(each, {each.name: each for each in (of, reads)}) for each in (of, reads)
        ],
        resources={"lake": 1, "ledger": 1, "cluster": 1},
    ).resolve_asset_graph()
    name, source = (dg.AssetKey(each.name.split(".")) for each in (of, reads))
    mapping = graph.get_partition_mapping(name, source)
    theirs = graph.get(source).partitions_def
    ours = graph.get(name).partitions_def
    assert theirs
    assert ours
    found = mapping.get_upstream_mapped_partitions_result_for_partitions(
        ours.subset_with_partition_keys([key]), ours, theirs, datetime(2013, 4, 1, tzinfo=UTC)
    )
    return set(found.partitions_subset.get_partition_keys())


def test_dagster_maps_slices_as_they_are_read() -> None:
    days = {str(day) for day in DAYS.slice("2013-02-01", "2013-02-28").days()}
    assert upstream(MONTHLY, SALES, "2013-02") == days
    back = spec("back", MONTHS, table("shop.sales", slice_by="day", lookback=timedelta(days=7)))
    assert upstream(back, SALES, "2013-02") >= days | {"2013-01-31", "2013-01-25"}
    assert upstream(ACROSS, GRID, "FR") == {
        f"FR|{day}" for day in DAYS.slice("2013-01-01", "2013-03-31").days()
    }
    months = spec(
        "grid_months", (MONTHS, COUNTRIES), table("shop.grid", slice_by=("day", "country"))
    )
    assert upstream(months, GRID, "FR|2013-02") == {f"FR|{day}" for day in days}
    whole = spec("grid_whole", (MONTHS, COUNTRIES), table("shop.grid", slice_by="day"))
    assert upstream(whole, GRID, "FR|2013-02") == {
        f"{country}|{day}" for day in days for country in COUNTRIES.values
    }
    daily = spec("daily", DAYS, table("shop.grid", slice_by="day"))
    assert upstream(daily, GRID, "2013-02-03") == {"DE|2013-02-03", "FR|2013-02-03"}
    # of another time zone Dagster maps all, and the run reads the hours of the day
    business = spec("business", BUSINESS_DAYS, table("shop.beats", slice_by="at"))
    assert len(upstream(business, BEATS, "2013-02-03")) == 90 * 24
    by_country = spec("of_country", COUNTRIES, table("shop.sales"))
    assert len(upstream(by_country, SALES, "DE")) == 90


def test_a_deployment_has_a_job_and_a_schedule_for_each_way_to_be_cut(tmp_path: Path) -> None:
    def deployed(*specs: Dataset) -> Any:
        return Deployment(
            datasets=specs,
            resources={
                "lake": Lake(root=str(tmp_path), landing=str(tmp_path)),
                "ledger": LedgerResource(url=f"sqlite:///{tmp_path / 'ledger.db'}"),
                "cluster": LocalCluster(),
            },
        ).definitions()

    defs = deployed(BEATS, SALES, MONTHLY, TOTAL, GRID, ACROSS, OF_TENANT)
    crons = {s.name: s.cron_schedule for s in defs.schedules or ()}
    assert crons == {
        "nightly": "0 3 * * *",
        "hourly_shop__beats": "5 * * * *",
        "monthly_shop__monthly": "0 3 * * *",
        "daily_by_country_shop__grid": "0 3 * * *",
        "by_country_shop__across": "0 3 * * *",
        "by_country_shop__tenants": "0 3 * * *",
        "weekly_upkeep": "0 6 * * 0",
    }
    hourly = defs.resolve_job_def("hourly_shop__beats")
    assert hourly.partitions_def
    assert hourly.partitions_def.get_partition_keys(
        current_time=datetime(2013, 1, 1, 2, tzinfo=UTC)
    ) == ["2013-01-01-00:00", "2013-01-01-01:00"]
    eager = spec(
        "eager",
        BUSINESS_DAYS,
        table("shop.beats", slice_by="at"),
        schedule=Schedule(eager=True),
    )
    with pytest.raises(DefinitionError, match="of another time zone"):
        deployed(BEATS, eager)
    utc = spec("utc", DAYS, table("shop.berlin", slice_by="day"))
    berlin = spec("berlin", replace(DAYS, time_zone=BERLIN), landing("{day}.csv"))
    with pytest.raises(DefinitionError, match="days of one time zone are read as days of another"):
        deployed(berlin, utc)
    hours = spec("hours", HOURS, table("shop.sales", slice_by="day"))
    with pytest.raises(DefinitionError, match="does not say which slice"):
        deployed(SALES, hours)
