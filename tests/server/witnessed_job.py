"""A shop whose runs a listener of Spark sees, in a process of its own.

A slice replaced, a merge, rows set aside, a foreign key and a masked dataset, all of which read
what they declare; and two functions that read the price list on the side.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from penstock import Contract, Decimal, ForeignKey, column, dataset, landing, table
from penstock.privacy import MaskingPolicy, Token
from penstock.resources.local import LocalCluster
from penstock.resources.secrets import FileSecrets
from penstock.resources.settings import Profile
from penstock.resources.spark_listener import listener_conf
from tests.assets.shop import Order, Shop, merged, orders
from tests.patience import PATIENCE_MILLISECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

PRICES = "secret.prices"
SHOP = "PENSTOCK_TEST_SHOP"


class Item(Contract, name="bronze.items", version="1.0.0", owner="team:shop"):
    """One item."""

    item: str = column(key=True)


class Price(Contract, name=PRICES, version="1.0.0", owner="team:shop"):
    """What an item costs."""

    item: str = column(key=True)
    price: Decimal(10, 2) = column()


class Sold(
    Contract,
    name="silver.sold",
    version="1.0.0",
    owner="team:shop",
    foreign_keys=[ForeignKey("item", Item)],
):
    """One order of a known item."""

    id: int = column(key=True)
    item: str = column(nullable=True)


class Shared(Contract, name="shared.orders", version="1.0.0", owner="team:shop"):
    """One order, of nobody knows what."""

    id: int = column(key=True)
    item: str = column(nullable=True)


class Collected(Contract, name="silver.collected", version="1.0.0", owner="team:shop"):
    """One order at the price of the list."""

    id: int = column(key=True)
    price: Decimal(10, 2) = column(nullable=True)


class Streamed(Contract, name="silver.streamed", version="1.0.0", owner="team:shop"):
    """The same, by an iterator, whose jobs name no run."""

    id: int = column(key=True)
    price: Decimal(10, 2) = column(nullable=True)


@dataset(Item, inputs={"raw": landing("items.csv")})
def items(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Price, inputs={"raw": landing("prices-*.csv")})
def prices(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Sold, inputs={"orders": table(Order)})
def sold(orders: DataFrame) -> DataFrame:
    return orders.select("id", "item")


@dataset(Shared, inputs={"orders": table(Order)}, masking=MaskingPolicy.of({"item": Token("item")}))
def shared(orders: DataFrame) -> DataFrame:
    return orders.select("id", "item")


def price_list(spark: SparkSession) -> DataFrame:
    return (
        spark.read.format("delta").load(f"{os.environ[SHOP]}/lake/secret/prices").where("price > 0")
    )


@dataset(Collected, inputs={"orders": table(Order)})
def collected(orders: DataFrame) -> DataFrame:
    spark = orders.sparkSession
    rows = price_list(spark).collect()
    known = spark.createDataFrame([(row.item, row.price) for row in rows], "item string, p string")
    priced = orders.join(known, "item", "left")
    return priced.selectExpr("id", "CAST(p AS decimal(10, 2)) AS price")


@dataset(Streamed, inputs={"orders": table(Order)})
def streamed(orders: DataFrame) -> DataFrame:
    known = {row.item: str(row.price) for row in price_list(orders.sparkSession).toLocalIterator()}
    cases = " ".join(f"WHEN '{item}' THEN '{price}'" for item, price in known.items())
    return orders.selectExpr("id", f"CAST(CASE item {cases} END AS decimal(10, 2)) AS price")


def main(folder: Path, url: str, jar: str) -> None:
    os.environ[SHOP] = str(folder)
    patience = {"spark.openlineage.transport.timeoutInMillis": str(PATIENCE_MILLISECONDS)}
    extra = {**listener_conf(url, jar), **patience}
    cluster = LocalCluster(profile=Profile.SMALL, cores=2, extra_conf=extra)
    with cluster.session() as spark:
        shop = Shop.at(spark, folder)
        landing_folder = folder / "landing"
        (landing_folder / "items.csv").write_text("item\na\nb\n")
        (landing_folder / "prices-1.csv").write_text("item,price\na,1.50\n")
        shop.land("orders-2013-01-05.csv", "1,a,3,2013-01-05", "2,b,4,2013-01-05")
        for spec in (items, prices, orders, merged):
            shop.run(spec)
        # the day again, with a row that is set aside
        again = ("1,a,3,2013-01-05", "2,c,4,2013-01-05", "7,a,-1,2013-01-05")
        shop.land("orders-2013-01-05.csv", *again)
        for spec in (orders, merged, sold):
            shop.run(spec)
        secrets = FileSecrets(folder / "secrets")
        shop = replace(shop, runtime=replace(shop.runtime, secrets=secrets))
        # two runs at once in one session
        with ThreadPoolExecutor(2) as threads:
            both = [threads.submit(shop.run, spec) for spec in (shared, collected)]
        for done in both:
            done.result()
        shop.run(streamed)
    cluster.release()
