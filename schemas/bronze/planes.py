"""The aircraft registry as it arrives."""

from __future__ import annotations

from datetime import timedelta

from penstock import Contract, column


class Planes(
    Contract,
    name="bronze.planes",
    version="1.0.0",
    owner="team:fleet",
    freshness=timedelta(days=31),
):
    """One aircraft of the FAA registry."""

    tailnum: str = column(description="Tail number.")
    year: int = column(nullable=True, unit="year", description="Year the aircraft was built.")
    type: str = column(description="Kind of aircraft.")
    manufacturer: str = column(description="Who built it.")
    model: str = column(description="The maker's model.")
    engines: int = column(unit="engines", description="Number of engines.")
    seats: int = column(unit="seats", description="Number of seats.")
    speed: int = column(nullable=True, unit="miles per hour", description="Cruising speed.")
    engine: str = column(description="Kind of engine.")
