"""The runs that newly arrived days ask for, in the order they must be made."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from assets.days import AFTER_LAST, FIRST
from penstock.assets.inputs import Snapshot
from penstock.assets.metadata import asset_key
from pipelines.deployment import deployment
from pipelines.jobs import LANDED, NIGHTLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.arrivals import Arrival

__all__ = ["in_range", "run_requests"]

#: Datasets that look back, and how far: a late day changes what they said of the days after it.
_LOOKBACKS = {
    spec.name: max(item.lookback for item in spec.inputs.values() if isinstance(item, Snapshot))
    for spec in deployment.datasets
    if any(isinstance(item, Snapshot) and item.lookback for item in spec.inputs.values())
}
_FARTHEST = max(_LOOKBACKS.values(), default=timedelta())


def in_range(arrival: Arrival) -> bool:
    """Whether the deployment has a partition for the day."""
    return FIRST <= arrival.day < AFTER_LAST


def run_requests(new: Sequence[Arrival], taken: Sequence[Arrival]) -> list[dg.RunRequest]:
    """A nightly run for each new day, oldest first, and then what looks back at a late one.

    That is, for each day that was taken before and lies within a lookback of a new one, a run of
    the datasets that look back. All carry the tag `LANDED`, of which dagster.yaml lets one run go
    at a time, in this order.
    """
    requests = [_request(arrival.key, arrival) for arrival in new]
    for later in taken:
        late = [a.key for a in new if timedelta() < later.day - a.day <= _FARTHEST]
        if late:
            after = hashlib.sha256(repr(late).encode()).hexdigest()[:16]
            requests.append(_request(f"{later.key}:after:{after}", later, tuple(_LOOKBACKS)))
    return requests


def _request(key: str, arrival: Arrival, only: tuple[str, ...] = ()) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=key,
        job_name=NIGHTLY.name,
        partition_key=arrival.day.isoformat(),
        tags={LANDED: key},
        asset_selection=[asset_key(name) for name in only] or None,
    )
