"""What a dataset is cut into by time: hours, days, weeks, months or years."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from penstock.assets.partitions.grain import (
    Grain,
    after,
    before,
    begins,
    first_day,
    key,
    local,
    parse,
)
from penstock.assets.slice import TO, Slice
from penstock.assets.time_zone import check_time_zone
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.schemas.model import ContractModel

__all__ = ["ADVERBS", "Daily", "Hourly", "Monthly", "Weekly", "Windows", "Yearly"]

_WORDS: dict[Grain, str] = {
    "hour": "an hour, like 2013-01-05-13:00",
    "day": "a day, like 2013-01-05",
    "week": "the first day of a week, like 2013-01-07",
    "month": "a month, like 2013-01",
    "year": "a year, like 2013",
}
ADVERBS: dict[Grain, str] = {
    "hour": "hourly",
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
    "year": "yearly",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """One slice for each window of time, by the moment in `column`; see the kinds below."""

    column: str
    start: date
    end: date | None = None
    time_zone: str = "UTC"

    grain: ClassVar[Grain]

    def __post_init__(self) -> None:
        """Raise DefinitionError for windows that cannot be."""
        kind = type(self).__name__
        where = f"{kind}(column={self.column!r})"
        if not isinstance(self.column, str):
            raise DefinitionError(
                "the partitions name no column",
                where=where,
                expected="the name of a date or timestamp column",
                found=type(self.column).__name__,
                next_step=f"write {kind}(column='day', start=...)",
            )
        for name, day in (("start", self.start), ("end", self.end)):
            if (name == "start" or day is not None) and type(day) is not date:
                raise DefinitionError(
                    f"the {name} of the partitions is not a date",
                    where=where,
                    expected="datetime.date",
                    found=type(day).__name__,
                    next_step=f"write {name}=date(2013, 1, 1)",
                )
        if self.end is not None and self.end <= self.start:
            raise DefinitionError(
                "the partitions end before they start",
                where=where,
                expected=f"an end after {self.start}",
                found=str(self.end),
                next_step="give the first day after the last one, or no end",
            )
        check_time_zone(where, self.time_zone)
        for name, day in (("start", self.start), ("end", self.end)):
            if day is not None and self._first_day(day) != day:
                raise DefinitionError(
                    f"the {name} of the partitions is in the midst of a {self.grain}",
                    where=where,
                    expected=f"the first day of a {self.grain}",
                    found=str(day),
                    next_step=f"write {name}=date({_numbers(self._first_day(day))})",
                )
        if self.grain == "hour" and not _whole_hours(self.time_zone, self.start.year):
            raise DefinitionError(
                "clocks of the time zone are changed by less than an hour, and its hours are not",
                where=where,
                expected="a zone whose clocks are changed by whole hours, or not at all",
                found=self.time_zone,
                next_step="leave time_zone out, or use Daily(...)",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that say which slice a row is of."""
        return (self.column,)

    @property
    def first(self) -> datetime:
        """When the first window begins, in UTC."""
        return begins(self.start, self.time_zone)

    @property
    def last(self) -> datetime | None:
        """When the last window ends, in UTC; None when they go on."""
        return begins(self.end, self.time_zone) if self.end else None

    @property
    def adverb(self) -> str:
        """`daily`, and so on."""
        return ADVERBS[self.grain]

    @property
    def words(self) -> str:
        """How it is cut, in a few words."""
        zone = "" if self.time_zone == "UTC" else f" in {self.time_zone}"
        end = f" to {self.end}" if self.end else ""
        return f"{self.adverb} by {self.column} from {self.start}{end}{zone}"

    @property
    def example(self) -> str:
        """The name of its first slice."""
        return key(self.grain, self.first, self.time_zone)

    def slice(self, name: str, last: str | None = None) -> Slice:
        """The slice of that name, or of all from it to `last`, both included.

        Raises DefinitionError for what is no name of a slice, or of one before the first or behind
        the last.
        """
        first, _, end = name.partition(TO)
        starts = [self._start(text) for text in (first, last or end or first)]
        if starts[1] < starts[0]:
            raise DefinitionError(
                "the range ends before it begins",
                where=self.words,
                found=f"{first} to {last or end}",
                next_step="give the earlier one first",
            )
        return self._of(starts[0], after(self.grain, starts[1], self.time_zone))

    def read(self, name: str) -> Slice:
        """The slice of that name, also of one that it does not have. Raises ValueError."""
        first, _, last = name.partition(TO)
        starts = [parse(self.grain, text, self.time_zone) for text in (first, last or first)]
        return self._of(starts[0], after(self.grain, starts[1], self.time_zone))

    def begins(self, name: str) -> datetime:
        """When the window of that name begins. Raises ValueError."""
        return parse(self.grain, name, self.time_zone)

    def ended(self, now: datetime) -> Iterator[Slice]:
        """The slices that have ended at `now`, oldest first."""
        start, last = self.first, min(now, self.last or now)
        while (end := after(self.grain, start, self.time_zone)) <= last:
            yield self._of(start, end)
            start = end

    def back(self, at: datetime, number: int) -> datetime:
        """When the window ended before the last ones, so many, that had ended at that moment."""
        start = self._floor(at)
        for _ in range(number):
            start = before(self.grain, start, self.time_zone)
        return start

    def keys(self, slice_: Slice) -> tuple[str, ...]:
        """The names of the windows of the slice, oldest first."""
        return tuple(key(self.grain, start, self.time_zone) for start in slice_.windows())

    def covering(self, slice_: Slice) -> Slice | None:
        """All of its windows that share a moment with the slice; None where there are none."""
        start, end = slice_.start, slice_.end
        last = self.last
        low = self.first if start is None else max(self._floor(start), self.first)
        high = last if end is None else min(filter(None, (self._ceiling(end), last)))
        return self._of(low, high) if high and low < high else None

    def refuse_other(self, slice_: Slice, where: str) -> None:
        """Raise DefinitionError for a slice that is not made of its windows."""
        if slice_.start is None or slice_.end is None or slice_.values:
            found = slice_.key
        elif (slice_.grain, slice_.zone) != (self.grain, self.time_zone):
            found = f"{slice_.key}, {ADVERBS[slice_.grain]} in {slice_.zone}"
        elif (slice_.start, slice_.end) != (self._floor(slice_.start), self._ceiling(slice_.end)):
            found = f"{slice_.start.isoformat()} to {slice_.end.isoformat()}"
        else:
            return
        raise DefinitionError(
            "the slice is none of the dataset's",
            where=where,
            expected=f"slices as it is cut: {self.words}",
            found=found,
            next_step=f"take it of the dataset: partitions.slice({self.example!r})",
        )

    def predicate(self, slice_: Slice, model: ContractModel) -> str:
        """SQL, true for rows of the slice."""
        column = model.column(self.column)
        assert column is not None
        return slice_.predicate(column.name, column.type)

    def has(self, slice_: Slice) -> bool:
        """Whether it begins no earlier than its first window and ends no later than its last."""
        if slice_.start is None or slice_.end is None:
            return False
        last = self.last
        return slice_.start >= self.first and (last is None or slice_.end <= last)

    def _start(self, name: str) -> datetime:
        try:
            start = parse(self.grain, name, self.time_zone)
        except ValueError:
            raise self._no_name(name, f"write {_WORDS[self.grain]}") from None
        day = local(start, self.time_zone).date()
        if self._first_day(day) != day:
            raise self._no_name(name, f"{name} is in the week of {self._first_day(day)}")
        if not self.has(self._of(start, after(self.grain, start, self.time_zone))):
            end = f", and before {self.end}" if self.end else " on"
            raise DefinitionError(
                f"the dataset has no such {self.grain}",
                where=self.words,
                expected=f"{self.grain}s from {self.example}{end}",
                found=name,
                next_step=f"give a {self.grain} of that range",
            )
        return start

    def _no_name(self, name: str, next_step: str) -> DefinitionError:
        return DefinitionError(
            f"this is not a {self.grain}",
            where=self.words,
            expected=_WORDS[self.grain],
            found=repr(name),
            next_step=next_step,
        )

    def _of(self, start: datetime, end: datetime) -> Slice:
        return Slice(start=start, end=end, zone=self.time_zone, grain=self.grain)

    def _first_day(self, day: date) -> date:
        return first_day(self.grain, day, self.start.weekday() if self.grain == "week" else 0)

    def _floor(self, at: datetime) -> datetime:
        clock = local(at, self.time_zone)
        if self.grain == "hour":
            past = timedelta(
                minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond
            )
            return at - past
        return begins(self._first_day(clock.date()), self.time_zone)

    def _ceiling(self, at: datetime) -> datetime:
        floor = self._floor(at)
        return floor if floor == at else after(self.grain, floor, self.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hourly(Windows):
    """One slice an hour, by the moment in `column` (a timestamp), from the day `start` on.

    `end` is the first day after the last one, None when the hours go on. Hours begin as clocks of
    `time_zone` say: in Kolkata half an hour after those of UTC.
    """

    grain = "hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily(Windows):
    """One slice a day, by the day in `column` (a date or a UTC timestamp), from `start` on.

    `end` is the first day after the last one, None when the days go on. Days are those of
    `time_zone`: of a timestamp the hours that it has by clocks there (23, 24 or 25), of a date its
    own day, which the sender is taken to have counted so.
    """

    grain = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly(Windows):
    """One slice a week, from the day `start` on; all weeks begin on its weekday.

    `end` is the first day after the last week. Otherwise as `Daily`.
    """

    grain = "week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly(Windows):
    """One slice a month, from `start`, the first day of one. Otherwise as `Daily`."""

    grain = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Yearly(Windows):
    """One slice a year, from `start`, the first of January. Otherwise as `Daily`."""

    grain = "year"


def _whole_hours(zone: str, year: int) -> bool:
    """Whether clocks are changed by whole hours, as far as January and July of a year say."""
    offsets = [datetime(year, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    assert offsets[0] is not None
    assert offsets[1] is not None
    return (offsets[0] - offsets[1]) % timedelta(hours=1) == timedelta()


def _numbers(day: date) -> str:
    return f"{day.year}, {day.month}, {day.day}"
