"""Airports."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock import dataset
from schemas import bronze, silver


@dataset(silver.Airports, inputs={"listed": bronze.Airports})
def airports(listed: DataFrame) -> DataFrame:
    """The list under names that say what is meant."""
    return listed.select(
        F.col("faa").alias("airport"),
        F.trim("name").alias("name"),
        F.col("lat").alias("latitude_degrees"),
        F.col("lon").alias("longitude_degrees"),
        F.col("alt").alias("altitude_feet"),
        F.col("tz").alias("utc_offset_hours"),
        F.col("dst").alias("summer_time"),
        F.col("tzone").alias("time_zone"),
    )
