"""What runs together."""

from __future__ import annotations

import dagster as dg

#: Tag of a run: which files of which day it takes.
LANDED = "penstock/landed"

_REFERENCE = dg.AssetSelection.assets(
    *(
        dg.AssetKey([layer, name])
        for layer in ("bronze", "silver")
        for name in ("airlines", "airports", "planes")
    )
)

NIGHTLY = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.groups("bronze", "silver", "gold", "features"),
    description="One day of flights, weather and bookings, from landing to features.",
)

REFERENCE = dg.define_asset_job(
    "reference",
    selection=_REFERENCE,
    description="Planes, airports and airlines, which are sent whole.",
)

DAILY_MASKING = dg.define_asset_job(
    "daily_masking",
    selection=dg.AssetSelection.groups("shared"),
    description="The masked copies, made anew.",
)

WEEKLY_UPKEEP = dg.define_asset_job(
    "weekly_upkeep",
    selection=dg.AssetSelection.groups("upkeep"),
    description="Every table's files measured, and compacted where that pays.",
)

JOBS = (NIGHTLY, REFERENCE, DAILY_MASKING, WEEKLY_UPKEEP)
