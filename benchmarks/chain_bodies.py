"""The chain both sides run: orders from a CSV file, typed, summed by day, and their trend."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

__all__ = [
    "COLUMNS",
    "ROWS",
    "TABLES",
    "daily_sales",
    "make_landing",
    "sales_trend",
    "typed_orders",
]

ROWS = 2000
COLUMNS = "order_id bigint, city string, ordered_on date, cents bigint"
TABLES = ("bronze.orders", "silver.orders", "gold.daily_sales", "features.sales_trend")
_CITIES = ("amsterdam", "berlin", "dublin", "helsinki")


def make_landing(folder: Path) -> Path:
    """The file that arrives: `folder`/orders/orders.csv, the same every time."""
    path = folder / "orders" / "orders.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(part.split()[0] for part in COLUMNS.split(", "))
        for n in range(ROWS):
            day = date(2024, 1, 1) + timedelta(days=n % 50)
            writer.writerow((n, _CITIES[n * 7 % 4], day, 100 + n * 7919 % 90_000))
    return path


def typed_orders(orders: DataFrame) -> DataFrame:
    """Silver: city names as people write them, the amount exact."""
    return orders.select(
        "order_id",
        F.initcap("city").alias("city"),
        "ordered_on",
        (F.col("cents") / 100).cast("decimal(10, 2)").alias("amount"),
    )


def daily_sales(orders: DataFrame) -> DataFrame:
    """Gold: orders and their amount by day and city."""
    return orders.groupBy("ordered_on", "city").agg(
        F.count("*").alias("orders"), F.sum("amount").cast("decimal(18, 2)").alias("amount")
    )


def sales_trend(sales: DataFrame) -> DataFrame:
    """Features: each day's amount beside the mean of the seven days before it."""
    before = Window.partitionBy("city").orderBy("ordered_on").rowsBetween(-7, -1)
    return sales.select(
        "ordered_on",
        "city",
        "amount",
        F.avg(F.col("amount").cast("double")).over(before).alias("mean_before"),
    )
