"""The list of airlines as it arrives."""

from __future__ import annotations

from datetime import timedelta

from penstock import Contract, column


class Airlines(
    Contract,
    name="bronze.airlines",
    version="1.0.0",
    owner="team:network",
    freshness=timedelta(days=31),
):
    """One airline."""

    carrier: str = column(description="Two-character code.")
    name: str = column(description="Full name.")
