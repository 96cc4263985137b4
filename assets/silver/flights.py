"""Flights, keyed and in UTC."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assets.days import FLIGHT_DAYS
from penstock import dataset, table
from schemas import bronze, silver


@dataset(
    silver.Flights,
    inputs={
        "reported": table(bronze.Flights, slice_by="flight_date"),
        "airports": silver.Airports,
    },
    partitions=FLIGHT_DAYS,
)
def flights(reported: DataFrame, airports: DataFrame) -> DataFrame:
    """Clock times become instants.

    Actual times are planned ones plus the delay, so they fall on the right day by themselves.
    A planned arrival is a clock at the destination: the first one there after the departure.
    """
    zones = airports.select(F.col("airport").alias("dest"), "time_zone")
    # the list of airports ends at the mainland
    zone = F.when(F.col("dest").isin("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico").otherwise(
        F.col("time_zone")
    )

    planned_departure = F.timestamp_add("MINUTE", F.col("minute"), F.col("time_hour"))
    departs_there = F.from_utc_timestamp(planned_departure, zone)
    clock_there = F.make_interval(
        hours=(F.col("sched_arr_time") / 100).cast("int"),
        mins=(F.col("sched_arr_time") % 100).cast("int"),
    )
    same_day = F.date_trunc("day", departs_there) + clock_there
    arrives_there = F.when(same_day > departs_there, same_day).otherwise(
        F.timestamp_add("DAY", F.lit(1), same_day)
    )
    planned_arrival = F.to_utc_timestamp(arrives_there, zone)

    cancelled = F.col("dep_time").isNull()
    return reported.join(zones, "dest", "left").select(
        F.concat_ws("-", "flight_date", "carrier", "flight", "origin").alias("flight_id"),
        "flight_date",
        "carrier",
        F.col("flight").alias("flight_number"),
        F.col("tailnum").alias("tail_number"),
        "origin",
        F.col("dest").alias("destination"),
        planned_departure.alias("scheduled_departure_utc"),
        F.timestamp_add("MINUTE", F.col("dep_delay"), planned_departure).alias("departure_utc"),
        planned_arrival.alias("scheduled_arrival_utc"),
        F.timestamp_add("MINUTE", F.col("arr_delay"), planned_arrival).alias("arrival_utc"),
        F.col("dep_delay").alias("departure_delay_minutes"),
        F.col("arr_delay").alias("arrival_delay_minutes"),
        F.col("air_time").alias("air_time_minutes"),
        F.col("distance").alias("distance_miles"),
        cancelled.alias("cancelled"),
        (~cancelled & F.col("arr_delay").isNull()).alias("diverted"),
    )
