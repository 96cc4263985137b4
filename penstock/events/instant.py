"""A moment as events write it, and read from what they wrote."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["instant", "told_moment"]

_FIRST_YEAR, _LAST_YEAR = 1, 9999  # a day is kept free for any offset


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


def told_moment(text: str) -> datetime:
    """The moment that ISO 8601 text with an offset names, in UTC.

    Raises ValueError for text that names none, or one too near the ends of what can be kept.

    >>> told_moment("2013-01-01t01:00:00.5+01:00")
    datetime.datetime(2013, 1, 1, 0, 0, 0, 500000, tzinfo=datetime.timezone.utc)
    """
    # RFC 3339 allows small letters, Python does not
    found = datetime.fromisoformat(text.upper())
    if found.tzinfo is None:
        raise ValueError("has no offset, so it names no moment")
    if not _FIRST_YEAR < found.year < _LAST_YEAR:
        raise ValueError("is no moment that a database can keep")
    return found.astimezone(UTC)
