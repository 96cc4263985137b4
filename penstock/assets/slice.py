"""A slice: the half-open window of time one run of a dataset is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from penstock.errors import DefinitionError
from penstock.schemas.predicates import literal, quoted

__all__ = ["WHOLE", "Daily", "Slice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """`start` (included) to `end` (excluded), UTC. Both None: the whole dataset."""

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"a slice that ends before it starts: {self.start} to {self.end}")

    @classmethod
    def day(cls, day: date, last: date | None = None) -> Self:
        """The slice of one day, or of all days from `day` to `last`, both included."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        last = last or day
        end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
        return cls(start=start, end=end)

    @property
    def whole(self) -> bool:
        """Whether it is the whole dataset."""
        return self.start is None

    @property
    def key(self) -> str:
        """`2013-01-05`, `2013-01-05...2013-01-09` (last day included) or `whole`."""
        if self.start is None or self.end is None:
            return "whole"
        first, last = self.start.date(), (self.end - timedelta(microseconds=1)).date()
        return f"{first}" if first == last else f"{first}...{last}"

    def days(self) -> tuple[date, ...]:
        """The days it touches, oldest first; none when it is whole."""
        if self.start is None or self.end is None:
            return ()
        first, last = self.start.date(), (self.end - timedelta(microseconds=1)).date()
        return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))

    def widened(self, lookback: timedelta) -> Slice:
        """The slice with its start earlier by `lookback`."""
        return self if self.start is None else Slice(start=self.start - lookback, end=self.end)

    def overlaps(self, other: Slice) -> bool:
        """Whether the two share an instant; a whole slice overlaps everything."""
        if self.start is None or other.start is None or self.end is None or other.end is None:
            return True
        return self.start < other.end and other.start < self.end

    def predicate(self, column: str, column_type: str) -> str:
        """SQL, true for rows whose `column` lies in the slice."""
        if self.start is None or self.end is None:
            return "true"
        low: Any = self.start.date() if column_type == "date" else self.start
        high: Any = self.end.date() if column_type == "date" else self.end
        name = quoted(column)
        return f"{name} >= {literal(low)} AND {name} < {literal(high)}"

    def document(self) -> dict[str, str] | None:
        """JSON-ready; None when whole."""
        if self.start is None or self.end is None:
            return None
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}

    @classmethod
    def from_document(cls, document: dict[str, str] | None) -> Self:
        """The slice a `document()` was made of."""
        if document is None:
            return cls()
        return cls(
            start=datetime.fromisoformat(document["start"]),
            end=datetime.fromisoformat(document["end"]),
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The slice of a `key`. Raises ValueError."""
        if text == "whole":
            return cls()
        first, _, last = text.partition("...")
        return cls.day(date.fromisoformat(first), date.fromisoformat(last or first))


WHOLE = Slice()


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """One slice a day, by the day in `column` (a date or a UTC timestamp), from `start` on.

    `end` is the first day after the last one, None when the days go on.
    """

    column: str
    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        for name, day in (("start", self.start), ("end", self.end)):
            if (name == "start" or day is not None) and type(day) is not date:
                raise DefinitionError(
                    f"the {name} of the partitions is not a date",
                    where=f"Daily(column={self.column!r})",
                    expected="datetime.date",
                    found=type(day).__name__,
                    next_step=f"write {name}=date(2013, 1, 1)",
                )
        if self.end is not None and self.end <= self.start:
            raise DefinitionError(
                "the partitions end before they start",
                where=f"Daily(column={self.column!r})",
                expected=f"an end after {self.start}",
                found=str(self.end),
                next_step="give the first day after the last one, or no end",
            )
        if not isinstance(self.column, str):
            raise DefinitionError(
                "the partitions name no column",
                where=f"Daily(column={self.column!r})",
                expected="the name of a date or timestamp column",
                found=type(self.column).__name__,
                next_step="write Daily(column='day', start=...)",
            )
