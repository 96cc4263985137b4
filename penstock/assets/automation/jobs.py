"""Which datasets run together, told by what they are cut into, read and mask."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from penstock.assets.automation.made_of import landing_of, made_from, made_of
from penstock.assets.automation.slice_jobs import SliceJob, slice_jobs, sliced
from penstock.assets.inputs.snapshot import Snapshot
from penstock.assets.partitions.grain import local
from penstock.assets.partitions.windows import Daily

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.files import Landing

__all__ = ["DayJob", "Jobs", "jobs_of"]

NIGHTLY = "nightly"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayJob:
    """The datasets by day whose days are the same, what they read, and what is made of them.

    `arriving` is what landing has by day of them and of what they are made of, and which days that
    has. `lookbacks` are datasets that look back, and how far: a late day changes what they said of
    the days after it.
    """

    name: str
    datasets: tuple[str, ...]
    first: date
    after_last: date | None
    time_zone: str
    arriving: Mapping[Landing, tuple[Daily, ...]]
    lookbacks: Mapping[str, timedelta]

    def has(self, day: date, now: datetime) -> bool:
        """Whether there is a partition for the day at `now`: a day is one when it has ended."""
        ended = day < local(now, self.time_zone).date()
        return ended and self.first <= day and (self.after_last is None or day < self.after_last)

    def due(self, item: Landing, day: date) -> bool:
        """Whether a file of the day is to be expected."""
        return any(
            days.start <= day and (days.end is None or day < days.end)
            for days in self.arriving[item]
        )

    @property
    def farthest(self) -> timedelta:
        """How far back anything in it looks."""
        return max(self.lookbacks.values(), default=timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Every dataset without a schedule of its own is in one of these, by name.

    `by_slice` are those that are cut, but not into days alone.
    `whole` are those without days that are made of no dataset with days, and `arriving` what
    landing has of them; `unscheduled` tells whether some of them are in no job by day. `masked`
    are the masked copies without days, and what is made of these.
    """

    by_day: tuple[DayJob, ...]
    by_slice: tuple[SliceJob, ...]
    whole: tuple[str, ...]
    arriving: tuple[Landing, ...]
    unscheduled: bool
    masked: tuple[str, ...]


def jobs_of(datasets: Sequence[Dataset]) -> Jobs:
    """The jobs of the datasets. Those with a schedule of their own are left to it."""
    ours = {s.name: s for s in datasets if not (s.schedule.eager or s.schedule.cron)}
    undated = [spec for spec in ours.values() if spec.partitions is None]
    # one that takes files itself is no copy
    copies = [s.name for s in undated if s.masking and not landing_of([s])]
    masked = {n for n in made_of(copies, ours) if ours[n].partitions is None}
    days = defaultdict(list)
    every = {spec.name: spec for spec in datasets}
    of_slices = sliced(every)
    for spec in ours.values():
        if isinstance(spec.partitions, Daily) and spec.name not in of_slices:
            each = spec.partitions
            days[each.start, each.end, each.time_zone].append(spec.name)
    # what is made of days by way of other slices goes with those
    through = {n: s for n, s in ours.items() if n not in of_slices}
    by_day = []
    for (first, after_last, zone), names in sorted(days.items(), key=_range):
        after = {n for n in made_of(names, through) if n in names or _joins(ours[n], masked)}
        there = {n for n in made_from(after, ours) if n in names or _joins(ours[n], masked)}
        by_day.append(
            DayJob(
                name=f"{NIGHTLY}_{_word(first, after_last, zone)}" if len(days) > 1 else NIGHTLY,
                datasets=tuple(n for n in ours if n in there),
                first=first,
                after_last=after_last,
                time_zone=zone,
                arriving=_arriving(ours, made_from(names, ours)),
                lookbacks=_lookbacks(ours[n] for n in ours if n in there),
            )
        )
    by_day = _in_order(by_day, ours)
    nightly = {name for job in by_day for name in job.datasets}
    by_slice = slice_jobs(ours, of_slices, every, masked | nightly)
    cut = made_of([spec.name for spec in ours.values() if spec.partitions], ours)
    whole = tuple(s.name for s in undated if s.name not in cut and s.name not in masked)
    return Jobs(
        by_day=tuple(by_day),
        by_slice=by_slice,
        whole=whole,
        arriving=landing_of(ours[name] for name in whole),
        unscheduled=not nightly.issuperset(whole),
        masked=tuple(n for n in ours if n in masked),
    )


def _arriving(specs: Mapping[str, Dataset], names: set[str]) -> Mapping[Landing, tuple[Daily, ...]]:
    found: dict[Landing, tuple[Daily, ...]] = {}
    for name in specs:
        days = specs[name].partitions
        if isinstance(days, Daily) and name in names:
            for item in landing_of([specs[name]]):
                found[item] = (*found.get(item, ()), days)
    return found


def _in_order(jobs: list[DayJob], specs: Mapping[str, Dataset]) -> list[DayJob]:
    """The jobs, each after those whose days its own are made of; in a circle as they come."""
    own = {job.name: {n for n in job.datasets if specs[n].partitions} for job in jobs}
    sources = {name: made_from(names, specs) for name, names in own.items()}
    ordered: list[DayJob] = []
    left = list(jobs)
    while left:
        ready = [
            job
            for job in left
            if not any(other is not job and own[other.name] & sources[job.name] for other in left)
        ]
        ordered.append((ready or left)[0])
        left.remove(ordered[-1])
    return ordered


def _joins(spec: Dataset, masked: set[str]) -> bool:
    """Whether a job by day may have it, that is not one of its days: a job has days of one kind."""
    return spec.partitions is None and spec.name not in masked


def _lookbacks(specs: Iterable[Dataset]) -> Mapping[str, timedelta]:
    looks = {
        spec.name: max(
            (i.lookback for i in spec.inputs.values() if isinstance(i, Snapshot)),
            default=timedelta(),
        )
        for spec in specs
    }
    return {name: back for name, back in looks.items() if back}


def _range(item: tuple[tuple[date, date | None, str], object]) -> tuple[date, bool, date, str]:
    (first, after_last, zone), _ = item
    return first, after_last is not None, after_last or first, zone


def _word(first: date, after_last: date | None, zone: str) -> str:
    until = f"_{after_last:%Y%m%d}" if after_last else ""
    where = "" if zone == "UTC" else f"_{re.sub('[^a-z0-9]+', '_', zone.lower())}"
    return f"{first:%Y%m%d}{until}{where}"
