"""Bookings out of their day files, or out of a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.arriving import arriving
from assets.days import FLIGHT_DAYS
from penstock import Merge, ReplaceSlice, dataset, landing, topic
from schemas import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


EXPORT = arriving(
    files=landing("bookings/bookings-{day}*.csv"),
    otherwise=topic("bookings", broker="reservations"),
)


@dataset(
    bronze.Bookings,
    inputs={"arrived": EXPORT},
    # a file is the export of a day; of a topic new records come, whatever day they are of
    partitions=arriving(files=FLIGHT_DAYS, otherwise=None),
    write=arriving(files=ReplaceSlice(), otherwise=Merge()),
)
def bookings(arrived: DataFrame) -> DataFrame:
    """The rows as they came."""
    return arrived
