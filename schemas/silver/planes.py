"""Planes."""

from __future__ import annotations

from datetime import timedelta

from penstock import Contract, column


class Planes(
    Contract,
    name="silver.planes",
    version="1.0.0",
    owner="team:fleet",
    freshness=timedelta(days=31),
):
    """One aircraft of the FAA registry as it stands today."""

    tail_number: str = column(key=True, description="Tail number.")
    year_built: int = column(
        nullable=True, in_range=(1903, 2100), unit="year", description="Year it was built."
    )
    kind: str = column(description="Kind of aircraft, e.g. fixed wing multi engine.")
    manufacturer: str = column(description="Who built it.")
    model: str = column(description="The maker's model.")
    engines: int = column(ge=1, unit="engines", description="Number of engines.")
    engine_kind: str = column(description="Kind of engine, e.g. turbo-fan.")
    seats: int = column(ge=1, unit="seats", description="Number of seats, crew included.")
    cruising_speed_mph: int = column(
        nullable=True, gt=0, unit="miles per hour", description="Cruising speed; rarely known."
    )
