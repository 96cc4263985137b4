"""Runs of the command line are known to the Dagster instance of the deployment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from penstock.operations.up import write_dagster_home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow(seconds=30)

ORDERS, TOTALS = dg.AssetKey(["shop", "orders"]), dg.AssetKey(["shop", "totals"])
FIRST, LAST = "2013-02-07", "2013-02-08"


def checks(instance: dg.DagsterInstance, key: dg.AssetKey, name: str) -> dict[str | None, Any]:
    """The last evaluation of each slice."""
    found = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key, name), limit=100
    )
    return {
        record.partition: record.event.dagster_event.event_specific_data  # type: ignore[union-attr]
        for record in reversed(found)
    }


@pytest.mark.usefixtures("spark")
def test_each_slice_is_materialized_with_its_facts_and_checks(shop: Any) -> None:
    home = write_dagster_home(shop.root)
    for number, day in enumerate((FIRST, LAST)):
        rows = [f"{number}{n},{day},ada@example.org,{n}" for n in range(3)]
        shop.deliver(day, *rows, f"9{number},{day},ada@example.org,-1")
    [made] = shop.json("backfill", "shop.orders", "--from", FIRST, "--to", LAST)
    shop.json("run", "shop.totals", "--slice", LAST)
    shop.deliver(LAST, f"1,{LAST},ada@example.org,-1")
    failed = shop("run", "shop.orders", "--slice", LAST)
    assert (failed.exit_code, failed.stderr.count("Dagster")) == (6, 0), failed.stderr

    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_materialized_partitions(ORDERS) == {FIRST, LAST}
        assert instance.get_materialized_partitions(TOTALS) == {LAST}
        event = instance.get_latest_materialization_event(ORDERS)
        assert event is not None
        told = event.asset_materialization
        assert told is not None
        assert told.metadata["lineage_run_id"].value == made["run_id"]
        assert told.metadata["rows_quarantined"].value == 2
        code = sys.modules["small_shop"].orders.code_version
        assert told.tags is not None
        assert told.tags["dagster/data_version"] == "0"
        assert told.tags["dagster/code_version"] == code
        contract = checks(instance, ORDERS, "contract")
        assert {day: said.passed for day, said in contract.items()} == {FIRST: True, LAST: False}
        assert contract[FIRST].metadata["amount_ge"].value == 2
        (freshness,) = checks(instance, TOTALS, "freshness").items()
        assert (freshness[0], freshness[1].passed) == (None, False)


def damaged(home: Path) -> None:
    write_dagster_home(home)
    (home / "dagster" / "history").write_text("where its databases would be")


def unreadable(home: Path) -> None:
    (write_dagster_home(home) / "dagster.yaml").write_text("storage: [")


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda _: None, "Dagster is not told: there is no instance in "),
        (damaged, "Dagster could not be told of shop.orders 2013-02-07: "),
        (unreadable, "Dagster could not be told of shop.orders 2013-02-07: "),
    ],
    ids=["none", "damaged", "unreadable"],
)
def test_a_run_ends_as_it_does_whatever_becomes_of_dagster(
    shop: Any, prepare: Any, said: str
) -> None:
    prepare(shop.root)
    shop.deliver(FIRST, f"1,{FIRST},ada@example.org,10")
    result = shop("run", "shop.orders", "--slice", FIRST, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("Dagster") == 1
    assert said in result.stderr
    assert shop.json("history", "shop.orders")[0]["slice"] == FIRST
