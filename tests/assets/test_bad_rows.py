"""Rows that break the contract: set aside, failed or counted; never lost."""

from __future__ import annotations

import json
import random
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from penstock import (
    Contract,
    Dataset,
    Decimal,
    Fail,
    ForeignKey,
    Merge,
    Quarantine,
    Warn,
    column,
    dataset,
    landing,
    table,
)
from penstock.errors import DefinitionError, ValidationError
from penstock.testing import rows
from tests.assets.shop import FILES, Loaded, Shop, loaded, logged, merged_files, orders

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.modes import BadRows, WriteMode

pytestmark = pytest.mark.slow

GOOD = "1,ink,1.50,2013-01-05"
BAD = "2,pen,-1,2013-01-05"
TWINS = ("3,a,1,2013-01-05", "3,b,1,2013-01-05")


def _with(bad_rows: BadRows, **how: Any) -> Dataset:
    @dataset(Loaded, inputs={"raw": landing(FILES)}, bad_rows=bad_rows, **how)
    def policed(raw: DataFrame) -> DataFrame:
        return raw

    return policed


class Weighed(Contract, name="silver.weighed", version="1.0.0", owner="team:shop"):
    """One order with a weight."""

    id: int = column()
    grams: int = column(ge=0)


def test_what_is_written_was_tested_whatever_a_function_says_the_second_time(shop: Shop) -> None:
    """A function that is not deterministic: of a row that is tested, the same row is written."""

    def weigh(_: int) -> int:
        return random.choice([-1, 1])

    raw = landing(FILES, derived=["grams"])

    @dataset(Weighed, inputs={"raw": raw}, bad_rows=Quarantine(max_fraction=None))
    def weighed(raw: DataFrame) -> DataFrame:
        return raw.select("id", F.udf(weigh, "bigint")("id").alias("grams"))

    for night in range(2):  # the first finds them by surprise, the second expects them
        ids = range(night * 200, night * 200 + 200)
        shop.land(f"orders-{night}.csv", *(str(number) for number in ids), header="id")
        assert shop.run(weighed).rows_quarantined
        assert {row.grams for row in shop.table(weighed).select("grams").collect()} == {1}


class Noticed(Contract, name="silver.noticed", version="1.0.0", owner="team:shop"):
    """One order and when it was noticed."""

    id: int = column(ge=0)
    at: datetime = column()


def test_a_row_that_is_set_aside_keeps_its_times_to_the_microsecond(shop: Shop) -> None:
    @dataset(Noticed, inputs={"raw": landing(FILES)}, bad_rows=Quarantine(max_fraction=None))
    def noticed(raw: DataFrame) -> DataFrame:
        return raw

    shop.land("orders-1.csv", "-1,2013-01-05T10:15:00.123456+01:00", header="id,at")
    assert shop.run(noticed).rows_quarantined == 1
    [entry] = shop.quarantine(noticed).collect()
    assert json.loads(entry.row) == {"id": -1, "at": "2013-01-05T09:15:00.123456Z"}


def test_fail_commits_nothing_and_keeps_the_rows_for_those_who_look(shop: Shop) -> None:
    spec = _with(Fail())
    shop.land("orders-a.csv", GOOD, BAD)
    with pytest.raises(ValidationError) as caught:
        shop.run(spec)
    assert str(caught.value).splitlines() == [
        "bronze.loaded 1.0.0, whole: 1 of 2 rows break the contract",
        "  expected: no bad row",
        "  found: price:ge 1",
        "  next: look at them: penstock quarantine show bronze.loaded; nothing was committed",
    ]
    assert shop.version(spec) is None
    path = shop.runtime.lake.quarantine(spec.name).path
    assert [r.reasons for r in shop.spark.read.format("delta").load(path).collect()] == [
        ["price:ge"]
    ]
    assert shop.states(spec) == ["FAIL"]
    shop.land("orders-a.csv", GOOD)
    assert shop.run(spec).rows_in == 1
    assert shop.reasons(spec) == []


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Quarantine(max_rows=1, max_fraction=None), "at most 1 rows set aside"),
        (Quarantine(max_fraction=0.6), "at most 60.00% set aside"),
        (Quarantine(max_rows=9, max_fraction=0.5), "at most 9 rows and 50.00% set aside"),
    ],
)
def test_too_many_bad_rows_commit_nothing(shop: Shop, policy: Quarantine, expected: str) -> None:
    spec = _with(policy)
    shop.land("orders-a.csv", GOOD, BAD, "x,y,1,2013-01-05")
    with pytest.raises(ValidationError, match="2 of 3 rows") as caught:
        shop.run(spec)
    assert (caught.value.expected, caught.value.found) == (expected, "id:type 1, price:ge 1")
    assert shop.version(spec) is None


