"""How many events, jobs, datasets and sources there were, hour by hour or day by day."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BeforeValidator
from sqlalchemy import select

from penstock.ledger.graph.tables import graph_dataset, graph_job
from penstock.ledger.tables import event
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.sources import sources_seen
from penstock.server.reading import Reading, ledger_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["borders", "router"]

router = APIRouter()

HOURS, DAYS = 24, 7
_TYPES = ("FAIL", "START", "COMPLETE", "ABORT")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError("this is no time zone") from None
    return name


Period = Annotated[Literal["DAY", "WEEK"], BeforeValidator(lambda text: str(text).upper())]
Zone = Annotated[str, AfterValidator(_known_zone)]


def _times(request: Request, period: Period, timezone: Zone = "UTC") -> list[datetime]:
    return borders(ledger_of(request).now(), period, timezone)


Times = Annotated[list[datetime], Depends(_times)]


@router.get("/stats/lineage-events")
def count_events(reading: Reading, times: Times) -> list[dict[str, Any]]:
    """The events of runs by type, in each of the last 24 hours or 7 days of the time zone."""
    query = select(event.c.event_type, event.c.event_time).where(
        event.c.event_time >= times[0], event.c.event_time < times[-1]
    )
    told = [(row.event_type, row.event_time) for row in reading.execute(query)]
    found = []
    for start, end in pairwise(times):
        types = Counter(kind for kind, at in told if start <= at < end)
        counts = {kind.lower(): types[kind] for kind in _TYPES}
        found.append({"startInterval": stamp(start), "endInterval": stamp(end), **counts})
    return found


@router.get("/stats/jobs")
def count_jobs(reading: Reading, times: Times) -> list[dict[str, Any]]:
    """How many jobs there were at the end of each interval."""
    seen = reading.execute(select(graph_job.c.first_seen)).scalars().all()
    return _counts(seen, times)


@router.get("/stats/datasets")
def count_datasets(reading: Reading, times: Times) -> list[dict[str, Any]]:
    """How many datasets there were at the end of each interval."""
    own = graph_dataset.c.same_as == graph_dataset.c.id
    seen = reading.execute(select(graph_dataset.c.first_seen).where(own)).scalars().all()
    return _counts(seen, times)


@router.get("/stats/sources")
def count_sources(reading: Reading, times: Times) -> list[dict[str, Any]]:
    """How many sources there were at the end of each interval."""
    return _counts(sources_seen(reading), times)


def borders(now: datetime, period: Literal["DAY", "WEEK"], timezone: str) -> list[datetime]:
    """The ends of the last 24 hours, or of the last 7 days of the time zone, that of `now` last."""
    if period == "DAY":
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return [hour + timedelta(hours=step - HOURS + 1) for step in range(HOURS + 1)]
    # the days of a time zone are not all as long: each begins at its own midnight
    today = now.astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return [(today + timedelta(days=step - DAYS + 1)).astimezone(UTC) for step in range(DAYS + 1)]


def _counts(seen: Sequence[datetime], times: list[datetime]) -> list[dict[str, Any]]:
    return [
        {
            "startInterval": stamp(start),
            "endInterval": stamp(end),
            "count": sum(at < end for at in seen),
        }
        for start, end in pairwise(times)
    ]
