"""What Dagster is told of a dataset: freshness by its newest slice, checks of each slice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster import AssetCheckKey

from penstock import Contract, Daily, column, dataset, definitions, landing
from penstock.assets.freshness import freshness_of
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow(seconds=30)

TODAY = datetime.now(UTC).date()
KEY = dg.AssetKey(["shop", "sold"])


class Sold(
    Contract, name="shop.sold", version="1.0.0", owner="team:shop", freshness=timedelta(days=3)
):
    """One order."""

    id: int = column(key=True)
    item: str = column(nullable=True, isin=["ink", "pen"], warn=True)
    price: int = column(ge=0)
    day: date = column()


@dataset(
    Sold,
    inputs={"raw": landing("orders/orders-{day}.csv")},
    partitions=Daily(column="day", start=TODAY - timedelta(days=40)),
)
def sold(raw: DataFrame) -> DataFrame:
    return raw


class Deployed:
    """The shop in Dagster."""

    def __init__(self, shop: Shop, instance: dg.DagsterInstance) -> None:
        self.shop = shop
        self.instance = instance
        self.resources = {
            "lake": shop.runtime.lake,
            "ledger": LedgerResource(url=f"sqlite:///{shop.path / 'ledger.db'}"),
            "cluster": LocalCluster(profile=Profile.SMALL, cores=2),
        }
        self.defs = definitions([sold], resources=self.resources)

    def deliver(self, ago: int, *rows: str) -> date:
        """The file of the day so many days ago."""
        day = TODAY - timedelta(days=ago)
        self.shop.land(f"orders-{day}.csv", *(f"{row},{day}" for row in rows))
        return day

    def materialize(self, first: date, last: date | None = None) -> dg.ExecuteInProcessResult:
        """The day, or all days to the last in one run."""
        job = self.defs.resolve_implicit_global_asset_job_def()
        range_ = {
            "dagster/asset_partition_range_start": str(first),
            "dagster/asset_partition_range_end": str(last),
        }
        return job.execute_in_process(
            partition_key=None if last else str(first),
            tags=range_ if last else {},
            instance=self.instance,
            raise_on_error=False,
        )

    def said(self, check: str, day: date | None = None) -> Any:
        """The last evaluation of a check; None when it is only planned, or never was."""
        records = self.instance.event_log_storage.get_asset_check_execution_history(
            AssetCheckKey(KEY, check), limit=100
        )
        mine = [r for r in records if r.partition == (str(day) if day else None)]
        event = mine[0].event if mine else None
        return event and event.dagster_event and event.dagster_event.event_specific_data

    def tick(self, cursor: str | None = None) -> dg.SensorResult:
        """What the sensor of freshness says."""
        (sensor,) = self.defs.sensors or ()
        context = dg.build_sensor_context(
            instance=self.instance, cursor=cursor, resources=self.resources
        )
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        return result


@pytest.fixture
def deployed(shop: Shop) -> Iterator[Deployed]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Deployed(shop, instance)


def test_an_old_slice_makes_nothing_fresh_in_dagster_in_the_table_or_in_the_event(
    deployed: Deployed,
) -> None:
    def told() -> list[bool]:
        (output,) = deployed.shop.runtime.ledger.events()[-1].payload["outputs"]
        checks = output["facets"]["dataQualityAssertions"]["assertions"]
        return [check["success"] for check in checks if check["assertion"] == "freshness"]

    def judged(at: datetime | None = None) -> dict[str, Any]:
        found = freshness_of(
            deployed.shop.runtime.lake.table("shop.sold"), sold.model, at or datetime.now(UTC)
        )
        assert found is not None
        return found

    assert judged()["verdict"] == "never"
    first = deployed.tick()
    events: Any = first.asset_events
    assert [event.passed for event in events] == [False]
    for ago, fresh in ((6, False), (30, False), (1, True), (29, True)):
        day = deployed.deliver(ago, f"{ago},pen,1")
        assert deployed.materialize(day).success
        assert deployed.said("freshness").passed is fresh
        assert (judged()["verdict"] == "fresh", told()) == (fresh, [fresh])
    # the day before today ended when today began, whenever it was written
    began = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    assert judged()["as_of"] == began.isoformat()
    assert judged(began + timedelta(days=3))["verdict"] == "fresh"
    assert judged(began + timedelta(days=3, seconds=1))["late_by_seconds"] == 1
    then = deployed.tick(first.cursor)
    events = then.asset_events
    assert [event.passed for event in events] == [True]
    assert not deployed.tick(then.cursor).asset_events
    assert "late" not in events[0].description


def test_each_slice_has_its_checks_also_in_one_run_of_a_range(deployed: Deployed) -> None:
    first = deployed.deliver(3, "1,pen,1", "2,ink,-1", "3,pen,1")
    last = deployed.deliver(2, "4,nib,1")
    assert deployed.materialize(first).success
    assert deployed.said("contract", first).metadata["price_ge"].value == 1
    assert deployed.said("item_isin", first).passed
    assert deployed.said("contract", last) is None

    done = deployed.materialize(first, last)
    assert done.success
    for day in (first, last):
        said = deployed.said("contract", day)
        assert said.passed
        assert said.description == f"1 rows are set aside in {first}...{last}"
        assert not deployed.said("item_isin", day).passed
    assert {e.partition for e in done.get_asset_check_evaluations()} == {
        *(None, str(first), str(last))
    }
    planned = [
        record
        for check in ("contract", "item_isin", "freshness")
        for record in deployed.instance.event_log_storage.get_asset_check_execution_history(
            AssetCheckKey(KEY, check), limit=100
        )
        if record.status.value == "PLANNED"
    ]
    assert planned == []
    # nobody knows how many rows each day of the range has
    for made in done.asset_materializations_for_node("shop__sold"):
        assert "dagster/partition_row_count" not in made.metadata


def test_a_range_that_breaks_its_contract_fails_the_check_of_each_slice(
    deployed: Deployed,
) -> None:
    first, last = deployed.deliver(3, "1,pen,-1"), deployed.deliver(2, "2,pen,-1")
    assert not deployed.materialize(first, last).success
    for day in (first, last):
        assert not deployed.said("contract", day).passed
