"""The lines of a landing file on which the entries of a quarantine stand."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from penstock import Append, Contract, column, dataset, landing
from penstock.cli.entries import Fates, read_entries
from penstock.cli.entry_lines import entry_lines
from tests.assets.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.slow


class Sold(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One order, whose sender calls columns otherwise."""

    id: int = column()
    price: int = column(ge=0)
    day: date = column()


# two of them swapped
NAMES = {"Nummer": "id", "day": "price", "price": "day"}


@dataset(Sold, inputs={"raw": landing("orders/*.csv", names=NAMES)}, write=Append())
def sold(raw: DataFrame) -> DataFrame:
    return raw.selectExpr("id", "price", "day")


def test_a_row_is_found_by_the_names_that_its_sender_has(
    spark: SparkSession, tmp_path: Path
) -> None:
    shop = Shop.at(spark, tmp_path)
    rows = ("1,-5,2013-01-05", "2,7,2013-01-05", "3,-5,2013-01-06", "4,-5,2013-01-05")
    shop.land("a.csv", *rows, "5,1,2013-01-05", "6,1,2013-01-05", header="Nummer,day,price")
    shop.run(sold)
    lake, ledger = shop.runtime.lake, shop.runtime.ledger
    log = lake.table(sold.name).read()
    assert log
    fates = Fates(sold, log.commits(), ledger)
    entries = list(read_entries(lake.quarantine(sold.name), fates, sold.model))
    found = dict(
        zip((e.row["id"] for e in entries), entry_lines(entries, sold, lake, ledger), strict=True)
    )
    assert found == {1: (2,), 3: (4,), 4: (5,)}
