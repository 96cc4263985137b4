"""Bookings, each as it stands after its latest export."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock import Merge, changes, dataset
from schemas import bronze, silver


@dataset(silver.Bookings, inputs={"exported": changes(bronze.Bookings)}, write=Merge())
def bookings(exported: DataFrame) -> DataFrame:
    """What the exports brought since last time; a booking exported again replaces itself."""
    return exported.select(
        "booking_id",
        "booked_at",
        F.concat_ws("-", "flight_date", "carrier", "flight", "origin").alias("flight_id"),
        "flight_date",
        "carrier",
        F.col("flight").alias("flight_number"),
        "origin",
        "passenger_id",
        F.trim("name").alias("name"),
        F.lower(F.trim("email")).alias("email"),
        F.trim("phone").alias("phone"),
        F.upper(F.trim("passport_number")).alias("passport_number"),
        "birth_date",
        "fare",
        "currency",
        "seat",
        "remarks",
    )
