"""Few rows are checked in the write itself, many before it; what comes of it is the same."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from penstock import (
    Contract,
    Daily,
    Decimal,
    ForeignKey,
    Overwrite,
    Slice,
    column,
    dataset,
    landing,
)
from tests.assets.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset

pytestmark = pytest.mark.slow(seconds=60)

FIRST = date(2013, 1, 1)


class Thing(Contract, name="bronze.things", version="1.0.0", owner="team:shop"):
    """One kind of thing."""

    item: str = column(key=True)


class Sold(
    Contract,
    name="silver.sold_by_day",
    version="1.0.0",
    owner="team:shop",
    foreign_keys=(ForeignKey("item", Thing), ForeignKey("gift", Thing, "item", warn=True)),
):
    """One sale, with every kind of check there is."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    gift: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0, lt=100)
    weight: int = column(nullable=True, ge=1, warn=True)
    day: date = column()


@dataset(Thing, inputs={"raw": landing("things/*.csv")}, write=Overwrite())
def things(raw: DataFrame) -> DataFrame:
    return raw


def sold_of(computed: Any) -> Dataset:
    """The dataset, which counts the rows that its function computes."""

    def counted(number: int | None) -> int | None:
        computed.add(1)
        return number

    @dataset(
        Sold,
        inputs={"raw": landing("orders/orders-{day}*.csv")},
        partitions=Daily(column="day", start=FIRST),
    )
    def sold(raw: DataFrame) -> DataFrame:
        return raw.withColumn("id", F.udf(counted, "bigint")("id"))

    return sold


CLEAN = ("1,ink,,1,5", "2,pen,ink,2,")
# each night's rows; what it says of them; how often it computes a row where they are few, or many
NIGHTS: list[tuple[tuple[str, ...], dict[str, int], dict[str, int], int, int]] = [
    (CLEAN, {}, {}, 2, 2),  # of a table that is new nothing is known
    (CLEAN, {}, {}, 1, 2),
    (("1,ink,,1,0", "2,pen,cat,2,"), {}, {"weight:ge": 1, "gift:foreign_key": 1}, 2, 2),
    (CLEAN, {}, {}, 1, 2),  # the last time something only warned
    (("1,ink,,1,5", "1,pen,,2,", "2,pen,,1,", "3,,,1,"), {"key:unique": 2}, {}, 2, 3),
    (CLEAN, {}, {}, 1, 2),  # the last time something was bad
    (("1,cat,,1,5", "2,pen,cat,2,"), {"item:foreign_key": 1}, {"gift:foreign_key": 1}, 2, 3),
    (("1,ink,,-1,5", "2,pen,,2,0"), {"price:ge": 1}, {"weight:ge": 1}, 1, 2),
]


def told(rows: tuple[str, ...], number: int) -> dict[str, Any]:
    """What the run of these rows is expected to say."""
    _, bad, warned, _, _ = NIGHTS[number]
    aside = sum(bad.values())
    every = {"weight:ge": 0, "gift:foreign_key": 0}
    return {
        "rows_in": len(rows),
        "rows_changed": len(rows) - aside,
        "rows_quarantined": aside,
        "quarantined_by_rule": bad,
        "warned": every | warned,
    }


@pytest.mark.parametrize("few", [True, False], ids=["few", "many"])
def test_what_a_run_finds_is_the_same_for_few_rows_and_for_many(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, few: bool
) -> None:
    if not few:
        monkeypatch.setattr("penstock.assets.resolve._FEW_BYTES", -1)
    shop = Shop.at(spark, tmp_path)
    (tmp_path / "landing" / "things").mkdir()
    (tmp_path / "landing" / "things" / "things.csv").write_text("item\nink\npen\n")
    shop.run(things)
    computed = spark.sparkContext.accumulator(0)
    sold, kept = sold_of(computed), 0
    for number, (rows, *_, if_few, if_many) in enumerate(NIGHTS):
        day = FIRST + timedelta(days=number)
        lines = [f"{row},{day}" for row in rows]
        shop.land(f"orders-{day}.csv", *lines, header="id,item,gift,price,weight,day")
        before = computed.value
        outcome = shop.run(sold, Slice.day(day)).document()
        expected = told(rows, number)
        assert {name: outcome[name] for name in expected} == expected, number
        kept += expected["rows_changed"]
        assert shop.table(sold).count() == kept
        times = (computed.value - before) / len(rows)
        assert times == (if_few if few else if_many), number


def test_a_write_that_was_given_up_left_nothing_that_a_reader_sees(shop: Shop) -> None:
    day = Slice.day(FIRST)
    (shop.path / "landing" / "things").mkdir()
    (shop.path / "landing" / "things" / "things.csv").write_text("item\nink\npen\n")
    shop.run(things)
    sold = sold_of(shop.spark.sparkContext.accumulator(0))
    header = "id,item,gift,price,weight,day"
    shop.land(f"orders-{FIRST}.csv", *(f"{row},{FIRST}" for row in CLEAN), header=header)
    shop.run(sold, day)
    before = sorted(shop.table(sold).collect())
    twins = ("7,ink,,1,", "7,ink,,1,", *CLEAN)
    shop.land(f"orders-{FIRST}.csv", *(f"{row},{FIRST}" for row in twins), header=header)
    steps: list[str] = []

    def on_step(step: str) -> None:
        steps.append(step)
        if step == "quarantining":
            assert sorted(shop.table(sold).collect()) == before

    shop.run(sold, day, on_step=on_step)
    assert steps.index("committing") < steps.index("quarantining")
    assert shop.reasons(sold) == ["key:unique", "key:unique"]
    assert sorted(shop.table(sold).collect()) == before
