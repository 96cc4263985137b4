"""The chain as dagster-pyspark's own users write it: an asset a table, a JVM a step.

Stock: dagster-pyspark's PySparkResource, the multiprocess executor, Spark's and Delta's default
settings. In its favour: Delta's jars are named on disk (`spark.jars`), so nothing is resolved.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from chain_bodies import COLUMNS, daily_sales, sales_trend, typed_orders
from dagster_pyspark import PySparkResource

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
ROOT = Path(os.environ["CHAIN_ROOT"])


def _path(table: str) -> str:
    return str(ROOT / "lake" / table.replace(".", "/"))


def _write(frame: DataFrame, table: str) -> None:
    frame.write.format("delta").mode("overwrite").save(_path(table))


def _read(spark: PySparkResource, table: str) -> DataFrame:
    return spark.spark_session.read.format("delta").load(_path(table))


@dg.asset
def bronze_orders(spark: PySparkResource) -> None:
    """The file as it arrived."""
    reader = spark.spark_session.read.schema(COLUMNS).option("header", "true")
    _write(reader.csv(str(ROOT / "landing" / "orders" / "*.csv")), "bronze.orders")


@dg.asset(deps=[bronze_orders])
def silver_orders(spark: PySparkResource) -> None:
    """Typed orders."""
    _write(typed_orders(_read(spark, "bronze.orders")), "silver.orders")


@dg.asset(deps=[silver_orders])
def gold_daily_sales(spark: PySparkResource) -> None:
    """Sales by day and city."""
    _write(daily_sales(_read(spark, "silver.orders")), "gold.daily_sales")


@dg.asset(deps=[gold_daily_sales])
def features_sales_trend(spark: PySparkResource) -> None:
    """The trend of sales."""
    _write(sales_trend(_read(spark, "gold.daily_sales")), "features.sales_trend")


defs = dg.Definitions(
    assets=[bronze_orders, silver_orders, gold_daily_sales, features_sales_trend],
    jobs=[dg.define_asset_job("chain")],
    executor=dg.multiprocess_executor,
    resources={
        "spark": PySparkResource(
            spark_config={
                "spark.jars": os.environ["CHAIN_JARS"],
                "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
                "spark.sql.catalog.spark_catalog": DELTA_CATALOG,
            }
        )
    },
)
