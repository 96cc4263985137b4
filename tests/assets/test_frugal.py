"""How many Spark jobs a run costs: exact numbers, so that no hidden count() creeps in.

What the jobs are for (with adaptive execution every shuffle of a plan is a job of its own):
- dataset checks: one action of two jobs (shuffle by key, result), none when the contract has
  neither key nor foreign key nor warning; in a later run of few rows one job, in which the write
  brings the rows of a key together
- Delta reads the state of a table that is there already: three jobs, once for each new version
- the write: one job that writes the files, one or two in which Delta lists what it replaces; a
  table that is new has its state computed instead. MERGE takes eight (source, touched files,
  write, and Delta's own between them), seven of rows that are held, which need no copy; SCD2 five
  more for its windows and joins
- a first bad row adds three or four: the write that stops at it, the one to quarantine (and the
  state of that table), the good rows' write; with a key, the windows that find the twins too
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from penstock import (
    Append,
    Contract,
    Dataset,
    Decimal,
    ForeignKey,
    Overwrite,
    ReplaceSlice,
    Scd2,
    column,
    dataset,
    landing,
    table,
)
from penstock.testing import count_jobs
from tests.assets.shop import (
    BY_DAY,
    DAILY,
    FILES,
    VERSIONED,
    Loaded,
    Shop,
    loaded,
    merged_files,
    versioned,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

pytestmark = pytest.mark.slow


class Unkeyed(Contract, name="bronze.unkeyed", version="1.0.0", owner="team:shop"):
    """One order, perhaps twice."""

    id: int = column()
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


def _plain(raw: DataFrame) -> DataFrame:
    return raw


OVERWRITE = dataset(Unkeyed, inputs={"raw": landing(FILES)}, write=Overwrite())(_plain)
APPEND = dataset(Unkeyed, inputs={"raw": landing(FILES)}, write=Append())(_plain)
REPLACE = dataset(Unkeyed, inputs={"raw": landing(BY_DAY)}, write=ReplaceSlice(), partitions=DAILY)(
    _plain
)

# (first run, a later run, a run with a first bad row); a run with nothing to do costs none
COSTS: dict[str, tuple[Dataset, tuple[int, int, int]]] = {
    "overwrite": (OVERWRITE, (3, 5, 8)),
    "replace": (REPLACE, (2, 5, 9)),
    "append": (APPEND, (2, 4, 7)),
    "overwrite with a key": (loaded, (5, 6, 10)),
    "merge": (merged_files, (4, 10, 13)),
    "scd2": (versioned, (5, 15, 20)),
}


@pytest.mark.parametrize("case", COSTS, ids=str)
def test_a_run_costs_the_jobs_it_needs(shop: Shop, case: str) -> None:
    spec, expected = COSTS[case]
    header = VERSIONED if isinstance(spec.write, Scd2) else "id,item,price,day"
    found = []
    for number, price in enumerate((1, 1, -1)):
        shop.land(
            f"orders-2013-01-05-{number}.csv",
            f"{number},ink,{price},2013-01-05",
            f"1{number},pen,1,2013-01-05",
            header=header,
        )
        with count_jobs(shop.spark) as jobs:
            shop.run(spec)
        found.append(jobs)
    with count_jobs(shop.spark) as none:
        assert not shop.run(spec).committed
    assert len(none) == 0
    assert tuple(len(jobs) for jobs in found) == expected, "\n".join(
        name for jobs in found for name in ("run:", *jobs.started_from)
    )


class Item(Contract, name="bronze.item", version="1.0.0", owner="team:shop"):
    """One kind of thing."""

    item: str = column(key=True)


class Sold(
    Contract,
    name="silver.sold",
    version="1.0.0",
    owner="team:shop",
    foreign_keys=(ForeignKey("item", Item), ForeignKey("gift", Item, "item", warn=True)),
):
    """One sale, with every kind of check that one row alone cannot answer."""

    id: int = column(key=True)
    item: str = column()
    gift: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0, warn=True)


@dataset(Item, inputs={"raw": landing("items/*.csv")}, write=Overwrite())
def items(raw: DataFrame) -> DataFrame:
    return raw


def test_all_checks_together_compute_the_body_once(shop: Shop) -> None:
    computed = shop.spark.sparkContext.accumulator(0)

    def counted(number: int) -> int:
        computed.add(1)
        return number

    @dataset(Sold, inputs={"raw": landing(FILES)}, write=Overwrite())
    def sold(raw: DataFrame) -> DataFrame:
        return raw.withColumn("id", F.udf(counted, "bigint")("id"))

    (shop.path / "landing" / "items").mkdir()
    (shop.path / "landing" / "items" / "items.csv").write_text("item\nink\npen\n")
    shop.run(items)
    shop.land(
        "orders-1.csv", "1,ink,pen,1", "2,pen,cat,-1", "3,pen,,1", header="id,item,gift,price"
    )
    outcome = shop.run(sold)
    assert dict(outcome.warned) == {"gift:foreign_key": 1, "price:ge": 1}
    assert computed.value == 3 * 2, "once for the checks and once for the write"


class Seen(Contract, name="silver.seen", version="1.0.0", owner="team:shop"):
    """One order, looked at."""

    id: int = column(key=True)
    price: Decimal(10, 2) = column(ge=0)


def test_a_function_is_called_again_only_for_a_row_that_cannot_be_read(shop: Shop) -> None:
    called = []

    @dataset(Loaded, inputs={"raw": landing(FILES)}, write=Overwrite())
    def read(raw: DataFrame) -> DataFrame:
        called.append("read")
        return raw

    @dataset(Seen, inputs={"orders": table(Loaded)}, write=Overwrite())
    def seen(orders: DataFrame) -> DataFrame:
        called.append("seen")
        return orders.selectExpr("id", "cast(price - 1 AS decimal(10, 2)) AS price")

    for n, (line, calls) in enumerate(
        [
            ("2,pen,1,2013-01-05", ["read", "seen"]),
            ("x,pen,1,2013-01-05", ["read", "read", "seen"]),
            # the run before had bad rows: this one does not try without
            ("4,pen,0.5,2013-01-05", ["read", "seen"]),
        ],
        start=1,
    ):
        called.clear()
        shop.land(f"orders-{n}.csv", f"1{n},ink,1,2013-01-05", line)
        shop.run(read)
        outcome = shop.run(seen)
        assert (called, outcome.rows_in) == (calls, shop.table(read).count())
        assert shop.table(seen).count() + outcome.rows_quarantined == shop.table(read).count()
    assert outcome.quarantined_by_rule == {"price:ge": 1}


class Known(Contract, name="silver.known", version="1.0.0", owner="team:shop"):
    """One sale of a thing that is known."""

    id: int = column()
    price: Decimal(10, 2) = column(ge=0)


@dataset(Known, inputs={"raw": table(Unkeyed), "items": table(Item)}, write=Overwrite())
def known(raw: DataFrame, items: DataFrame) -> DataFrame:
    return raw.join(items, "item").selectExpr("id", "cast(price - 1 AS decimal(10, 2)) AS price")


def test_a_row_that_the_body_drops_is_not_tested(shop: Shop) -> None:
    (shop.path / "landing" / "items").mkdir()
    (shop.path / "landing" / "items" / "items.csv").write_text("item\nink\npen\n")
    shop.run(items)
    shop.land("orders-1.csv", "1,ink,1,2013-01-05", "2,cat,0,2013-01-05")
    shop.run(OVERWRITE)
    steps: list[str] = []
    assert shop.run(known, on_step=steps.append).rows_changed == 1
    assert "quarantining" not in steps, "the price of row 2 is not the result's"
