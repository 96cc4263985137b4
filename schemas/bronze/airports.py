"""The list of airports as it arrives."""

from __future__ import annotations

from datetime import timedelta

from penstock import Contract, column


class Airports(
    Contract,
    name="bronze.airports",
    version="1.0.0",
    owner="team:network",
    freshness=timedelta(days=31),
):
    """One airport of the OpenFlights list."""

    faa: str = column(description="FAA code.")
    name: str = column(description="Name; not unique.")
    lat: float = column(unit="degrees", description="Latitude, north positive.")
    lon: float = column(unit="degrees", description="Longitude, east positive.")
    alt: int = column(unit="feet", description="Height above sea level.")
    tz: int = column(unit="hours", description="Offset from UTC in winter.")
    dst: str = column(description="Summer time: A as in the US, N none, U unknown.")
    tzone: str = column(nullable=True, description="IANA time zone.")
