"""Which datasets run together, told by what they are cut into, read and mask."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from penstock.assets.dataset import Dataset
    from penstock.assets.slice import Daily

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
    arriving: Mapping[Landing, tuple[Daily, ...]]
    lookbacks: Mapping[str, timedelta]

    def has(self, day: date, now: datetime) -> bool:
        """Whether there is a partition for the day at `now`: a day is one when it has ended."""
        ended = day < now.astimezone(UTC).date()
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

    `whole` are those without days that are made of no dataset with days, and `arriving` what
    landing has of them; `unscheduled` tells whether some of them are in no job by day. `masked`
    are the masked copies without days, and what is made of these.
    """

    by_day: tuple[DayJob, ...]
    whole: tuple[str, ...]
    arriving: tuple[Landing, ...]
    unscheduled: bool
    masked: tuple[str, ...]


def jobs_of(datasets: Sequence[Dataset]) -> Jobs:
    """The jobs of the datasets. Those with a schedule of their own are left to it."""
    ours = {s.name: s for s in datasets if not (s.schedule.eager or s.schedule.cron)}
    undated = [spec for spec in ours.values() if spec.partitions is None]
    # one that takes files itself is no copy
    copies = [s.name for s in undated if s.masking and not _landing([s])]
    masked = {n for n in _made_of(copies, ours) if ours[n].partitions is None}
    days = defaultdict(list)
    for spec in ours.values():
        if spec.partitions is not None:
            days[spec.partitions.start, spec.partitions.end].append(spec.name)
    by_day = []
    for (first, after_last), names in sorted(days.items(), key=_range):
        after = {n for n in _made_of(names, ours) if n in names or _joins(ours[n], masked)}
        there = {n for n in _made_from(after, ours) if n in names or _joins(ours[n], masked)}
        by_day.append(
            DayJob(
                name=f"{NIGHTLY}_{_word(first, after_last)}"
                if days.keys() - {(first, after_last)}
                else NIGHTLY,
                datasets=tuple(n for n in ours if n in there),
                first=first,
                after_last=after_last,
                arriving=_arriving(ours, _made_from(names, ours)),
                lookbacks=_lookbacks(ours[n] for n in ours if n in there),
            )
        )
    by_day = _in_order(by_day, ours)
    dated = _made_of([n for names in days.values() for n in names], ours)
    whole = tuple(s.name for s in undated if s.name not in dated and s.name not in masked)
    nightly = {name for job in by_day for name in job.datasets}
    return Jobs(
        by_day=tuple(by_day),
        whole=whole,
        arriving=_landing(ours[name] for name in whole),
        unscheduled=not nightly.issuperset(whole),
        masked=tuple(n for n in ours if n in masked),
    )


def _arriving(specs: Mapping[str, Dataset], names: set[str]) -> Mapping[Landing, tuple[Daily, ...]]:
    found: dict[Landing, tuple[Daily, ...]] = {}
    for name in specs:
        days = specs[name].partitions
        if days is not None and name in names:
            for item in _landing([specs[name]]):
                found[item] = (*found.get(item, ()), days)
    return found


def _in_order(jobs: list[DayJob], specs: Mapping[str, Dataset]) -> list[DayJob]:
    """The jobs, each after those whose days its own are made of; in a circle as they come."""
    own = {job.name: {n for n in job.datasets if specs[n].partitions is not None} for job in jobs}
    sources = {name: _made_from(names, specs) for name, names in own.items()}
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


def _made_of(names: Iterable[str], specs: Mapping[str, Dataset]) -> set[str]:
    """The datasets and all that read them, through others too."""
    found = set(names)
    while more := {n for n, s in specs.items() if n not in found and found & set(s.upstream)}:
        found |= more
    return found


def _made_from(names: Iterable[str], specs: Mapping[str, Dataset]) -> set[str]:
    """The datasets and all that they read, through others too."""
    found = set(names)
    while more := {up for n in found for up in specs[n].upstream if up in specs} - found:
        found |= more
    return found


def _landing(specs: Iterable[Dataset]) -> tuple[Landing, ...]:
    found = (i for spec in specs for i in spec.inputs.values() if isinstance(i, Landing))
    return tuple(dict.fromkeys(found))


def _lookbacks(specs: Iterable[Dataset]) -> Mapping[str, timedelta]:
    looks = {
        spec.name: max(
            (i.lookback for i in spec.inputs.values() if isinstance(i, Snapshot)),
            default=timedelta(),
        )
        for spec in specs
    }
    return {name: back for name, back in looks.items() if back}


def _range(item: tuple[tuple[date, date | None], object]) -> tuple[date, bool, date]:
    (first, after_last), _ = item
    return first, after_last is not None, after_last or first


def _word(first: date, after_last: date | None) -> str:
    until = f"_{after_last:%Y%m%d}" if after_last else ""
    return f"{first:%Y%m%d}{until}"
