"""A moment as Marquez writes it."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["stamp"]


def stamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds and a Z, None for None.

    >>> stamp(datetime(2013, 1, 1, tzinfo=UTC))
    '2013-01-01T00:00:00.000000Z'
    """
    if moment is None:
        return None
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
