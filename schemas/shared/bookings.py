"""Bookings for analysts: the same rows, nobody in them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from pyspark.sql.types import IntegerType

from penstock import Contract, Decimal, Pii, column


class Bookings(
    Contract,
    name="shared.bookings",
    version="1.0.0",
    owner="team:privacy",
    freshness=timedelta(days=1),
    retention=timedelta(days=2 * 365),
):
    """One booking, masked: tokens still join, everything else that names a person is gone.

    The name and the telephone number are left out.
    """

    booking_id: str = column(key=True, description="Booking number.")
    booked_at: datetime = column(unit="UTC", description="When the booking was made.")
    flight_id: str = column(description="The flight booked, a key of silver.flights.")
    flight_date: date = column(description="Day of the flight, local in New York.")
    carrier: str = column(description="Code of the airline.")
    flight_number: int = column(description="Flight number.")
    origin: str = column(description="Airport of departure, FAA code.")
    passenger_id: str = column(
        pii=Pii.IDENTIFIER, masked=True, description="Token of the passenger's number."
    )
    email: str = column(pii=Pii.EMAIL, masked=True, description="Token of the e-mail address.")
    passport_number: str = column(
        pii=Pii.PASSPORT, masked=True, description="Token of the passport number."
    )
    birth_year: IntegerType = column(
        pii=Pii.BIRTH_DATE, masked=True, unit="year", description="Year of birth."
    )
    fare: Decimal(10, 2) = column(unit="currency", description="Price paid, in `currency`.")
    currency: str = column(description="ISO 4217 code of the fare's currency.")
    seat: str = column(description="Seat, row and letter.")
    remarks: str = column(
        nullable=True,
        pii=Pii.FREE_TEXT,
        masked=True,
        description="What the agent wrote, with the passenger and all contacts cut out.",
    )
