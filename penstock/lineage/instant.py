"""A moment as events write it."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["instant"]


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC with its offset. Raises ValueError for a naive datetime.

    >>> from datetime import timedelta, timezone
    >>> instant(datetime(2013, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    '2013-01-01T00:00:00+00:00'
    """
    if moment.tzinfo is None:
        msg = "an event's moment needs a time zone; a naive datetime names no instant"
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat()
