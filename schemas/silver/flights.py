"""Flights, keyed and in UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from penstock import Contract, ForeignKey, column
from schemas.silver.airlines import Airlines
from schemas.silver.airports import Airports
from schemas.silver.planes import Planes


class Flights(
    Contract,
    name="silver.flights",
    version="1.0.0",
    owner="team:flight-operations",
    freshness=timedelta(days=1),
    retention=timedelta(days=5 * 365),
    clustering=("origin", "destination"),
    foreign_keys=(
        ForeignKey("carrier", Airlines),
        ForeignKey("origin", Airports, "airport"),
        # the list of airports ends at the mainland: San Juan and three others are not in it
        ForeignKey("destination", Airports, "airport", warn=True),
        # two airlines report their own fleet numbers instead of tail numbers
        ForeignKey("tail_number", Planes, warn=True),
    ),
    rules={
        "departed_unless_cancelled": "cancelled = (departure_utc IS NULL)",
        "arrives_after_departure": "arrival_utc > departure_utc",
    },
):
    """One scheduled departure from a New York airport, and what became of it."""

    flight_id: str = column(
        key=True,
        description="The natural key in one word: date-carrier-number-origin, "
        "e.g. 2013-02-07-UA-1545-EWR.",
    )
    flight_date: date = column(description="Day of the scheduled departure in New York.")
    carrier: str = column(str_length=(2, 2), description="Code of the airline.")
    flight_number: int = column(gt=0, description="Flight number, unique per day, carrier, origin.")
    tail_number: str = column(
        nullable=True, description="The plane, where the airline assigned and reported one."
    )
    origin: str = column(isin=("EWR", "JFK", "LGA"), description="Airport of departure, FAA code.")
    destination: str = column(str_length=(3, 3), description="Planned destination, FAA code.")
    scheduled_departure_utc: datetime = column(unit="UTC", description="Planned departure.")
    departure_utc: datetime = column(
        nullable=True, unit="UTC", description="Actual departure; empty when cancelled."
    )
    scheduled_arrival_utc: datetime = column(
        nullable=True,
        unit="UTC",
        description="Planned arrival; empty when the destination's time zone is unknown.",
    )
    arrival_utc: datetime = column(
        nullable=True, unit="UTC", description="Actual arrival; empty when cancelled or diverted."
    )
    departure_delay_minutes: int = column(
        nullable=True,
        ge=-120,
        le=2880,
        unit="minutes",
        description="Actual minus planned departure; negative when early.",
    )
    arrival_delay_minutes: int = column(
        nullable=True,
        ge=-240,
        le=2880,
        unit="minutes",
        description="Actual minus planned arrival; negative when early.",
    )
    air_time_minutes: int = column(
        nullable=True, gt=0, unit="minutes", description="From take-off to landing."
    )
    distance_miles: int = column(gt=0, unit="miles", description="Between the two airports.")
    cancelled: bool = column(description="Whether the flight never departed.")
    diverted: bool = column(
        description="Whether it departed and no arrival at its destination is on record."
    )
