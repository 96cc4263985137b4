"""What each write mode leaves in the table, the first time and later."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING

import pytest

from penstock import Append, Contract, Dataset, Decimal, Slice, column, dataset, landing
from penstock.testing import assert_frames_equal
from tests.assets.shop import (
    BY_DAY,
    DAILY,
    DAY,
    NEXT,
    PLAIN,
    VERSIONED,
    Copied,
    Order,
    Shop,
    copied,
    loaded,
    logged,
    merged,
    merged_files,
    orders,
    versioned,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

pytestmark = pytest.mark.slow

FIRST = ("1,ink,1.50,2013-01-05", "2,,2.50,2013-01-05")
SIX = "3,pen,3.50,2013-01-06"


@pytest.mark.parametrize("spec", [orders, loaded, logged, merged_files], ids=lambda s: s.name)
def test_first_run_then_nothing_to_do_then_new_code(shop: Shop, spec: Dataset) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    first = shop.run(spec)
    assert (first.committed, first.version, first.rows_in, first.rows_changed) == (True, 0, 2, 2)
    assert (first.rows_quarantined, dict(first.quarantined_by_rule)) == (0, {})
    again = shop.run(spec)
    assert (again.committed, again.version, again.run_id) == (False, 0, first.run_id)
    assert (again.rows_in, again.rows_changed) == (2, 2)
    assert_frames_equal(
        shop.table(spec), [(1, "ink", "1.50", "2013-01-05"), (2, None, "2.50", "2013-01-05")]
    )
    assert shop.states(spec) == ["COMPLETE"]


def test_overwrite_holds_what_landing_holds(shop: Shop) -> None:
    shop.land("orders-a.csv", *FIRST)
    shop.run(loaded)
    shop.land("orders-a.csv", SIX)
    assert shop.run(loaded).rows_in == 1
    assert_frames_equal(shop.table(loaded), [(3, "pen", "3.50", "2013-01-06")])
    shop.land("orders-b.csv", FIRST[0])
    assert shop.run(loaded).rows_in == 2
    assert sorted(row.id for row in shop.table(loaded).collect()) == [1, 3]


def test_going_back_to_an_earlier_content_is_a_new_commit(shop: Shop) -> None:
    for version, lines in enumerate((FIRST, (SIX,), FIRST)):
        shop.land("orders-a.csv", *lines)
        outcome = shop.run(loaded)
        assert (outcome.committed, outcome.version) == (True, version)
    assert sorted(row.id for row in shop.table(loaded).collect()) == [1, 2]


def test_a_table_changed_by_another_writer_is_made_again(shop: Shop) -> None:
    shop.land("orders-a.csv", *FIRST)
    shop.run(loaded)
    path = shop.runtime.lake.table(loaded.name).path
    shop.spark.sql(f"DELETE FROM delta.`{path}` WHERE id = 1")
    outcome = shop.run(loaded)
    assert outcome.committed
    assert sorted(row.id for row in shop.table(loaded).collect()) == [1, 2]
    assert not shop.run(loaded).committed


def test_a_slice_is_replaced_and_the_others_stay(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.land("orders-2013-01-06.csv", SIX)
    shop.run(orders, DAY)
    shop.run(orders, NEXT)
    shop.land("orders-2013-01-05.csv", "9,cup,1,2013-01-05")
    outcome = shop.run(orders, DAY)
    assert (outcome.rows_in, outcome.rows_changed) == (1, 1)
    assert sorted(row.id for row in shop.table(orders).collect()) == [3, 9]
    assert not shop.run(orders, NEXT).committed


def test_a_late_file_of_an_old_day_redoes_that_day_alone(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.land("orders-2013-01-06.csv", SIX)
    shop.run(orders, DAY)
    shop.run(orders, NEXT)
    shop.land("orders-2013-01-05-late.csv", "9,cup,1,2013-01-05")
    assert shop.run(orders, DAY).rows_in == 3
    assert sorted(row.id for row in shop.table(orders).collect()) == [1, 2, 3, 9]


def test_a_range_is_one_run_and_each_of_its_days_can_be_run_again(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.land("orders-2013-01-06.csv", SIX)
    both = Slice.day(date(2013, 1, 5), date(2013, 1, 6))
    outcome = shop.run(orders, both)
    assert (outcome.rows_in, outcome.slice_key) == (3, "2013-01-05...2013-01-06")
    assert not shop.run(orders, both).committed
    before = shop.table(orders).localCheckpoint()
    assert shop.run(orders, DAY).rows_in == 2
    assert_frames_equal(shop.table(orders), before)
    shop.land("orders-2013-01-06.csv", SIX, "4,nib,1,2013-01-06")
    assert shop.run(orders, both).rows_in == 4
    assert sorted(row.id for row in shop.table(orders).collect()) == [1, 2, 3, 4]


def test_append_takes_each_file_once_whatever_its_name(shop: Shop) -> None:
    shop.land("orders-a.csv", *FIRST)
    shop.run(logged)
    shop.land("orders-b.csv", *FIRST)
    copy = shop.run(logged)
    assert not copy.committed
    shop.land("orders-c.csv", SIX)
    outcome = shop.run(logged)
    assert (outcome.rows_in, outcome.rows_changed) == (1, 1)
    # the first is what an earlier commit says that it took
    assert [f["name"] for f in outcome.inputs["raw"]["copies"]] == ["orders/orders-b.csv"]
    assert sorted(row.id for row in shop.table(logged).collect()) == [1, 2, 3]


@pytest.mark.parametrize("spec", [copied, merged], ids=lambda s: s.name)
def test_changes_are_taken_once(shop: Shop, spec: Dataset) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.land("orders-2013-01-06.csv", SIX)
    shop.run(orders, DAY)
    assert shop.run(spec).rows_in == 2
    assert not shop.run(spec).committed
    shop.run(orders, NEXT)
    outcome = shop.run(spec)
    assert (outcome.rows_in, outcome.rows_changed, outcome.committed) == (1, 1, True)
    assert sorted(row.id for row in shop.table(spec).collect()) == [1, 2, 3]
    assert not shop.run(spec).committed


def test_upkeep_of_the_input_is_no_change(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.run(orders, DAY)
    shop.run(copied)
    path = shop.runtime.lake.table(orders.name).path
    shop.spark.sql(f"OPTIMIZE delta.`{path}`").collect()
    assert not shop.run(copied).committed
    assert not shop.run(orders, DAY).committed


def test_merge_changes_what_differs_and_leaves_the_rest(shop: Shop) -> None:
    shop.land("orders-a.csv", *FIRST)
    shop.run(merged_files)
    shop.land("orders-a.csv", FIRST[0], "2,cup,2.50,2013-01-05", SIX)
    outcome = shop.run(merged_files)
    assert (outcome.rows_in, outcome.rows_changed) == (3, 2)
    assert_frames_equal(
        shop.table(merged_files),
        [
            (1, "ink", "1.50", "2013-01-05"),
            (2, "cup", "2.50", "2013-01-05"),
            (3, "pen", "3.50", "2013-01-06"),
        ],
    )


def test_merge_takes_the_newest_of_a_row_that_changed_twice(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.run(orders, DAY)
    shop.run(merged)
    for item in ("a", "b"):
        shop.land("orders-2013-01-05.csv", f"1,{item},1.50,2013-01-05", FIRST[1])
        shop.run(orders, DAY)
    outcome = shop.run(merged)
    assert outcome.rows_quarantined == 0
    assert {row.id: row.item for row in shop.table(merged).collect()} == {1: "B", 2: None}


def _versions(shop: Shop) -> list[tuple[object, ...]]:
    frame = shop.table(versioned).selectExpr(
        "id", "item", "string(valid_from)", "string(valid_to)", "is_current"
    )
    return sorted(tuple(row) for row in frame.collect())


def test_scd2_ends_a_version_when_the_next_begins(shop: Shop) -> None:
    shop.land("orders-a.csv", "1,ink,1,2013-01-01", "2,pen,1,2013-01-01", header=VERSIONED)
    first = shop.run(versioned)
    assert first.rows_changed == 2
    shop.land("orders-b.csv", "1,cup,1,2013-01-03", header=VERSIONED)
    later = shop.run(versioned)
    assert later.rows_changed == 2
    assert _versions(shop) == [
        (1, "cup", "2013-01-03 00:00:00", None, True),
        (1, "ink", "2013-01-01 00:00:00", "2013-01-03 00:00:00", False),
        (2, "pen", "2013-01-01 00:00:00", None, True),
    ]
    assert not shop.run(versioned).committed


def test_scd2_puts_a_late_version_in_its_place_and_drops_a_repeated_one(shop: Shop) -> None:
    shop.land("orders-a.csv", "1,ink,1,2013-01-01", "1,cup,1,2013-01-09", header=VERSIONED)
    shop.run(versioned)
    shop.land("orders-b.csv", "1,nib,1,2013-01-05", "1,cup,1,2013-01-10", header=VERSIONED)
    shop.run(versioned)
    assert _versions(shop) == [
        (1, "cup", "2013-01-09 00:00:00", None, True),
        (1, "ink", "2013-01-01 00:00:00", "2013-01-05 00:00:00", False),
        (1, "nib", "2013-01-05 00:00:00", "2013-01-09 00:00:00", False),
    ]


def test_scd2_corrects_a_version_that_arrives_again_with_other_values(shop: Shop) -> None:
    shop.land("orders-a.csv", "1,ink,1,2013-01-01", "1,cup,1,2013-01-09", header=VERSIONED)
    shop.run(versioned)
    shop.land("orders-a.csv", "1,INK,1,2013-01-01", "1,cup,1,2013-01-09", header=VERSIONED)
    shop.run(versioned)
    assert _versions(shop) == [
        (1, "INK", "2013-01-01 00:00:00", "2013-01-09 00:00:00", False),
        (1, "cup", "2013-01-09 00:00:00", None, True),
    ]


@pytest.mark.parametrize("spec", [orders, loaded, merged_files, logged], ids=lambda s: s.name)
def test_a_new_nullable_column_evolves_the_table(shop: Shop, spec: Dataset) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.run(spec)
    wider = _wider(spec)
    shop.land(
        "orders-2013-01-05.csv",
        "1,ink,1.50,2013-01-05,red",
        "5,ink,1,2013-01-05,",
        header="id,item,price,day,color",
    )
    outcome = shop.run(wider)
    assert outcome.committed
    colors = {row.id: row.color for row in shop.table(spec).where("id != 2").collect()}
    if spec is logged:
        assert shop.table(spec).where("id = 1 AND color = 'red'").count() == 1
    else:
        assert colors == {1: "red", 5: None}
    assert not shop.run(wider).committed


def _wider(spec: Dataset) -> Dataset:
    class Wider(Contract, name=spec.name, version="1.1.0", owner="team:shop"):
        """One order with its color."""

        # what is only added may come again as another
        id: int = column(key=spec is not logged)
        item: str = column(nullable=True)
        price: Decimal(10, 2) = column(ge=0)
        day: date = column()
        color: str = column(nullable=True)

    def body(raw: DataFrame) -> DataFrame:
        return raw

    return dataset(Wider, inputs=spec.inputs, write=spec.write, partitions=spec.partitions)(body)


def test_code_that_changes_makes_the_dataset_again(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.run(orders, DAY)

    @dataset(Order, inputs=orders.inputs, partitions=orders.partitions)
    def cheaper(raw: DataFrame) -> DataFrame:
        return raw.selectExpr("id", "item", "CAST(0 AS decimal(10,2)) AS price", "day")

    assert shop.run(cheaper, DAY).committed
    assert {row.price for row in shop.table(orders).collect()} == {0}
    assert tuple(shop.table(orders).columns) == PLAIN


def test_merge_and_changes_of_a_row_that_is_deleted_and_comes_again(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.run(orders, DAY)
    shop.run(merged)
    for lines in (FIRST[:1], (FIRST[0], "2,new,2.50,2013-01-05")):
        shop.land("orders-2013-01-05.csv", *lines)
        shop.run(orders, DAY)
    shop.run(merged)
    assert {row.id: row.item for row in shop.table(merged).collect()} == {1: "INK", 2: "NEW"}


def test_merge_takes_the_files_not_taken_yet(shop: Shop) -> None:
    shop.land("orders-a.csv", *FIRST)
    shop.run(merged_files)
    # a whole dump a day: the same keys, some with other values
    shop.land("orders-b.csv", FIRST[0], "2,cup,2.50,2013-01-05")
    outcome = shop.run(merged_files)
    assert (outcome.rows_quarantined, outcome.rows_changed) == (0, 1)
    assert {row.id: row.item for row in shop.table(merged_files).collect()} == {1: "ink", 2: "cup"}
    assert not shop.run(merged_files).committed
    # the next dump is as the first one was, to the byte
    shop.land("orders-c.csv", *FIRST)
    assert shop.run(merged_files).rows_changed == 1
    assert {row.id: row.item for row in shop.table(merged_files).collect()} == {1: "ink", 2: None}
    assert not shop.run(merged_files).committed


def test_of_a_key_in_several_new_files_the_newest_counts(shop: Shop) -> None:
    # whole dumps that nothing was taken of; the names are not in the order of the times
    same = [f"{key},same,1,2013-01-05" for key in (2, 4, 5, 6)]
    for number, (name, item) in enumerate((("c", "old"), ("b", "older"), ("a", "new"))):
        lines = [f"1,{item},1,2013-01-05", *same, *(["7,pen,1,bad"] if name == "b" else [])]
        os.utime(shop.land(f"orders-{name}.csv", *lines), (1_357_000_000 + number,) * 2)
    file = shop.land("orders-d.csv", "3,twice,1,2013-01-05", "3,Twice,1,2013-01-05")
    os.utime(file, (1_356_000_000,) * 2)
    outcome = shop.run(merged_files)
    assert dict(outcome.quarantined_by_rule) == {"day:type": 1, "key:unique": 2}
    assert {row.id: row.item for row in shop.table(merged_files).collect()} == {
        1: "new",
        **dict.fromkeys((2, 4, 5, 6), "same"),
    }


def test_files_of_two_days_with_the_same_bytes_are_two_files(shop: Shop) -> None:
    @dataset(Copied, inputs={"raw": landing(BY_DAY)}, partitions=DAILY, write=Append())
    def by_day(raw: DataFrame) -> DataFrame:
        return raw

    for name in ("orders-2013-01-05.csv", "orders-2013-01-06.csv", "orders-2013-01-06-copy.csv"):
        shop.land(name, *FIRST)
    for slice_ in (DAY, NEXT):
        assert shop.run(by_day, slice_).rows_in == 2
        assert not shop.run(by_day, slice_).committed
    assert shop.table(by_day).count() == 4
