"""Grains: the windows that time is cut into by the clock of a time zone.

A day of a time zone has 23, 24 or 25 hours; it begins at the first midnight there is, or, where the
clock is put forward at midnight, when that is done. Weeks begin on the weekday of the first one.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

__all__ = [
    "Grain",
    "after",
    "before",
    "begins",
    "first_day",
    "is_left_out",
    "key",
    "local",
    "parse",
    "shortest",
]

Grain = Literal["hour", "day", "week", "month", "year"]

_HOUR = timedelta(hours=1)
_FORMS: dict[Grain, str] = {
    "hour": r"(\d{4}-\d\d-\d\d)-(\d\d):00([+-]\d{4})?",
    "day": r"(\d{4}-\d\d-\d\d)",
    "week": r"(\d{4}-\d\d-\d\d)",
    "month": r"(\d{4}-\d\d)",
    "year": r"(\d{4})",
}
_SHORTEST: dict[Grain, timedelta] = {
    "hour": _HOUR,
    "day": timedelta(hours=23),
    "week": timedelta(days=7, hours=-1),
    "month": timedelta(days=28, hours=-1),
    "year": timedelta(days=365),
}


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local(at: datetime, zone: str) -> datetime:
    """The moment as clocks of the zone say it."""
    return at.astimezone(_zone(zone))


def begins(day: date, zone: str) -> datetime:
    """When the day begins in the zone, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=_zone(zone)).astimezone(UTC)


def is_left_out(day: date, zone: str) -> bool:
    """Whether the zone never had the day, as one that changed sides of the date line."""
    return begins(day, zone) == begins(day + timedelta(days=1), zone)


def first_day(grain: Grain, day: date, weekday: int = 0) -> date:
    """The first day of the window that the day lies in; weeks begin on `weekday` (0 is Monday)."""
    match grain:
        case "week":
            return day - timedelta(days=(day.weekday() - weekday) % 7)
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
        case _:
            return day


def after(grain: Grain, start: datetime, zone: str) -> datetime:
    """When the window that begins at `start` ends, and the next one begins; in UTC."""
    if grain == "hour":
        return start + _HOUR
    day = local(start, zone).date()
    match grain:
        case "week":
            following = day + timedelta(days=7)
        case "month":
            following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        case "year":
            following = date(day.year + 1, 1, 1)
        case _:
            following = day + timedelta(days=1)
    return begins(following, zone)


def before(grain: Grain, end: datetime, zone: str) -> datetime:
    """When the window begins that ends at `end`; in UTC."""
    if grain == "hour":
        return end - _HOUR
    last = local(end - timedelta(microseconds=1), zone).date()
    if grain == "week":
        return begins(local(end, zone).date() - timedelta(days=7), zone)
    return begins(first_day(grain, last), zone)


def key(grain: Grain, start: datetime, zone: str) -> str:
    """The name of the window that begins at `start`, as Dagster calls it too.

    `2013-01-05-13:00`, `2013-01-05` (a day, or the first one of a week), `2013-01` or `2013`. The
    second of two hours that clocks call the same has its offset: `2013-10-27-02:00+0100`.
    """
    at = local(start, zone)
    match grain:
        case "hour":
            return f"{at.date()}-{at:%H}:00" + (f"{at:%z}" if _is_second(at) else "")
        case "month":
            return f"{at.date()}"[:7]
        case "year":
            return f"{at.date()}"[:4]
        case _:
            return f"{at.date()}"


def parse(grain: Grain, text: str, zone: str) -> datetime:
    """When the window of that name begins, in UTC. Raises ValueError."""
    found = re.fullmatch(_FORMS[grain], text, re.ASCII)
    if found is None:
        raise ValueError(text)
    if grain == "hour":
        day, hour, offset = found.groups()
        at = datetime.fromisoformat(f"{day}T{hour}:00")
        start = at.replace(tzinfo=_zone(zone), fold=1 if offset else 0).astimezone(UTC)
    else:
        start = begins(date.fromisoformat(f"{found[1]}-01-01"[:10]), zone)
    if key(grain, start, zone) != text:
        raise ValueError(text)  # clocks of the zone never said so
    return start


def shortest(grain: Grain) -> timedelta:
    """How long the shortest window is."""
    return _SHORTEST[grain]


def _is_second(at: datetime) -> bool:
    """Whether clocks said the same an hour before."""
    return bool(at.fold) and at.replace(fold=0).utcoffset() != at.utcoffset()