def test_as_many_as_allowed_are_set_aside(shop: Shop) -> None:
    spec = _with(Quarantine(max_rows=2, max_fraction=0.67))
    shop.land("orders-a.csv", GOOD, BAD, "x,y,1,2013-01-05")
    assert shop.run(spec).rows_quarantined == 2
    (told,) = shop.runtime.ledger.events(event_type="COMPLETE")
    facet = told.payload["run"]["facets"]["penstock_run"]
    assert facet["quarantine"] == shop.runtime.lake.quarantine(spec.name).uri


def test_warn_keeps_the_rows_and_counts_them(shop: Shop) -> None:
    spec = _with(Warn())
    shop.land("orders-a.csv", GOOD, BAD, *TWINS)
    outcome = shop.run(spec)
    assert (outcome.rows_in, outcome.rows_quarantined) == (4, 0)
    assert {rule: n for rule, n in outcome.warned.items() if n} == {"price:ge": 1, "key:unique": 2}
    assert shop.table(spec).count() == 4


def test_warn_does_not_lose_rows_that_cannot_be_read(shop: Shop) -> None:
    spec = _with(Warn())
    shop.land("orders-a.csv", GOOD, BAD, "short", "x,y,1,2013-01-05")
    outcome = shop.run(spec)
    assert (outcome.rows_in, outcome.rows_quarantined) == (4, 2)
    assert {rule: n for rule, n in outcome.warned.items() if n} == {"price:ge": 1}
    assert shop.reasons(spec) == ["csv:malformed", "id:type"]


def test_a_function_that_runs_a_job_itself_does_not_meet_rows_that_cannot_be_read(
    shop: Shop,
) -> None:
    @dataset(Loaded, inputs={"raw": landing(FILES)}, bad_rows=Quarantine(max_fraction=0.9))
    def newest(raw: DataFrame) -> DataFrame:
        last = raw.agg(F.max("day")).collect()[0][0]
        return raw.where(F.col("day") == F.lit(last))

    shop.land("orders-a.csv", GOOD, "2,pen,1,2013-01-04", "short", "x,y,1,2013-01-05")
    outcome = shop.run(newest)
    assert (outcome.rows_in, outcome.rows_quarantined) == (3, 2)
    assert [row.id for row in shop.table(newest).collect()] == [1]


def test_merge_enforces_its_key_even_when_all_else_only_warns(shop: Shop) -> None:
    spec = _with(Warn(), write=Merge())
    shop.land("orders-a.csv", GOOD, BAD, *TWINS, ",nokey,1,2013-01-05")
    outcome = shop.run(spec)
    assert shop.reasons(spec) == ["id:not_null", "key:unique", "key:unique"]
    assert (outcome.rows_in, outcome.rows_quarantined) == (5, 3)
    assert sorted(row.id for row in shop.table(spec).collect()) == [1, 2]


@pytest.mark.parametrize("write", [None, Merge()], ids=["overwrite", "merge"])
def test_rows_without_a_key_have_none_in_common(shop: Shop, write: WriteMode | None) -> None:
    shop.land("orders-a.csv", GOOD, ",a,1,2013-01-05", ",b,1,2013-01-05", ",c,-1,2013-01-05")
    kept = _with(Quarantine(max_fraction=None), write=write)
    assert dict(shop.run(kept).quarantined_by_rule) == {"id:not_null": 3, "price:ge": 1}
    assert shop.reasons(kept) == ["id:not_null", "id:not_null", "id:not_null+price:ge"]
    warned = shop.run(_with(Warn())).warned
    assert {rule: n for rule, n in warned.items() if n} == {"id:not_null": 3, "price:ge": 1}


def test_rows_with_one_key_are_all_set_aside(shop: Shop) -> None:
    shop.land("orders-a.csv", GOOD, *TWINS, "4,c,-1,2013-01-05", "4,d,1,2013-01-05")
    spec = _with(Quarantine(max_fraction=None))
    outcome = shop.run(spec)
    assert dict(outcome.quarantined_by_rule) == {"key:unique": 4, "price:ge": 1}
    assert shop.reasons(spec) == ["key:unique", "key:unique", "key:unique", "price:ge+key:unique"]
    assert [row.id for row in shop.table(spec).collect()] == [1]


class Item(Contract, name="bronze.items", version="1.0.0", owner="team:shop"):
    """One item."""

    item: str = column(nullable=True)


class Sold(
    Contract,
    name="silver.sold",
    version="1.0.0",
    owner="team:shop",
    foreign_keys=[ForeignKey("item", Item)],
):
    """One order of a known item."""

    id: int = column()
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column()
    day: date = column()


class Noted(
    Contract,
    name="silver.noted",
    version="1.0.0",
    owner="team:shop",
    foreign_keys=[ForeignKey("item", Item, warn=True)],
):
    """One order, of an item that should be known."""

    id: int = column()
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(le=100, warn=True)
    day: date = column()


@dataset(Sold, inputs={"orders": table(Loaded)})
def sold(orders: DataFrame) -> DataFrame:
    return orders


@dataset(Noted, inputs={"orders": table(Loaded)})
def noted(orders: DataFrame) -> DataFrame:
    return orders


