"""A column that becomes required stops at a table whose rows have none."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from penstock import Contract, Decimal, Merge, Slice, Warn, column, dataset
from penstock.errors import GateError
from penstock.testing import count_jobs
from tests.assets.shop import DAY, NEXT, loaded, logged, merged_files, orders

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock import Dataset
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow

WITH, WITHOUT = "1,ink,1.50,2013-01-05", "2,,2.50,2013-01-06"


def _stricter(spec: Dataset) -> Dataset:
    class Stricter(Contract, name=spec.name, version="2.0.0", owner="team:shop"):
        """One order of a named item."""

        id: int = column(key=True)
        item: str = column()
        price: Decimal(10, 2) = column(ge=0)
        day: date = column()

    def body(raw: DataFrame) -> DataFrame:
        return raw

    return dataset(Stricter, inputs=spec.inputs, write=spec.write, partitions=spec.partitions)(body)


@pytest.mark.parametrize("spec", [logged, merged_files], ids=lambda s: s.name)
def test_rows_that_stay_must_have_a_value(shop: Shop, spec: Dataset) -> None:
    shop.land("orders-a.csv", WITH, WITHOUT)
    shop.run(spec)
    shop.land("orders-b.csv", "3,pen,1,2013-01-06")
    stricter = _stricter(spec)
    with pytest.raises(GateError, match="requires a column in which rows of the table") as caught:
        shop.run(stricter)
    assert caught.value.found == "rows with NULL: item: 1"
    assert shop.table(spec).count() == 2
    path = shop.runtime.lake.table(spec.name).path
    shop.spark.sql(f"UPDATE delta.`{path}` SET item = 'cup' WHERE id = 2").collect()
    assert shop.run(stricter).committed
    shop.land("orders-c.csv", "4,nib,1,2013-01-06")
    with count_jobs(shop.spark) as jobs:
        shop.run(stricter)
    with_check = len(jobs)
    shop.land("orders-d.csv", "5,nib,1,2013-01-06")
    shop.run(spec)  # under the old contract
    shop.land("orders-e.csv", "6,nib,1,2013-01-06")
    with count_jobs(shop.spark) as jobs:
        shop.run(stricter)
    # asked once after each change of the contract, and not again
    assert len(jobs) > with_check
    if isinstance(spec.write, Merge):
        assert shop.table(spec).where("item IS NULL").count() == 0


@pytest.mark.parametrize("spec", [logged, merged_files], ids=lambda s: s.name)
def test_rows_that_were_only_warned_of_do_not_stay_when_nobody_keeps_them(
    shop: Shop, spec: Dataset
) -> None:
    strict = _stricter(spec)
    warned = dataset(strict.contract, inputs=spec.inputs, write=spec.write, bad_rows=Warn())(
        lambda raw: raw
    )
    shop.land("orders-a.csv", WITH, WITHOUT)
    assert shop.run(warned).committed
    shop.land("orders-b.csv", "3,pen,1,2013-01-06")
    with pytest.raises(GateError, match="requires a column in which rows of the table"):
        shop.run(strict)
    path = shop.runtime.lake.table(spec.name).path
    shop.spark.sql(f"UPDATE delta.`{path}` SET item = 'cup' WHERE id = 2").collect()
    assert shop.run(strict).committed
    shop.land("orders-c.csv", "4,nib,1,2013-01-06")
    assert shop.run(strict).committed


def _keyed(spec: Dataset, *key: str) -> Dataset:
    class Keyed(Contract, name=spec.name, version="2.0.0", owner="team:shop"):
        """One order by another key."""

        id: int = column(key="id" in key)
        item: str = column(key="item" in key)
        price: Decimal(10, 2) = column(ge=0, key="price" in key)
        day: date = column(key="day" in key)

    def body(raw: DataFrame) -> DataFrame:
        return raw

    return dataset(Keyed, inputs=spec.inputs, write=spec.write)(body)


@pytest.mark.parametrize("spec", [logged, merged_files], ids=lambda s: s.name)
def test_a_key_that_became_another_tells_the_rows_of_the_table_apart(
    shop: Shop, spec: Dataset
) -> None:
    shop.land("orders-a.csv", WITH, "2,ink,2.50,2013-01-06", "3,cup,1,2013-01-06")
    shop.run(spec)
    shop.land("orders-b.csv", "4,ink,1.75,2013-01-05")
    before = shop.table(spec).collect()
    with pytest.raises(GateError, match="key by which rows of the table are the same") as caught:
        shop.run(_keyed(spec, "item"))
    assert caught.value.found == "1 keys in 2 rows"
    assert shop.table(spec).collect() == before
    # a key with more columns than before tells apart what the one before did
    wider = _keyed(spec, "item", "id")
    assert shop.run(wider).committed
    path = shop.runtime.lake.table(spec.name).path
    shop.spark.sql(f"DELETE FROM delta.`{path}` WHERE id IN (1, 2)").collect()
    shop.land("orders-c.csv", "5,pen,1.75,2013-01-05")
    narrow = _keyed(spec, "item")
    assert shop.run(narrow).committed
    assert sorted((r.id, r.item) for r in shop.table(spec).collect()) == [
        (3, "cup"),
        (4, "ink"),
        (5, "pen"),
    ]


def test_rows_that_are_replaced_need_none(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", WITH)
    shop.land("orders-2013-01-06.csv", WITHOUT)
    for slice_ in (DAY, NEXT):
        shop.run(orders, slice_)
    shop.run(loaded)
    shop.land("orders-2013-01-05.csv", "1,INK,1.50,2013-01-05")
    shop.land("orders-2013-01-06.csv", "2,cup,2.50,2013-01-06")
    assert shop.run(_stricter(loaded)).committed
    stricter = _stricter(orders)
    with pytest.raises(GateError) as caught:
        shop.run(stricter, DAY)  # the other day stays, with its NULL
    assert caught.value.next_step
    assert "in one range" in caught.value.next_step
    assert shop.run(stricter, Slice.day(date(2013, 1, 5), date(2013, 1, 6))).committed
    assert shop.table(orders).where("item IS NULL").count() == 0
    # a RESTORE brings back rows that were written under the contract before
    path = shop.runtime.lake.table(orders.name).path
    shop.spark.sql(f"RESTORE delta.`{path}` TO VERSION AS OF 1").collect()
    with pytest.raises(GateError):
        shop.run(stricter, DAY)
