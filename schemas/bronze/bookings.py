"""Bookings as the reservation system exports them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from penstock import Contract, Decimal, Pii, column
from schemas.personal_data import PASSENGER


class Bookings(
    Contract,
    name="bronze.bookings",
    version="1.0.0",
    owner="team:reservations",
    freshness=timedelta(days=1),
    retention=timedelta(days=90),
    cleared=PASSENGER,
):
    """One booking of one passenger on one flight, in the export of the flight's day."""

    booking_id: str = column(key=True, description="Booking number, e.g. B20130207-00001.")
    booked_at: datetime = column(unit="UTC", description="When the booking was made.")
    flight_date: date = column(description="Day of the flight, local in New York.")
    carrier: str = column(description="Two-character code of the airline.")
    flight: int = column(description="Flight number.")
    origin: str = column(description="FAA code of the airport of departure.")
    passenger_id: str = column(
        pii=Pii.IDENTIFIER, description="The passenger's number, the same on every booking."
    )
    name: str = column(pii=Pii.NAME, description="The passenger's full name.")
    email: str = column(pii=Pii.EMAIL, description="E-mail address.")
    phone: str = column(pii=Pii.PHONE, description="Telephone number, as typed.")
    passport_number: str = column(pii=Pii.PASSPORT, description="Passport number.")
    birth_date: date = column(pii=Pii.BIRTH_DATE, description="Date of birth.")
    fare: Decimal(10, 2) = column(unit="currency", description="Price paid, in `currency`.")
    currency: str = column(description="ISO 4217 code of the fare's currency.")
    seat: str = column(description="Seat, row and letter.")
    remarks: str = column(
        nullable=True, pii=Pii.FREE_TEXT, description="What the agent wrote; may name anybody."
    )
