"""A shop, copied into a project's folder by the tests: orders arrive by day and are totalled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock import (
    Contract,
    Daily,
    Deployment,
    Merge,
    Pii,
    Quarantine,
    column,
    dataset,
    landing,
    table,
)
from penstock.resources.lake import Lake
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from rich.console import Console

ROOT = Path(__file__).parent
DAYS = Daily(column="day", start=date(2013, 1, 1), end=date(2014, 1, 1))


class Orders(Contract, name="shop.orders", version="1.2.0", owner="team:shop", cleared={Pii.EMAIL}):
    """Orders as they arrive."""

    order_id: int = column(key=True)
    day: date = column()
    email: str = column(pii=Pii.EMAIL, nullable=True)
    amount: int = column(ge=0, unit="euro")


class Totals(
    Contract,
    name="shop.totals",
    version="1.0.0",
    owner="team:shop",
    freshness=timedelta(hours=26),
):
    """The turnover of each day."""

    day: date = column(key=True)
    turnover: int = column(ge=0, unit="euro")


class Stock(Contract, name="shop.stock", version="0.1.0", owner="team:shop"):
    """The days on which anything was sold."""

    day: date = column(key=True)


@dataset(
    Orders,
    inputs={"arrived": landing("orders/orders-{day}.csv")},
    bad_rows=Quarantine(max_fraction=0.8),
    partitions=DAYS,
)
def orders(arrived: DataFrame) -> DataFrame:
    return arrived


@dataset(Totals, inputs={"orders": table(Orders, slice_by="day")}, partitions=DAYS)
def totals(orders: DataFrame) -> DataFrame:
    return orders.groupBy("day").agg(F.sum("amount").cast("bigint").alias("turnover"))


@dataset(Stock, inputs={"totals": Totals}, write=Merge())
def stock(totals: DataFrame) -> DataFrame:
    return totals.where("turnover > 0").select("day")


@dataclass(frozen=True, slots=True)
class Story:
    """What the shop's demo tells."""

    said: str

    def document(self) -> dict[str, str]:
        return {"said": self.said}

    def __rich__(self) -> str:
        return self.said


def tell(console: Console) -> Story:
    console.print("telling")
    return Story("the shop is open")


deployment = Deployment(
    datasets=(totals, stock, orders),
    resources={
        "lake": Lake(root=str(ROOT / "lake"), landing=str(ROOT / "landing")),
        "ledger": LedgerResource(url=f"sqlite:///{ROOT / 'ledger.db'}"),
        "cluster": LocalCluster(profile=Profile.SMALL, cores=2),
    },
)
