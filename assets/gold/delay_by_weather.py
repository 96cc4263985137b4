"""Delay against the weather at departure."""
# ruff: noqa: PLR2004 - the numbers are those of the scales that the contract names

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assets.days import FLIGHT_DAYS
from penstock import dataset, table
from schemas import gold, silver


@dataset(
    gold.DelayByWeather,
    inputs={
        "flights": table(silver.Flights, slice_by="flight_date"),
        "weather": table(silver.Weather, slice_by="observation_date"),
    },
    partitions=FLIGHT_DAYS,
)
def delay_by_weather(flights: DataFrame, weather: DataFrame) -> DataFrame:
    """Every flight counts, also that of an hour whose observation is missing or set aside."""
    speed, rain = F.col("wind_speed_mph"), F.col("precipitation_inches")
    sight, delay = F.col("visibility_miles"), F.col("departure_delay_minutes")
    wind = (
        F.when(speed < 13, "light")
        .when(speed < 25, "fresh")
        .when(speed < 39, "strong")
        .when(speed >= 39, "gale")
        .otherwise("unknown")
    )
    precipitation = (
        F.when(rain == 0, "none")
        .when(rain <= 0.10, "light")
        .when(rain <= 0.30, "moderate")
        .when(rain > 0.30, "heavy")
        .otherwise("unknown")
    )
    visibility = (
        F.when(sight > 5, "VFR")
        .when(sight >= 3, "MVFR")
        .when(sight >= 1, "IFR")
        .when(sight < 1, "LIFR")
        .otherwise("unknown")
    )
    planned_hour = F.date_trunc("hour", "scheduled_departure_utc")
    return (
        flights.withColumn("hour_utc", planned_hour)
        .join(weather, ["origin", "hour_utc"], "left")
        .groupBy(
            "flight_date",
            "origin",
            wind.alias("wind"),
            precipitation.alias("precipitation"),
            visibility.alias("visibility"),
        )
        .agg(
            F.count("*").alias("flights"),
            F.count("departure_utc").alias("departed"),
            F.count_if("cancelled").alias("cancelled"),
            F.count_if(delay >= 15).alias("delayed"),
            F.coalesce(F.sum(delay), F.lit(0)).alias("departure_delay_minutes"),
        )
    )
