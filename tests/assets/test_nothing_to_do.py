"""When a run is right to write nothing, and when it would be a lie."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from penstock import (
    Append,
    Contract,
    Daily,
    Fail,
    Slice,
    Warn,
    column,
    dataset,
    landing,
    table,
)
from penstock.errors import InputError, ValidationError
from penstock.ledger import Ledger
from tests.assets.shop import (
    DAILY,
    DAY,
    FILES,
    NEXT,
    Loaded,
    Order,
    Shop,
    copied,
    loaded,
    logged,
    orders,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

    from penstock import Dataset

pytestmark = pytest.mark.slow

GOOD = "1,ink,1.50,2013-01-05"


def _body(raw: DataFrame) -> DataFrame:
    return raw


def _ids(shop: Shop, spec: Dataset) -> list[int]:
    return sorted(row.id for row in shop.table(spec).collect())


def test_a_stricter_policy_is_something_to_do(shop: Shop) -> None:
    inputs = {"raw": landing(FILES)}
    shop.land("orders-1.csv", GOOD, "2,pen,-1,2013-01-05")
    assert shop.run(dataset(Loaded, inputs=inputs, bad_rows=Warn())(_body)).rows_changed == 2
    with pytest.raises(ValidationError):
        shop.run(dataset(Loaded, inputs=inputs, bad_rows=Fail())(_body))


def test_another_way_to_read_the_file_is_something_to_do(shop: Shop) -> None:
    shop.land("orders-1.csv", "1,none,1.50,2013-01-05")
    shop.run(dataset(Loaded, inputs={"raw": landing(FILES)})(_body))
    null = landing(FILES, null_value="none")
    assert shop.run(dataset(Loaded, inputs={"raw": null})(_body)).committed
    assert [row.item for row in shop.table(loaded).collect()] == [None]


def test_what_is_made_of_no_input_is_made_anew_with_other_code_and_for_another_slice(
    shop: Shop,
) -> None:
    def made(number: int, *days: date) -> DataFrame:
        rows = [(number * day.day, "ink", day) for day in days]
        frame = shop.spark.createDataFrame(rows, "id long, item string, day date")
        return frame.selectExpr("id", "item", "CAST(1 AS decimal(10, 2)) AS price", "day")

    @dataset(Loaded, inputs={})
    def first() -> DataFrame:
        return made(1, date(2013, 1, 5))

    @dataset(Loaded, inputs={})
    def second() -> DataFrame:
        return made(2, date(2013, 1, 5))

    assert shop.run(first).committed
    assert not shop.run(first).committed
    assert shop.run(second).committed
    assert _ids(shop, second) == [10]

    @dataset(Order, inputs={}, partitions=DAILY)
    def by_day(run: Slice) -> DataFrame:
        return made(1, *run.days())

    assert shop.run(by_day, NEXT).committed
    both = Slice.day(date(2013, 1, 5), date(2013, 1, 6))
    assert shop.run(by_day, both).committed
    assert not shop.run(by_day, both).committed
    assert _ids(shop, by_day) == [5, 6]


def test_a_range_with_a_day_that_has_not_arrived_is_refused(shop: Shop) -> None:
    sixth = shop.land("orders-2013-01-06.csv", "6,ink,1,2013-01-06")
    shop.run(orders, NEXT)
    sixth.unlink()
    shop.land("orders-2013-01-05.csv", GOOD)
    shop.land("orders-2013-01-07.csv", "7,ink,1,2013-01-07")
    with pytest.raises(InputError, match="no file has arrived") as caught:
        shop.run(orders, Slice.day(date(2013, 1, 5), date(2013, 1, 7)))
    assert caught.value.found == "none for 2013-01-06"
    assert _ids(shop, orders) == [6]


def test_what_a_restore_took_out_is_taken_again(shop: Shop) -> None:
    shop.land("orders-1.csv", GOOD)
    shop.run(logged)
    shop.land("orders-2.csv", "2,pen,1,2013-01-05")
    shop.run(logged)
    path = shop.runtime.lake.table(logged.name).path
    shop.spark.sql(f"RESTORE delta.`{path}` TO VERSION AS OF 0").collect()
    assert _ids(shop, logged) == [1]
    assert shop.run(logged).committed
    assert _ids(shop, logged) == [1, 2]
    assert not shop.run(logged).committed


def test_changes_that_a_restore_took_out_are_taken_again(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    shop.run(orders, DAY)
    shop.run(copied)
    shop.land("orders-2013-01-06.csv", "2,pen,1,2013-01-06")
    shop.run(orders, NEXT)
    shop.run(copied)
    log = shop.runtime.lake.table(copied.name).read()
    assert log
    first, second = sorted(commit.at for commit in log.commits())
    instant = (first + (second - first) / 2).strftime("%Y-%m-%d %H:%M:%S.%f")
    shop.spark.sql(f"RESTORE delta.`{log._table.table_uri}` TO TIMESTAMP AS OF '{instant}'")
    assert _ids(shop, copied) == [1]
    shop.run(copied)
    assert _ids(shop, copied) == [1, 2]


@pytest.mark.parametrize(
    ("step", "bad"),
    [
        ("resolved", ()),
        ("analyzed", ()),
        ("checked", ()),
        ("committing", ()),
        # what is written then would be of another file than what was set aside
        ("quarantined", ("3,nib,-1,2013-01-05",)),
    ],
    ids=["resolved", "analyzed", "checked", "committing", "quarantined"],
)
def test_a_file_that_grows_while_it_is_read_is_loaded_once_and_whole(
    shop: Shop, step: str, bad: tuple[str, ...]
) -> None:
    file = shop.land("orders-1.csv", GOOD, *bad)
    more = ["2,pen,1,2013-01-05\n"]

    def on_step(ended: str) -> None:
        if ended == step and more:
            with file.open("a") as stream:
                stream.write(more.pop())

    with pytest.raises(InputError, match="changed while it was being read"):
        shop.run(logged, on_step=on_step)
    assert shop.version(logged) is None
    shop.run(logged)
    assert _ids(shop, logged) == [1, 2]


class Trip(Contract, name="silver.trip", version="1.0.0", owner="team:shop"):
    """One trip, cut by its departure."""

    id: int = column(key=True)
    departed: date = column()
    arrived: date = column()


class Arrival(Contract, name="gold.arrival", version="1.0.0", owner="team:shop"):
    """One trip, cut by its arrival."""

    id: int = column(key=True)
    arrived: date = column()


@dataset(
    Trip,
    inputs={"raw": landing("trips/trips-{day}*.csv")},
    partitions=Daily(column="departed", start=date(2013, 1, 1)),
)
def trips(raw: DataFrame) -> DataFrame:
    return raw


@dataset(
    Arrival,
    inputs={"trips": table(Trip, slice_by="arrived")},
    partitions=Daily(column="arrived", start=date(2013, 1, 1)),
)
def arrivals(trips: DataFrame) -> DataFrame:
    return trips.select("id", "arrived")


def test_a_slice_by_another_column_than_the_inputs_is_made_anew(shop: Shop) -> None:
    folder = shop.path / "landing" / "trips"
    folder.mkdir()
    (folder / "trips-2013-01-05.csv").write_text("id,departed,arrived\n1,2013-01-05,2013-01-06\n")
    shop.run(trips, DAY)
    shop.run(arrivals, NEXT)
    # it left on the 5th: the commit is one of the slice of the 5th, its rows arrive on the 6th
    (folder / "trips-2013-01-05-late.csv").write_text(
        "id,departed,arrived\n2,2013-01-05,2013-01-06\n"
    )
    shop.run(trips, DAY)
    assert shop.run(arrivals, NEXT).committed
    assert _ids(shop, arrivals) == [1, 2]
    assert not shop.run(arrivals, NEXT).committed


def test_a_ledger_that_is_new_learns_the_contract_of_a_dataset_that_has_nothing_to_do(
    shop: Shop, tmp_path: Path
) -> None:
    shop.land("orders-1.csv", GOOD)
    shop.run(loaded)
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'new.db'}")
    from dataclasses import replace

    anew = Shop(spark=shop.spark, runtime=replace(shop.runtime, ledger=ledger), path=shop.path)
    assert not anew.run(loaded).committed
    assert ledger.latest_contract(loaded.name) == loaded.model


def test_lookback_counts(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    shop.run(orders, DAY)
    plain = {"raw": table("bronze.orders", slice_by="day")}
    back = {"raw": table("bronze.orders", slice_by="day", lookback=timedelta(days=1))}
    assert shop.run(dataset(Loaded, inputs=plain, partitions=DAILY)(_body), DAY).committed
    assert shop.run(dataset(Loaded, inputs=back, partitions=DAILY)(_body), DAY).committed


def test_append_is_of_files_by_content(shop: Shop) -> None:
    spec = dataset(Loaded, inputs={"raw": landing(FILES)}, write=Append())(_body)
    shop.land("orders-1.csv", GOOD)
    shop.run(spec)
    shop.land("orders-2.csv", GOOD)
    assert not shop.run(spec).committed
