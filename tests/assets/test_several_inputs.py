"""Runs of several inputs of which some have news: what one of them took says nothing of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from penstock import Append, Contract, Dynamic, Merge, changes, column, dataset, landing, table
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock import Dataset
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow(seconds=30)


class One(Contract, name="bronze.one", version="1.0.0", owner="team:shop"):
    """A name."""

    id: int = column(key=True)
    word: str = column()


class Other(Contract, name="bronze.other", version="1.0.0", owner="team:shop"):
    """Another one."""

    id: int = column(key=True)
    word: str = column()


class Both(Contract, name="silver.both", version="1.0.0", owner="team:shop"):
    """All names."""

    id: int = column(key=True)
    word: str = column()


class Booked(Contract, name="silver.booked", version="1.0.0", owner="team:shop"):
    """What was paid, as often as it was."""

    id: int = column()
    amount: int = column()


@dataset(One, inputs={"raw": landing("orders/one-*.csv")}, write=Merge())
def one(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Other, inputs={"raw": landing("orders/other-*.csv")}, write=Merge())
def other(raw: DataFrame) -> DataFrame:
    return raw


def _united(a: DataFrame, b: DataFrame) -> DataFrame:
    return a.unionByName(b.select("id", "word"))


def _words(shop: Shop, spec: Dataset) -> list[str]:
    return sorted(row.word for row in shop.table(spec).collect())


@pytest.mark.parametrize("kind", ["table", "changes", "landing"])
@pytest.mark.parametrize("deletes", [False, True])
def test_changes_without_news_are_no_rows_beside_an_input_that_has_some(
    shop: Shop, kind: str, *, deletes: bool
) -> None:
    reads: dict[str, Any] = {
        "table": table(Other),
        "changes": changes(Other),
        "landing": landing("orders/other-*.csv", derived=["gone"] if deletes else ()),
    }
    write = Merge(deletes="gone") if deletes else Merge()
    inputs = {"a": changes(One, deletes="gone" if deletes else None), "b": reads[kind]}

    @dataset(Both, inputs=inputs, write=write)
    def both(a: DataFrame, b: DataFrame) -> DataFrame:
        added = b.select("id", "word")
        return a.unionByName(added.withColumn("gone", F.lit(False)) if deletes else added)

    header = "id,word"
    shop.land("one-1.csv", "1,a", header=header)
    shop.land("other-1.csv", "10,x", header=header)
    shop.run(one)
    shop.run(other)
    shop.run(both)
    assert _words(shop, both) == ["a", "x"]
    assert not shop.run(both).committed  # nothing is new
    shop.land("other-2.csv", "11,y", header=header)
    shop.run(other)
    outcome = shop.run(both)
    assert outcome.committed
    assert _words(shop, both) == ["a", "x", "y"]
    assert not shop.run(both).committed
    # and what comes later is taken once
    shop.land("one-2.csv", "2,b", header=header)
    shop.run(one)
    shop.run(both)
    assert _words(shop, both) == ["a", "b", "x", "y"]


def test_what_one_input_took_another_takes_all_the_same(shop: Shop) -> None:
    @dataset(
        Booked,
        inputs={"sales": landing("orders/sales-*.csv"), "returns": landing("orders/returns-*.csv")},
        write=Append(),
    )
    def booked(sales: DataFrame, returns: DataFrame) -> DataFrame:
        return sales.unionByName(returns.selectExpr("id", "-amount AS amount"))

    header = "id,amount"
    shop.land("sales-1.csv", "7,5", header=header)
    shop.land("returns-0.csv", "9,1", header=header)
    shop.run(booked)
    shop.land("returns-1.csv", "7,5", header=header)  # the same bytes
    assert shop.run(booked).committed
    rows = sorted((row.id, row.amount) for row in shop.table(booked).collect())
    assert rows == [(7, -5), (7, 5), (9, -1)]
    assert not shop.run(booked).committed
    # a copy under another name is seen, and not loaded
    shop.land("returns-2.csv", "7,5", header=header)
    shop.run(booked)
    assert shop.table(booked).count() == 3


def test_a_folders_name_for_null_is_no_slice() -> None:
    with pytest.raises(DefinitionError):
        Dynamic(column="tenant").slice("__HIVE_DEFAULT_PARTITION__")
