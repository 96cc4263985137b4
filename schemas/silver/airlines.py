"""Airlines."""

from __future__ import annotations

from datetime import timedelta

from penstock import Contract, column


class Airlines(
    Contract,
    name="silver.airlines",
    version="1.0.0",
    owner="team:network",
    freshness=timedelta(days=31),
):
    """One airline."""

    carrier: str = column(key=True, str_length=(2, 2), description="Two-character code.")
    name: str = column(description="Full name.")
