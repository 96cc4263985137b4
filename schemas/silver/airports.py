"""Airports."""

from __future__ import annotations

from datetime import timedelta

from penstock import Contract, column


class Airports(
    Contract,
    name="silver.airports",
    version="1.0.0",
    owner="team:network",
    freshness=timedelta(days=31),
):
    """One airport, airfield or station with an FAA code."""

    airport: str = column(key=True, str_length=(3, 3), description="FAA code.")
    name: str = column(description="Name; several airports may share one.")
    latitude_degrees: float = column(
        in_range=(-90, 90), unit="degrees", description="Latitude, north positive."
    )
    longitude_degrees: float = column(
        in_range=(-180, 180), unit="degrees", description="Longitude, east positive."
    )
    altitude_feet: int = column(unit="feet", description="Height above sea level.")
    utc_offset_hours: int = column(
        in_range=(-12, 14), unit="hours", description="Offset from UTC in winter."
    )
    summer_time: str = column(
        isin=("A", "N", "U"), description="A: as in the US, N: none, U: unknown."
    )
    time_zone: str = column(nullable=True, description="IANA time zone, where known.")
