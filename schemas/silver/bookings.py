"""Bookings, keyed, each tied to its flight."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from penstock import Contract, Decimal, ForeignKey, Pii, column
from schemas.personal_data import PASSENGER
from schemas.silver.flights import Flights


class Bookings(
    Contract,
    name="silver.bookings",
    version="1.0.0",
    owner="team:reservations",
    freshness=timedelta(days=1),
    retention=timedelta(days=2 * 365),
    cleared=PASSENGER,
    # an airline may report a flight late; the booking is good all the same
    foreign_keys=(ForeignKey("flight_id", Flights, warn=True),),
):
    """One booking of one passenger on one flight, as it stands after its latest export."""

    booking_id: str = column(key=True, description="Booking number, e.g. B20130207-00001.")
    booked_at: datetime = column(unit="UTC", description="When the booking was made.")
    flight_id: str = column(description="The flight booked, a key of silver.flights.")
    flight_date: date = column(description="Day of the flight, local in New York.")
    carrier: str = column(str_length=(2, 2), description="Code of the airline.")
    flight_number: int = column(gt=0, description="Flight number.")
    origin: str = column(str_length=(3, 3), description="Airport of departure, FAA code.")
    passenger_id: str = column(
        pii=Pii.IDENTIFIER, description="The passenger's number, the same on every booking."
    )
    name: str = column(pii=Pii.NAME, description="The passenger's full name.")
    email: str = column(
        pii=Pii.EMAIL,
        str_matches=r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
        description="E-mail address, in lower case.",
    )
    phone: str = column(pii=Pii.PHONE, description="Telephone number, as typed.")
    passport_number: str = column(pii=Pii.PASSPORT, description="Passport number.")
    birth_date: date = column(pii=Pii.BIRTH_DATE, description="Date of birth.")
    fare: Decimal(10, 2) = column(ge=0, unit="currency", description="Price paid, in `currency`.")
    currency: str = column(
        isin=("EUR", "GBP", "USD"), description="ISO 4217 code of the fare's currency."
    )
    seat: str = column(str_matches=r"^[0-9]{1,2}[A-K]$", description="Seat, row and letter.")
    remarks: str = column(
        nullable=True, pii=Pii.FREE_TEXT, description="What the agent wrote; may name anybody."
    )
