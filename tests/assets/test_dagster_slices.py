"""Dagster runs a slice of a day and a value, a range of them, and values that it did not know."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from penstock import (
    Contract,
    Daily,
    Dynamic,
    Monthly,
    Static,
    column,
    dataset,
    definitions,
    landing,
    table,
)
from penstock.assets.dagster_report import report_run
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow(seconds=30)

SINCE = date(2013, 1, 1)
COUNTRIES = Static(column="country", values=["DE", "FR"])
SOLD, TENANTS, MONTHS, REPORTED = (
    dg.AssetKey(["shop", name]) for name in ("sold", "tenants", "months", "reported")
)


class Sold(Contract, name="shop.sold", version="1.0.0", owner="team:shop"):
    """One order."""

    id: int = column(key=True)
    day: date = column()
    country: str = column()


class Tenant(Contract, name="shop.tenants", version="1.0.0", owner="team:shop"):
    """One order of a tenant."""

    id: int = column(key=True)
    tenant: str = column()


class Month(Contract, name="shop.months", version="1.0.0", owner="team:shop"):
    """Orders of a country in a month."""

    id: int = column(key=True)
    day: date = column()
    country: str = column()


@dataset(
    Sold,
    inputs={"raw": landing("sold/{country}/{day}.csv")},
    partitions=(Daily(column="day", start=SINCE), COUNTRIES),
)
def sold(raw: DataFrame) -> DataFrame:
    return raw


@dataset(
    Month,
    inputs={"sold": table(Sold, slice_by=("day", "country"))},
    partitions=(Monthly(column="day", start=SINCE), COUNTRIES),
)
def months(sold: DataFrame) -> DataFrame:
    return sold


@dataset(
    Tenant,
    inputs={"raw": landing("tenants/{tenant}/*.csv")},
    partitions=Dynamic(column="tenant", name="tenants"),
)
def tenants(raw: DataFrame) -> DataFrame:
    return raw


class Reported(Contract, name="shop.reported", version="1.0.0", owner="team:shop"):
    """One order of a day that was reported."""

    id: int = column(key=True)
    day: date = column()


@dataset(
    Reported,
    inputs={"raw": landing("reported/{day}.csv")},
    partitions=Daily(column="day", start=SINCE),
    closes_after=timedelta(days=30),
)
def reported(raw: DataFrame) -> DataFrame:
    return raw


class Deployed:
    """The shop in Dagster."""

    def __init__(self, shop: Shop, instance: dg.DagsterInstance) -> None:
        self.shop = shop
        self.instance = instance
        resources = {
            "lake": shop.runtime.lake,
            "ledger": LedgerResource(url=f"sqlite:///{shop.path / 'ledger.db'}"),
            "cluster": LocalCluster(profile=Profile.SMALL, cores=2),
        }
        self.defs = definitions([sold, months, tenants, reported], resources=resources)

    def land(self, name: str, *lines: str) -> None:
        file = self.shop.path / "landing" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines))

    def materialize(
        self, key: dg.AssetKey, first: str, last: str | None = None, **tags: str
    ) -> Any:
        range_ = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": str(last),
        }
        job = dg.define_asset_job(f"make_{key.path[-1]}", selection=dg.AssetSelection.assets(key))
        made = dg.Definitions(
            assets=self.defs.assets, resources=self.defs.resources, jobs=[job]
        ).resolve_job_def(job.name)
        return made.execute_in_process(
            partition_key=None if last else first,
            tags=(range_ if last else {}) | {f"penstock/{name}": of for name, of in tags.items()},
            instance=self.instance,
            raise_on_error=False,
        )

    def made(self, key: dg.AssetKey) -> set[str]:
        return set(self.instance.get_materialized_partitions(key))


@pytest.fixture
def deployed(shop: Shop) -> Iterator[Deployed]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Deployed(shop, instance)


def test_days_of_countries_one_at_a_time_and_as_a_range(deployed: Deployed) -> None:
    for n, (country, day) in enumerate(
        (country, f"2013-01-{day:02}") for country in ("DE", "FR") for day in (5, 6)
    ):
        deployed.land(f"sold/{country}/{day}.csv", "id,day,country", f"{n},{day},{country}")
    one = deployed.materialize(SOLD, "FR|2013-01-06")
    assert one.success
    assert deployed.made(SOLD) == {"FR|2013-01-06"}
    (event,) = one.asset_materializations_for_node("shop__sold")
    assert event.metadata["dagster/partition_row_count"].value == 1
    (run,) = deployed.shop.runtime.ledger.runs("shop.sold")
    assert run.slice == "2013-01-06|FR"
    # all countries of both days: one run, one commit
    assert deployed.materialize(SOLD, "DE|2013-01-05", "FR|2013-01-06").success
    assert deployed.made(SOLD) == {
        *("DE|2013-01-05", "DE|2013-01-06", "FR|2013-01-05", "FR|2013-01-06")
    }
    assert deployed.shop.table(sold).count() == 4
    assert deployed.shop.commits(sold) == [0, 1]
    checks = deployed.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(SOLD, "contract"), limit=10
    )
    assert {check.partition for check in checks} == deployed.made(SOLD)
    # a month of it lacks days, which the failure names
    failed = deployed.materialize(MONTHS, "DE|2013-01")
    assert not failed.success
    (failure,) = (e for e in failed.all_events if e.is_step_failure)
    told = failure.step_failure_data.user_failure_data.description
    assert "input sold was never made for a part of the slice" in told
    assert "2013-01-07...2013-01-31|DE" in told
    assert deployed.shop.version(months) is None


def test_a_value_is_known_once_it_is_told_of(deployed: Deployed) -> None:
    for n, name in enumerate(("acme", "zeta")):
        deployed.land(f"tenants/{name}/a.csv", "id,tenant", f"{n},{name}")
    deployed.instance.add_dynamic_partitions("tenants", ["acme"])
    assert deployed.materialize(TENANTS, "acme").success
    assert tenants.partitions
    other = tenants.partitions.slice("zeta")
    outcome = deployed.shop.run(tenants, other)
    # as a run of the command line is told
    report_run(deployed.instance, tenants, other, outcome, deployed.shop.runtime)
    assert deployed.instance.get_dynamic_partitions("tenants") == ["acme", "zeta"]
    assert deployed.made(TENANTS) == {"acme", "zeta"}
    assert deployed.shop.table(tenants).count() == 2


def test_a_closed_slice_is_changed_by_a_run_with_the_tag_alone(deployed: Deployed) -> None:
    day = "2013-01-05"
    for id_, tags, made in ((1, {}, True), (2, {}, False), (2, {"reopen": "true"}, True)):
        deployed.land(f"reported/{day}.csv", "id,day", f"{id_},{day}")
        run = deployed.materialize(REPORTED, day, **tags)
        assert run.success is made
        if not made:
            (failure,) = (event for event in run.all_events if event.is_step_failure)
            told = failure.step_failure_data.user_failure_data
            assert "the slice is closed, and the run would change it" in told.description
            # it would be the same the next time
            assert not any(event.is_step_up_for_retry for event in run.all_events)
    assert [row.id for row in deployed.shop.table(reported).collect()] == [2]
