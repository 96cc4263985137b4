"""Punctuality by day, airport and airline."""
# ruff: noqa: PLR2004 - the numbers are those of the scales that the contract names

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assets.days import FLIGHT_DAYS
from penstock import dataset, table
from schemas import gold, silver


@dataset(
    gold.DailyPunctuality,
    inputs={"flights": table(silver.Flights, slice_by="flight_date")},
    partitions=FLIGHT_DAYS,
)
def daily_punctuality(flights: DataFrame) -> DataFrame:
    """Delays are of flights that departed: a cancelled flight has none."""
    delay = F.col("departure_delay_minutes")
    departed = F.count("departure_utc")
    delayed = F.count_if(delay >= 15)
    return flights.groupBy("flight_date", "origin", "carrier").agg(
        F.count("*").alias("flights"),
        departed.alias("departed"),
        F.count_if("cancelled").alias("cancelled"),
        F.count_if("diverted").alias("diverted"),
        delayed.alias("delayed"),
        F.try_divide(delayed, departed).alias("delayed_share"),
        F.avg(delay).alias("mean_departure_delay_minutes"),
        F.percentile(delay, 0.5).alias("p50_departure_delay_minutes"),
        F.percentile(delay, 0.9).alias("p90_departure_delay_minutes"),
    )
