"""The demo's landing folder: real flights and weather of New York in 2013, synthetic bookings.

`unpack_flights` delivers the real files, `write_bookings` the synthetic ones on top of them. Both
deliver each file once and whole; a file that is there already is left alone.
"""

from __future__ import annotations

from pipelines.data.bookings import (
    BOOKING_COLUMNS,
    BOOKINGS_PER_DAY,
    MALFORMED_EMAILS_PER_DAY,
    NEGATIVE_FARES_PER_DAY,
    write_bookings,
)
from pipelines.data.delivery import Delivery, Progress
from pipelines.data.flights import DEMO_DAYS, day_file, unpack_flights
from pipelines.data.passengers import CANARY, Passenger

__all__ = [
    "BOOKINGS_PER_DAY",
    "BOOKING_COLUMNS",
    "CANARY",
    "DEMO_DAYS",
    "MALFORMED_EMAILS_PER_DAY",
    "NEGATIVE_FARES_PER_DAY",
    "Delivery",
    "Passenger",
    "Progress",
    "day_file",
    "unpack_flights",
    "write_bookings",
]
