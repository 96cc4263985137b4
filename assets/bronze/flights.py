"""Flights out of their day files."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assets.days import FLIGHT_DAYS
from penstock import dataset, landing
from schemas import bronze


@dataset(
    bronze.Flights,
    inputs={
        "arrived": landing("flights/flights-{day}*.csv", null_value="NA", derived=("flight_date",))
    },
    partitions=FLIGHT_DAYS,
)
def flights(arrived: DataFrame) -> DataFrame:
    """The rows as they came, and the day they are of."""
    # a day that does not exist becomes NULL and sets its row aside; to_date would stop the run
    day = F.concat_ws("-", "year", "month", "day").try_cast("date")
    return arrived.select(day.alias("flight_date"), "*")
