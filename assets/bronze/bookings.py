"""Bookings out of their day files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.days import FLIGHT_DAYS
from penstock import dataset, landing
from schemas import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataset(
    bronze.Bookings,
    inputs={"arrived": landing("bookings/bookings-{day}*.csv")},
    partitions=FLIGHT_DAYS,
)
def bookings(arrived: DataFrame) -> DataFrame:
    """The rows as they came."""
    return arrived
