"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["ago", "number", "size"]

_KIB = 1024
_STEPS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def number(value: int | None) -> str:
    """`1,234`, or a dash when it is not known.

    >>> number(1234)
    '1,234'
    """
    return "-" if value is None else f"{value:,}"


def size(value: float | None) -> str:
    """A number of bytes in the largest unit that leaves at least one.

    >>> size(3_500_000)
    '3.3 MiB'
    """
    if value is None:
        return "-"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < _KIB:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= _KIB
    return f"{value:.1f} TiB"


def ago(moment: datetime | str | None, now: datetime | None = None) -> str:
    """How long ago, in one unit; a dash when never.

    >>> ago("2013-02-08T10:00:00+00:00", datetime(2013, 2, 8, 13, tzinfo=UTC))
    '3 hours ago'
    """
    if moment is None:
        return "-"
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    for length, unit in _STEPS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
