"""The chain under contracts. Dagster loads `defs`; as a script it runs without Dagster's runs.

`python chain_penstock.py CLUSTER ROOT`, where CLUSTER is standard, small or sc://host:port.
"""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import chain_bodies
import dagster as dg

from penstock import Contract, Decimal, Deployment, column, dataset, landing, run
from penstock.resources.connect import ConnectCluster
from penstock.resources.lake import Lake
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class RawOrders(Contract, name="bronze.orders", version="1.0.0", owner="team:benchmark"):
    """One order, as it arrived."""

    order_id: int = column()
    city: str = column()
    ordered_on: date = column()
    cents: int = column(ge=0)


class Orders(Contract, name="silver.orders", version="1.0.0", owner="team:benchmark"):
    """One order."""

    order_id: int = column(key=True)
    city: str = column(str_length={"min_value": 1})
    ordered_on: date = column()
    amount: Decimal(10, 2) = column(ge=0)  # type: ignore[valid-type]


class DailySales(Contract, name="gold.daily_sales", version="1.0.0", owner="team:benchmark"):
    """One day in one city."""

    ordered_on: date = column(key=True)
    city: str = column(key=True)
    orders: int = column(ge=1)
    amount: Decimal(18, 2) = column(ge=0)  # type: ignore[valid-type]


class SalesTrend(Contract, name="features.sales_trend", version="1.0.0", owner="team:benchmark"):
    """One day in one city, beside the days before it."""

    ordered_on: date = column(key=True)
    city: str = column(key=True)
    amount: Decimal(18, 2) = column(ge=0)  # type: ignore[valid-type]
    mean_before: float = column(nullable=True, ge=0.0)


@dataset(RawOrders, inputs={"arrived": landing("orders/*.csv")})
def bronze_orders(arrived: DataFrame) -> DataFrame:
    """The file as it arrived."""
    return arrived


@dataset(Orders, inputs={"orders": RawOrders})
def orders(orders: DataFrame) -> DataFrame:
    """Typed orders."""
    return chain_bodies.typed_orders(orders)


@dataset(DailySales, inputs={"orders": Orders})
def daily_sales(orders: DataFrame) -> DataFrame:
    """Sales by day and city."""
    return chain_bodies.daily_sales(orders)


@dataset(SalesTrend, inputs={"sales": DailySales})
def sales_trend(sales: DataFrame) -> DataFrame:
    """The trend of sales."""
    return chain_bodies.sales_trend(sales)


def deployment(cluster: str, root: Path) -> Deployment:
    """The chain with its lake and ledger under `root`."""
    return Deployment(
        datasets=(bronze_orders, orders, daily_sales, sales_trend),
        resources={
            "lake": Lake(root=str(root / "lake"), landing=str(root / "landing")),
            "ledger": LedgerResource(url=f"sqlite:///{root / 'ledger.db'}"),
            "cluster": ConnectCluster(url=cluster)
            if cluster.startswith("sc://")
            else LocalCluster(profile=Profile(cluster)),
        },
    )


def produce(cluster: str, root: Path) -> None:
    """All four datasets, each on a session of its cluster."""
    chain = deployment(cluster, root)
    runtime = chain.runtime()
    for spec in chain.in_order():
        with chain.cluster(spec).session() as spark:
            outcome = run(spec, spark, runtime=runtime)
        assert outcome.committed


if __name__ == "__main__":
    produce(sys.argv[1], Path(sys.argv[2]))
elif "CHAIN_ROOT" in os.environ:
    defs = deployment(os.environ["CHAIN_CLUSTER"], Path(os.environ["CHAIN_ROOT"])).definitions(
        jobs=[dg.define_asset_job("chain")],
        # as the reference deployment: all steps of a run in one process
        executor=dg.in_process_executor,
    )
