"""Which datasets run together, told by what they are cut into, read and mask."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.sliced_read import SlicedRead
from penstock.assets.inputs.snapshot import Snapshot
from penstock.assets.metadata import asset_key
from penstock.assets.partitions.dagster import partitions_of
from penstock.assets.partitions.grain import local
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.assets.partitions.windows import Daily

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from penstock.assets.dataset import Dataset
    from penstock.assets.partitions.grid import Partitions

__all__ = ["DayJob", "Jobs", "SliceJob", "jobs_of"]

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
class SliceJob:
    """Datasets whose slices are the same, made of each other, and what is made of them.

    `cut` are those that have slices, `read` what of the deployment they read.
    """

    name: str
    datasets: tuple[str, ...]
    cut: tuple[Dataset, ...]
    read: Mapping[str, Dataset]

    @property
    def partitions(self) -> Partitions:
        """What its datasets are cut into."""
        found = self.cut[0].partitions
        assert found is not None
        return found

    @property
    def landing(self) -> tuple[Landing, ...]:
        """What landing has of them."""
        return _landing(self.cut)

    @property
    def hourly(self) -> bool:
        """Whether there is a new slice each hour."""
        windows = windows_of(self.partitions)
        return windows is not None and windows.grain == "hour"


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
    copies = [s.name for s in undated if s.masking and not _landing([s])]
    masked = {n for n in _made_of(copies, ours) if ours[n].partitions is None}
    days = defaultdict(list)
    every = {spec.name: spec for spec in datasets}
    sliced = _sliced(every)
    for spec in ours.values():
        if isinstance(spec.partitions, Daily) and spec.name not in sliced:
            each = spec.partitions
            days[each.start, each.end, each.time_zone].append(spec.name)
    # what is made of days by way of other slices goes with those
    through = {n: s for n, s in ours.items() if n not in sliced}
    by_day = []
    for (first, after_last, zone), names in sorted(days.items(), key=_range):
        after = {n for n in _made_of(names, through) if n in names or _joins(ours[n], masked)}
        there = {n for n in _made_from(after, ours) if n in names or _joins(ours[n], masked)}
        by_day.append(
            DayJob(
                name=f"{NIGHTLY}_{_word(first, after_last, zone)}" if len(days) > 1 else NIGHTLY,
                datasets=tuple(n for n in ours if n in there),
                first=first,
                after_last=after_last,
                time_zone=zone,
                arriving=_arriving(ours, _made_from(names, ours)),
                lookbacks=_lookbacks(ours[n] for n in ours if n in there),
            )
        )
    by_day = _in_order(by_day, ours)
    nightly = {name for job in by_day for name in job.datasets}
    by_slice = _by_slice(ours, sliced, every, masked | nightly)
    cut = _made_of([spec.name for spec in ours.values() if spec.partitions], ours)
    whole = tuple(s.name for s in undated if s.name not in cut and s.name not in masked)
    return Jobs(
        by_day=tuple(by_day),
        by_slice=by_slice,
        whole=whole,
        arriving=_landing(ours[name] for name in whole),
        unscheduled=not nightly.issuperset(whole),
        masked=tuple(n for n in ours if n in masked),
    )


def _sliced(specs: Mapping[str, Dataset]) -> set[str]:
    """Those that are cut, but not into days, and those of days that are made of other slices.

    These are slices of such datasets, or days of another time zone.
    """
    found = {n for n, s in specs.items() if s.partitions and not isinstance(s.partitions, Daily)}

    def is_sliced(spec: Dataset, item: object) -> bool:
        source = specs.get(item.dataset) if isinstance(item, Snapshot) and item.cut_by else None
        ours, theirs = (
            windows_of(spec.partitions),
            windows_of(source.partitions if source else None),
        )
        if source is None or ours is None:
            return False
        return source.name in found or (theirs is not None and ours.time_zone != theirs.time_zone)

    while more := {
        name
        for name, spec in specs.items()
        if name not in found and spec.partitions
        if any(is_sliced(spec, item) for item in spec.inputs.values())
    }:
        found |= more
    return found


def _by_slice(
    ours: Mapping[str, Dataset], sliced: set[str], specs: Mapping[str, Dataset], taken: set[str]
) -> tuple[SliceJob, ...]:
    """A job for the datasets that are cut alike and made of each other, slice by slice.

    What is made of several of these is in each.
    """
    groups: dict[tuple[str, str], list[Dataset]] = defaultdict(list)
    joined = _joined([s for s in ours.values() if s.partitions and s.name in sliced], specs)
    for name, first in joined.items():
        partitions = ours[name].partitions
        assert partitions is not None
        groups[_name(partitions), first].append(ours[name])
    jobs: list[SliceJob] = []
    for (base, first), cut in groups.items():
        names = {spec.name for spec in cut}
        later = {n for n in _made_of(names, ours) if ours[n].partitions is None and n not in taken}
        jobs.append(
            SliceJob(
                # also where it is the only one: a schedule that gets another name is off
                name=f"{base}_{'__'.join(asset_key(first).path)}",
                datasets=tuple(n for n in ours if n in names | later),
                cut=tuple(cut),
                read={n: specs[n] for spec in cut for n in spec.upstream if n in specs},
            )
        )
    return tuple(jobs)


def _joined(specs: Sequence[Dataset], every: Mapping[str, Dataset]) -> Mapping[str, str]:
    """Of each dataset the first of those that it is to be run with: made of, slice by slice."""
    first = {spec.name: spec.name for spec in specs}
    known = {spec.name: spec for spec in specs}
    alone: set[str] = set()
    for spec in specs:
        for item in spec.inputs.values():
            source = known.get(item.dataset)
            if (
                source is not None
                and isinstance(item, Snapshot)
                and SlicedRead(item, source).is_same(spec)
                and repr(partitions_of(spec.partitions)) == repr(partitions_of(source.partitions))
            ):
                one, other = sorted((first[spec.name], first[source.name]), key=list(first).index)
                first = {name: one if of == other else of for name, of in first.items()}
    for one in {*first.values()}:
        group = {name for name, of in first.items() if of == one}
        if any(_comes_back(every[name], group, every) for name in group):
            alone |= group  # as one they would wait for themselves
    return {name: name if name in alone else of for name, of in first.items()}


def _comes_back(spec: Dataset, group: set[str], every: Mapping[str, Dataset]) -> bool:
    """Whether it reads other slices of the group, or the group by way of others."""
    for item in spec.inputs.values():
        source = every.get(item.dataset)
        if source is None or source.name == spec.name:
            continue
        if source.name in group:
            cut = isinstance(item, Snapshot) and item.cut_by
            if cut and not SlicedRead(item, source).is_same(spec):  # type: ignore[arg-type]
                return True
        elif _made_from([source.name], every) & group:
            return True
    return False


def _name(partitions: Partitions) -> str:
    windows, values = windows_of(partitions), values_of(partitions)
    return "_".join(
        [*([windows.adverb] if windows else []), *([f"by_{values.column}"] if values else [])]
    )


def _arriving(specs: Mapping[str, Dataset], names: set[str]) -> Mapping[Landing, tuple[Daily, ...]]:
    found: dict[Landing, tuple[Daily, ...]] = {}
    for name in specs:
        days = specs[name].partitions
        if isinstance(days, Daily) and name in names:
            for item in _landing([specs[name]]):
                found[item] = (*found.get(item, ()), days)
    return found


def _in_order(jobs: list[DayJob], specs: Mapping[str, Dataset]) -> list[DayJob]:
    """The jobs, each after those whose days its own are made of; in a circle as they come."""
    own = {job.name: {n for n in job.datasets if specs[n].partitions} for job in jobs}
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


def _range(item: tuple[tuple[date, date | None, str], object]) -> tuple[date, bool, date, str]:
    (first, after_last, zone), _ = item
    return first, after_last is not None, after_last or first, zone


def _word(first: date, after_last: date | None, zone: str) -> str:
    until = f"_{after_last:%Y%m%d}" if after_last else ""
    where = "" if zone == "UTC" else f"_{re.sub('[^a-z0-9]+', '_', zone.lower())}"
    return f"{first:%Y%m%d}{until}{where}"