def test_a_row_that_refers_to_nothing_is_set_aside_or_counted(shop: Shop) -> None:
    path = shop.runtime.lake.table("bronze.items").path
    rows(shop.spark, Item, [("ink",), ("ink",), (None,)]).write.format("delta").save(path)
    shop.land("orders-a.csv", GOOD, "2,,1,2013-01-05", "3,cup,1,2013-01-05", "4,mug,101,2013-01-05")
    shop.run(loaded)
    outcome = shop.run(sold)
    assert dict(outcome.quarantined_by_rule) == {"item:foreign_key": 2}
    assert sorted(row.id for row in shop.table(sold).collect()) == [1, 2]
    counted = shop.run(noted)
    assert (counted.rows_in, counted.rows_quarantined) == (4, 0)
    assert dict(counted.warned) == {"item:foreign_key": 2, "price:le": 1}
    rows(shop.spark, Item, [("cup",)]).write.format("delta").mode("append").save(path)
    assert shop.run(sold).rows_quarantined == 1
    assert sorted(row.id for row in shop.table(sold).collect()) == [1, 2, 3]


@pytest.mark.parametrize(
    ("there", "what", "found"),
    [
        ("1 AS item", "of another type than what it refers to", "string"),
        ("true AS item", "of another type than what it refers to", "string"),
        ("'ink' AS itm", "refers to a column that is not there", "item"),
    ],
)
def test_a_reference_that_others_write_is_held_against_the_contract(
    shop: Shop, there: str, what: str, found: str
) -> None:
    path = shop.runtime.lake.table("bronze.items").path
    shop.spark.sql(f"SELECT {there}").write.format("delta").save(path)
    shop.land("orders-a.csv", GOOD)
    shop.run(loaded)
    for spec in (sold, noted):
        with pytest.raises(DefinitionError, match=what) as caught:
            shop.run(spec)
        assert caught.value.found == found
        assert shop.version(spec) is None


def test_bad_rows_of_one_run_do_not_follow_the_next(shop: Shop) -> None:
    shop.land("orders-a.csv", GOOD, BAD)
    assert shop.run(loaded).rows_quarantined == 1
    shop.land("orders-a.csv", GOOD, "2,pen,1,2013-01-05")
    outcome = shop.run(loaded)
    assert (outcome.rows_in, outcome.rows_quarantined) == (2, 0)
    assert dict(outcome.quarantined_by_rule) == {}
    shop.land("orders-a.csv", GOOD, BAD)
    assert shop.run(loaded).rows_quarantined == 1


class Loose(Contract, name="bronze.loose", version="1.0.0", owner="team:shop"):
    """Anything at all."""

    id: int = column(nullable=True)


@dataset(Loose, inputs={"raw": landing("orders/orders-*.csv")})
def loose(raw: DataFrame) -> DataFrame:
    return raw


def test_a_contract_without_a_rule_still_sets_aside_what_cannot_be_read(shop: Shop) -> None:
    shop.land("orders-a.csv", "1", "x", "2", header="id")
    outcome = shop.run(loose)
    assert (outcome.rows_in, outcome.rows_quarantined) == (3, 1)
    assert sorted(row.id for row in shop.table(loose).collect()) == [1, 2]


LINES = st.lists(
    st.one_of(
        st.builds(
            "{},{},{},2013-01-0{}".format,
            st.sampled_from(["1", "2", "3", "4", "", "x"]),
            st.sampled_from(["ink", "", '"a,b"', "é"]),
            st.sampled_from(["1", "-1", "", "1.239", "x"]),
            st.sampled_from(["5", "6", "x"]),
        ),
        st.sampled_from(["1", "1,2,3,4,5,6", '1,"ink" x,1,2013-01-05']),
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lines=LINES)
@pytest.mark.parametrize("spec", [orders, logged, merged_files], ids=lambda s: s.name)
def test_no_row_is_ever_lost(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, spec: Dataset, lines: list[str]
) -> None:
    folder: Path = tmp_path_factory.mktemp("lossless")
    shop = Shop.at(spark, folder)
    any_share = dataset(
        spec.contract,
        inputs=spec.inputs,
        write=spec.write,
        partitions=spec.partitions,
        bad_rows=Quarantine(max_fraction=None),
    )(_same)
    shop.land("orders-2013-01-05.csv", *lines)
    outcome = shop.run(any_share)
    aside = shop.quarantine(any_share).count()
    assert outcome.rows_in == len(lines)
    assert outcome.rows_quarantined == aside
    assert shop.table(any_share).count() + aside == len(lines)
    assert all(row.reasons for row in shop.quarantine(any_share).collect())


def _same(raw: DataFrame) -> DataFrame:
    return raw


def test_an_overwrite_by_slice_is_refused_when_the_dataset_is_defined() -> None:
    with pytest.raises(DefinitionError, match="replaces the other slices too"):
        dataset(
            orders.contract,
            inputs=orders.inputs,
            write=loaded.write,
            partitions=orders.partitions,
        )(_same)
