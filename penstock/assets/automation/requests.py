"""The runs that newly arrived days ask for, in the order they must be made."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from penstock.assets.metadata import asset_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from penstock.assets.automation.arrivals import Arrival
    from penstock.assets.automation.due_slices import ReadySlice
    from penstock.assets.automation.jobs import DayJob
    from penstock.assets.automation.slice_jobs import SliceJob

__all__ = ["LANDED", "landed_as", "landed_slice", "run_requests", "slice_request"]

#: Tag of a run: which files of which day it takes.
LANDED = "penstock/landed"


def run_requests(
    job: DayJob, new: Sequence[Arrival], taken: Sequence[Arrival]
) -> list[dg.RunRequest]:
    """A run for each new day, oldest first, and then what looks back at a late one.

    That is, for each day that was taken before and lies within a lookback of a new one, a run of
    the datasets that look back. All carry the tag `LANDED`, of which dagster.yaml lets one run go
    at a time, in this order.
    """
    requests = [_request(job, landed_as(job, arrival), arrival) for arrival in new]
    for later in taken:
        late = [a.key for a in new if timedelta() < later.day - a.day <= job.farthest]
        if late:
            after = hashlib.sha256(repr(late).encode()).hexdigest()[:16]
            key = f"{landed_as(job, later)}:after:{after}"
            requests.append(_request(job, key, later, tuple(job.lookbacks)))
    return requests


def landed_as(job: DayJob, arrival: Arrival) -> str:
    """What the tag `LANDED` of the job's run says that takes this state of the day."""
    return f"{job.name}:{arrival.key}"


def landed_slice(job: SliceJob, slice_: ReadySlice) -> str:
    """What the tag `LANDED` of the job's run says that makes the slice of this state."""
    return f"{job.name}:{slice_.key}:{slice_.state}"


def slice_request(job: SliceJob, slice_: ReadySlice, at: datetime | None = None) -> dg.RunRequest:
    """The run that makes a slice; with `at` one that may have been tried before."""
    said = landed_slice(job, slice_)
    return dg.RunRequest(
        run_key=f"{said}:{at.isoformat()}" if at else said,
        job_name=job.name,
        partition_key=slice_.key,
        tags={LANDED: said},
    )


def _request(job: DayJob, key: str, arrival: Arrival, only: tuple[str, ...] = ()) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=key,
        job_name=job.name,
        partition_key=arrival.day.isoformat(),
        tags={LANDED: key},
        asset_selection=[asset_key(name) for name in only] or None,
    )
