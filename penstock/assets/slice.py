"""A slice: the half-open window of time, and the values, that one run of a dataset is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from penstock.assets.partitions.grain import Grain, after, before, begins, is_left_out, key, local
from penstock.errors import DefinitionError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["TO", "WHOLE", "Slice"]

TO = "..."  # from the first window to the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """`start` (included) to `end` (excluded), UTC, and of `values`. Neither: the whole dataset.

    It is made of windows of a `grain` by the clock of `zone`. Without `values` it is not cut by
    them; without `start` and `end` it is of all times.
    """

    start: datetime | None = None
    end: datetime | None = None
    zone: str = "UTC"
    grain: Grain = "day"
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"a slice that ends before it starts: {self.start} to {self.end}")

    @classmethod
    def day(cls, day: date, last: date | None = None, *, zone: str = "UTC") -> Self:
        """The slice of one day, or of all days from `day` to `last`, both included."""
        last_day = last or day
        return cls(
            start=begins(day, zone), end=begins(last_day + timedelta(days=1), zone), zone=zone
        )

    @property
    def whole(self) -> bool:
        """Whether it is the whole dataset."""
        return self.start is None and not self.values

    @property
    def key(self) -> str:
        """`2013-01-05`, `2013-01-05...2013-01-09` (last one included) or `whole`; values behind |.

        What windows are called is said in `grain.key`: `2013-01-05|DE,FR`.
        """
        parts = [*filter(None, (self._window_key(), ",".join(self.values)))]
        return "|".join(parts) or "whole"

    def windows(self) -> Iterator[datetime]:
        """When each of its windows begins, oldest first; none when it is of all times."""
        if self.start is None or self.end is None:
            return
        start = self.start
        while start < self.end:
            yield start
            start = after(self.grain, start, self.zone)

    def days(self) -> tuple[date, ...]:
        """The days of its zone that it touches, oldest first; none when it is of all times."""
        if self.start is None or self.end is None:
            return ()
        first = local(self.start, self.zone).date()
        last = local(self.end - timedelta(microseconds=1), self.zone).date()
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        # on the way over the date line a zone left a day out
        return tuple(day for day in days if self.zone == "UTC" or not is_left_out(day, self.zone))

    def of_times(self) -> Slice:
        """The same of all values."""
        return replace(self, values=())

    def of_values(self) -> Slice:
        """The same of all times."""
        return Slice(values=self.values)

    @property
    def span(self) -> str:
        """What it is of, also where it does not begin or end with a window: for messages."""
        if self.start is None or self.end is None:
            return self.key
        days = Slice.day(self.days()[0], self.days()[-1], zone=self.zone)
        at = f"{local(self.start, self.zone):%Y-%m-%d %H:%M} to {local(self.end, self.zone):%H:%M}"
        window = days.key if (days.start, days.end) == (self.start, self.end) else at
        return "|".join(filter(None, (window, ",".join(self.values))))

    def widened(self, lookback: timedelta) -> Slice:
        """The slice with its start earlier by `lookback`: days by the clock, what is more by time.

        The day before one of 23 hours begins 24 hours earlier or 25, and at midnight.
        """
        if self.start is None:
            return self
        days, clock = timedelta(days=lookback.days), local(self.start, self.zone)
        if begins(clock.date(), self.zone) == self.start:
            # a day may begin at one o'clock, and the one before at midnight
            start = begins(clock.date() - days, self.zone)
        else:  # of two moments with one zone Python subtracts what clocks say
            start = (clock - days).astimezone(UTC)
        start -= lookback - days
        return replace(self, start=start)

    def overlaps(self, other: Slice) -> bool:
        """Whether the two may share a row; a whole slice overlaps everything."""
        if self.values and other.values and not set(self.values) & set(other.values):
            return False
        if self.start is None or other.start is None or self.end is None or other.end is None:
            return True
        return self.start < other.end and other.start < self.end

    def covers(self, other: Slice) -> bool:
        """Whether each row of the other is one of its own."""
        if self.values and not (other.values and set(other.values) <= set(self.values)):
            return False
        if self.start is None or self.end is None:
            return True
        if other.start is None or other.end is None:
            return False
        return self.start <= other.start and other.end <= self.end

    def predicate(self, column: str, column_type: str) -> str:
        """SQL, true for rows whose `column` lies in the window, or of text has one of the values.

        Raises DefinitionError where the column does not say which slice a row is of.
        """
        if self.whole:
            return "true"
        name = quoted(column)
        if column_type == "string" and self.values:
            return f"{name} IN ({', '.join(map(literal, self.values))})"
        hours = self.grain == "hour" and column_type == "date"
        if column_type == "string" or self.start is None or self.end is None or hours:
            raise DefinitionError(
                "the column does not say which slice a row is of",
                where=f"column {column}",
                expected="the text" if self.start is None else "a timestamp" if hours else "when",
                found=column_type,
                next_step=f"name a column that says what slices like {self.key} are of",
            )
        low: Any = self.start
        high: Any = self.end
        if column_type == "date":
            low, high = local(low, self.zone).date(), local(high, self.zone).date()
        return f"{name} >= {literal(low)} AND {name} < {literal(high)}"

    def document(self) -> dict[str, Any] | None:
        """JSON-ready; None when whole."""
        if self.whole:
            return None
        document: dict[str, Any] = {}
        if self.start is not None and self.end is not None:
            document = {"start": self.start.isoformat(), "end": self.end.isoformat()}
            # a day of UTC is said as it was when there were no others
            document |= {"zone": self.zone} if self.zone != "UTC" else {}
            document |= {"grain": self.grain} if self.grain != "day" else {}
        return document | ({"values": list(self.values)} if self.values else {})

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self:
        """The slice a `document()` was made of."""
        if document is None:
            return cls()
        values = tuple(document.get("values", ()))
        if "start" not in document:
            return cls(values=values)
        return cls(
            start=datetime.fromisoformat(document["start"]),
            end=datetime.fromisoformat(document["end"]),
            zone=document.get("zone", "UTC"),
            grain=document.get("grain", "day"),
            values=values,
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The slice of the `key` of days in UTC. Raises ValueError."""
        if text == "whole":
            return cls()
        first, _, last = text.partition(TO)
        return cls.day(date.fromisoformat(first), date.fromisoformat(last or first))

    def _window_key(self) -> str:
        if self.start is None or self.end is None:
            return ""
        first = key(self.grain, self.start, self.zone)
        last = key(self.grain, before(self.grain, self.end, self.zone), self.zone)
        return first if first == last else f"{first}{TO}{last}"


WHOLE = Slice()
