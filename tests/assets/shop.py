"""A small shop: one contract, one dataset for each write mode, all fed from landing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from penstock import (
    Append,
    Contract,
    Daily,
    Dataset,
    Decimal,
    Invocation,
    Merge,
    Outcome,
    Overwrite,
    ReplaceSlice,
    Runtime,
    Scd2,
    Slice,
    changes,
    column,
    dataset,
    landing,
    run,
)
from penstock.testing import temporary_lake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

DAY = Slice.day(date(2013, 1, 5))
NEXT = Slice.day(date(2013, 1, 6))
DAILY = Daily(column="day", start=date(2013, 1, 1))
HEADER = "id,item,price,day"
VERSIONED = "id,item,price,valid_from"


class Order(Contract, name="bronze.orders", version="1.0.0", owner="team:shop"):
    """One order."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


class Loaded(Contract, name="bronze.loaded", version="1.0.0", owner="team:shop"):
    """One order of the newest dump."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


class Logged(Contract, name="bronze.logged", version="1.0.0", owner="team:shop"):
    """One order that ever arrived."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


class Copied(Contract, name="silver.copied", version="1.0.0", owner="team:shop"):
    """One order that ever entered bronze.orders, as often as it did."""

    id: int = column()
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


class Merged(Contract, name="silver.merged", version="1.0.0", owner="team:shop"):
    """One order as it is now."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


class Versioned(Contract, name="silver.versioned", version="1.0.0", owner="team:shop"):
    """One state of an order."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


FILES = "orders/orders-*.csv"
BY_DAY = "orders/orders-{day}*.csv"
PLAIN = ("id", "item", "price", "day")


@dataset(Order, inputs={"raw": landing(BY_DAY)}, partitions=DAILY, write=ReplaceSlice())
def orders(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Loaded, inputs={"raw": landing(FILES)}, write=Overwrite())
def loaded(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Logged, inputs={"raw": landing(FILES)}, write=Append())
def logged(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Copied, inputs={"orders": changes(Order)}, write=Append())
def copied(orders: DataFrame) -> DataFrame:
    return orders.select(*PLAIN)


@dataset(Merged, inputs={"orders": changes(Order)}, write=Merge())
def merged(orders: DataFrame) -> DataFrame:
    return orders.selectExpr("id", "upper(item) AS item", "price", "day")


@dataset(Merged, inputs={"raw": landing(FILES)}, write=Merge())
def merged_files(raw: DataFrame) -> DataFrame:
    return raw


@dataset(
    Versioned,
    inputs={"raw": landing("orders/orders-*.csv", derived=["valid_to", "is_current"])},
    write=Scd2(),
)
def versioned(raw: DataFrame) -> DataFrame:
    return raw


@dataclass(frozen=True)
class Shop:
    """A lake of its own, and short words for what the tests do with it."""

    spark: SparkSession
    runtime: Runtime
    path: Path

    @classmethod
    def at(cls, spark: SparkSession, path: Path) -> Shop:
        return cls(spark=spark, runtime=temporary_lake(path), path=path)

    def land(self, name: str, *lines: str | bytes, header: str = HEADER) -> Path:
        """A CSV file of these lines in the folder orders."""
        file = self.path / "landing" / "orders" / name
        file.parent.mkdir(exist_ok=True)
        texts = [line if isinstance(line, bytes) else line.encode() for line in (header, *lines)]
        file.write_bytes(b"".join(text + b"\n" for text in texts))
        return file

    def run(self, spec: Dataset, slice_: Slice | None = None, **how: Any) -> Outcome:
        """One run; the slice is DAY for a dataset that has slices."""
        wanted = slice_ or (DAY if spec.partitions else Slice())
        return run(spec, self.spark, wanted, runtime=self.runtime, invocation=Invocation(**how))

    def table(self, spec: Dataset) -> DataFrame:
        """The dataset's rows."""
        path = self.runtime.lake.table(spec.name).path
        return self.spark.read.format("delta").load(path)

    def version(self, spec: Dataset) -> int | None:
        """The table's version, None when there is none."""
        log = self.runtime.lake.table(spec.name).read()
        return log.version if log else None

    def commits(self, spec: Dataset) -> list[int]:
        """Versions of the commits that are Penstock's, oldest first."""
        log = self.runtime.lake.table(spec.name).read()
        return sorted(c.version for c in log.commits() if c.facts) if log else []

    def quarantine(self, spec: Dataset) -> DataFrame:
        """The rows set aside by runs that committed."""
        table, aside = self.runtime.lake.table(spec.name), self.runtime.lake.quarantine(spec.name)
        if aside.read() is None:
            return self.spark.createDataFrame(
                [], "reasons array<string>, row string, file string, run_id string, token string"
            )
        log = table.read()
        tokens = [c.facts["token"] for c in log.commits() if c.facts] if log else []
        return self.spark.read.format("delta").load(aside.path).where(_one_of("token", tokens))

    def reasons(self, spec: Dataset) -> list[str]:
        """The reasons of the rows set aside, as `a+b`, sorted."""
        return sorted("+".join(row.reasons) for row in self.quarantine(spec).collect())

    def states(self, spec: Dataset) -> list[str]:
        """How the runs of the dataset ended, oldest first."""
        return [record.state for record in reversed(self.runtime.ledger.runs(spec.name))]

    def everything_told(self) -> str:
        """Every event of the ledger as text."""
        return "\n".join(str(event.payload) for event in self.runtime.ledger.events())


def _one_of(name: str, values: Sequence[str]) -> str:
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"{name} IN ({quoted})" if values else "false"
