"""Weather by airport and hour."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assets.days import OBSERVATION_DAYS
from penstock import dataset, table
from schemas import bronze, silver


@dataset(
    silver.Weather,
    inputs={"reported": table(bronze.Weather, slice_by="observation_date")},
    partitions=OBSERVATION_DAYS,
)
def weather(reported: DataFrame) -> DataFrame:
    """The instant is the key: the local hour that summer time ends in occurs twice."""
    return reported.select(
        "origin",
        F.col("time_hour").alias("hour_utc"),
        "observation_date",
        F.col("temp").alias("temperature_f"),
        F.col("dewp").alias("dew_point_f"),
        F.col("humid").alias("humidity_percent"),
        F.col("wind_dir").alias("wind_direction_degrees"),
        F.col("wind_speed").alias("wind_speed_mph"),
        F.col("wind_gust").alias("wind_gust_mph"),
        F.col("precip").alias("precipitation_inches"),
        F.col("pressure").alias("pressure_mbar"),
        F.col("visib").alias("visibility_miles"),
    )
