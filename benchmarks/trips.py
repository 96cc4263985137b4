"""Eight columns, seventeen checks: the table of the write benchmark and its dataset."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from penstock import Contract, Decimal, Overwrite, column, dataset

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = [
    "BAD_ROWS",
    "CITIES",
    "SOURCE",
    "Trips",
    "add_row",
    "keyed_trips",
    "make_source",
    "trips",
]

SOURCE = "bronze.trips"
BAD_ROWS = 16
CITIES = ("AMS", "BER", "CDG", "DUB", "EWR", "FRA", "GVA", "HEL")
_FIRST_SECOND = 1_704_067_200  # 2024-01-01 UTC


class Trips(Contract, name="silver.trips", version="1.0.0", owner="team:benchmark"):
    """One trip: ten checks of values, seven of NULL."""

    trip_id: int = column(ge=0)
    code: str = column(str_matches="^[A-Z]{2}-[0-9]{6,8}$")
    city: str = column(isin=CITIES)
    passengers: int = column(in_range={"min_value": 1, "max_value": 8})
    miles: float = column(gt=0.0, le=5000.0)
    fare: Decimal(10, 2) = column(ge=0, lt=100000)  # type: ignore[valid-type]
    started: datetime = column()
    remark: str = column(nullable=True, str_length={"max_value": 60}, notin=["N/A"])


class KeyedTrips(Contract, name="silver.keyed_trips", version="1.0.0", owner="team:benchmark"):
    """The same with a key, which costs a look at all rows together before the write."""

    trip_id: int = column(key=True, ge=0)
    code: str = column(str_matches="^[A-Z]{2}-[0-9]{6,8}$")
    city: str = column(isin=CITIES)
    passengers: int = column(in_range={"min_value": 1, "max_value": 8})
    miles: float = column(gt=0.0, le=5000.0)
    fare: Decimal(10, 2) = column(ge=0, lt=100000)  # type: ignore[valid-type]
    started: datetime = column()
    remark: str = column(nullable=True, str_length={"max_value": 60}, notin=["N/A"])


@dataset(Trips, inputs={"raw": SOURCE}, write=Overwrite())
def trips(raw: DataFrame) -> DataFrame:
    """The source as it is: what is measured is the governing, not the body."""
    return raw


@dataset(KeyedTrips, inputs={"raw": SOURCE}, write=Overwrite())
def keyed_trips(raw: DataFrame) -> DataFrame:
    """The same for the contract with a key."""
    return raw


def make_source(spark: SparkSession, path: str, rows: int, *, bad: int) -> None:
    """A Delta table of `rows` rows made from their number alone, `bad` of them bad, spread out."""
    _rows(spark, 0, rows, every=rows // bad if bad else 0).write.format("delta").save(path)


def add_row(spark: SparkSession, path: str, number: int) -> None:
    """One good row more: a new version of the source, so that there is something to do."""
    _rows(spark, number, number + 1, every=0).write.format("delta").mode("append").save(path)


def _rows(spark: SparkSession, first: int, last: int, *, every: int) -> DataFrame:
    # the middle of each stretch, so that the first bad row is not the first row
    fault = f"id % {every} = {every // 2}" if every else "false"
    cities = ", ".join(f"'{city}'" for city in CITIES)
    mixed = "pmod(xxhash64(id, 7), 1000000007)"
    return spark.range(first, last).selectExpr(
        "id AS trip_id",
        "concat(char(65 + id % 26), char(65 + id div 26 % 26), '-', "
        f"lpad(cast({mixed} % 99999999 AS string), 8, '0')) AS code",
        f"CASE WHEN {fault} THEN 'XXX' ELSE element_at(array({cities}), "
        f"cast({mixed} % {len(CITIES)} + 1 AS int)) END AS city",
        f"{mixed} % 8 + 1 AS passengers",
        f"cast({mixed} % 499900 + 1 AS double) / 100 AS miles",
        f"cast(cast({mixed} % 9999999 AS double) / 100 AS decimal(10, 2)) AS fare",
        f"timestamp_seconds({_FIRST_SECOND} + id * 5) AS started",
        f"CASE WHEN id % 4 = 0 THEN concat('remark ', {mixed} % 100000) END AS remark",
    )
