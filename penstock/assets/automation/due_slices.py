"""Which slices are to be made now: those that have ended, whose inputs are there, and are not yet.

What a slice is made of is known as everywhere: of a dataset that is cut the slices that share rows
with it, of landing the files whose names say so. A slice waits until all of that is there, and is
made again when one of those slices was, or one of those files is another. What was asked for is
known by the tag `LANDED` of its run.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from penstock.assets.automation.arrivals import settled
from penstock.assets.automation.requests import LANDED, landed_slice
from penstock.assets.inputs.external import External
from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.query import Query
from penstock.assets.inputs.sliced_read import SlicedRead
from penstock.assets.inputs.snapshot import Snapshot
from penstock.assets.landing.file_pattern import DAY
from penstock.assets.landing.slice_files import SliceFiles, by_said, meant, slice_files
from penstock.assets.metadata import asset_key
from penstock.assets.partitions.dagster import keys_of, slices_of
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.assets.partitions.values import Dynamic, Static, can_be_called
from penstock.assets.slice import WHOLE, Slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from penstock.assets.automation.jobs import SliceJob
    from penstock.assets.dataset import Dataset
    from penstock.assets.landing.slice_files import BySaid
    from penstock.resources.lake import LandingFile

    _Files = Mapping[Landing, Sequence[LandingFile]]

__all__ = ["AT_ONCE", "Due", "ReadySlice", "due_slices", "misnamed", "new_values", "ready_slices"]

AT_ONCE = 1000  # runs that are asked for in one go; the others are in the next one
_AGAIN = 100  # of these for slices whose run failed
_LATELY = timedelta(days=35)  # files that are older are not asked again whether a run took them
_WINDOWS = 3  # the last ones are made again with what does not say of which windows it is
_FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySlice:
    """A slice that has ended, and what it waits for; None when it can be made.

    `state` says of what: of other files, or slices that were made again, it is another. `stale`:
    it was not made yet, or began to be before one of those was that it is made of. `lately`: one of
    its files has arrived in the last weeks. As numbers that grow, `made` is when it was made last,
    and `tried` when a run was begun that has not made it; 0 where that never was.
    """

    key: str
    waits: str | None = None
    state: str = ""
    stale: bool = False
    lately: bool = False
    made: int = 0
    tried: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """Slices to be made now, those that were never made first; and how many wait for what."""

    slices: tuple[ReadySlice, ...]
    waiting: int
    first: ReadySlice | None

    @property
    def words(self) -> str:
        """What waits, in a sentence; empty where nothing does."""
        if self.first is None:
            return ""
        return f" {self.waiting} wait, such as {self.first.key} for {self.first.waits}."


def due_slices(
    job: SliceJob, instance: dg.DagsterInstance, ready: Iterable[ReadySlice], *, again: bool
) -> Due:
    """Those of which no run was asked for; with `again`, behind them, some whose run failed."""
    tags = instance.get_run_tags(tag_keys=[LANDED], value_prefix=job.name)
    asked = {said for _, values in tags for said in values}
    looked = [*ready]
    fresh: list[ReadySlice] = []
    tried: list[ReadySlice] = []
    for each in looked:
        known = landed_slice(job, each) in asked
        if not each.waits and not known and (each.stale or each.lately):
            fresh.append(each)
        elif known and (each.tried or each.stale):
            tried.append(each)
    failed: list[ReadySlice] = []
    for each in sorted(tried, key=lambda each: each.tried) if again else []:
        runs = instance.get_runs(dg.RunsFilter(tags={LANDED: landed_slice(job, each)}), limit=1)
        failed += [each] if runs and runs[0].status in _FAILED else []
        if len(failed) == _AGAIN:
            break
    fresh.sort(key=lambda each: each.made)  # in the order of time where none was made
    waiting = [each for each in looked if each.waits]
    return Due(
        slices=(*fresh[: AT_ONCE - len(failed)], *failed),
        waiting=len(waiting),
        first=waiting[0] if waiting else None,
    )


def ready_slices(
    job: SliceJob, instance: dg.DagsterInstance, files: _Files, *, now: datetime, night: str = ""
) -> Iterator[ReadySlice]:
    """The slices of the job that have ended, oldest first.

    With the name of a `night`, slices of all times of what tells nothing of its changes, such as a
    database, are to be made in it.
    """
    there = _Landed({item: settled(found, now=now) for item, found in files.items()})
    needs = [_Needs(spec, job, instance, there, now) for spec in job.cut]
    for slice_ in _slices(job, instance, there, now):
        (key,) = keys_of(job.partitions, slice_)
        found = [each.of(slice_) for each in needs]
        if waits := next((each.waits for each in found if each.waits), None):
            yield ReadySlice(key=key, waits=waits)
            continue
        newest = max((made for each in found for made in each.made), default=0)
        state = [newest, sorted(name for each in found for name in each.files)]
        blind = bool(night) and slice_.start is None and any(each.blind for each in needs)
        state += [night] if blind else []
        own = [each.own.get(key) for each in needs]
        yield ReadySlice(
            key=key,
            state=hashlib.sha256(repr(state).encode()).hexdigest()[:16],
            stale=blind or any(mine is None or mine < newest for mine in own),
            lately=any(each.written > now - _LATELY for each in found if each.written),
            made=min(mine or 0 for mine in own),
            tried=max(each.tried.get(key, 0) for each in needs),
        )


@dataclass(frozen=True, slots=True)
class _Need:
    """When what a slice is made of was made, as numbers that grow; its files; what it waits for."""

    made: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    written: datetime | None = None
    waits: str | None = None


class _Needs:
    """What slices of a dataset are made of."""

    def __init__(
        self,
        spec: Dataset,
        job: SliceJob,
        instance: dg.DagsterInstance,
        files: _Landed,
        now: datetime,
    ) -> None:
        self._spec, self._files = spec, files
        windows = windows_of(spec.partitions)
        # of these what is read that tells no windows may have brought rows of late
        self._last = windows.back(now, _WINDOWS) if windows else now
        self.own = _made(instance, spec, dg.DagsterEventType.ASSET_MATERIALIZATION)
        planned = _made(instance, spec, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
        # of a run that is under way, or has failed
        self.tried = {key: at for key, at in planned.items() if at > self.own.get(key, 0)}
        # what was made after a run began it has not read
        self.own = {key: min(at, planned.get(key, at)) for key, at in self.own.items()}
        names = {other.name for other in job.cut}
        inputs = [*spec.inputs.values()]
        self._landing = [item for item in inputs if isinstance(item, Landing)]
        self._read = [
            _Source(SlicedRead(item, job.read[item.dataset]), instance)
            for item in inputs
            if isinstance(item, Snapshot) and item.dataset in job.read and item.dataset not in names
        ]
        self.blind = any(isinstance(item, Query | External) for item in inputs)

    def of(self, slice_: Slice) -> _Need:
        """What the slice is made of, or waits for."""
        made: list[int] = []
        found: list[LandingFile] = []
        for item in self._landing:
            for part in slice_files(item.files, slice_, self._spec.partitions):
                some = self._files.of(item, part)
                if not some:
                    return _Need(waits=f"a file of {part.key} in {item.pattern}")
                found += some
        for source in self._read:
            some_made, waits = source.of(slice_, self._last)
            if waits:
                return _Need(waits=waits)
            made += some_made
        return _Need(
            made,
            [f"{file.name} {file.bytes} {file.modified.isoformat()}" for file in found],
            max((file.modified for file in found), default=None),
        )


class _Source:
    """A dataset that is read, and when its slices were made last."""

    def __init__(self, read: SlicedRead, instance: dg.DagsterInstance) -> None:
        self._read, spec = read, read.source
        self._name, self._partitions = spec.name, spec.partitions
        self._made = _made(instance, spec, dg.DagsterEventType.ASSET_MATERIALIZATION)
        records = instance.fetch_materializations(asset_key(spec.name), limit=1).records
        self._newest = records[0].storage_id if records else 0
        self._newest_at = records[0].timestamp if records else 0.0
        self._by_value: dict[str, list[str]] = defaultdict(list)
        self._by_start: dict[datetime | None, list[str]] = defaultdict(list)
        known = slices_of(spec.partitions, self._made) if spec.partitions else {}
        for key, one in known.items():
            self._by_start[one.start].append(key)
            for value in one.values:
                self._by_value[value].append(key)
        columns = {column.name: column.type for column in spec.model.columns}
        self._timed = any(columns.get(by) in ("date", "timestamp") for by in read.item.cut_by)

    def of(self, slice_: Slice, last: datetime) -> tuple[list[int], str | None]:
        """(When what the slice reads of it was made, what is missing)."""
        read, part = self._read, self._read.part(slice_)
        if slice_.start is not None and self._timed and not read.by_time:
            return self._of_window(slice_, last)
        if slice_.start is not None and not self._timed:
            # what is read whole or by value alone is as it is when a window is made
            missing = [v for v in part.values if v not in self._by_value] if read.by_value else []
            missing = [value for value in missing if self._is_to_have(value)]
            return [], f"{missing[0]} of {self._name}" if missing and self._waits else None
        if not (read.by_time or read.by_value):
            return [self._newest], None
        needed = self._needed(part)
        if needed is None:  # all times, or values that are not known: of these what was made
            made = [self._made[key] for key in self._there(part.widened(read.item.lookback))]
            some = made or not self._waits or not any(map(self._is_to_have, part.values or ("",)))
            return made, None if some else f"any of {part.key} of {self._name}"
        missing_key = next((key for key in needed if key not in self._made), None)
        if missing_key is not None and self._waits:
            return [], f"{missing_key} of {self._name}"
        back = self._needed(part.widened(read.item.lookback)) or needed
        return [self._made[key] for key in back if key in self._made], None

    @property
    def _waits(self) -> bool:
        return self._read.item.gaps == "refuse"

    def _is_to_have(self, value: str) -> bool:
        """Whether it is a value that the table can be made for, as far as that is known."""
        values = values_of(self._partitions)
        return not isinstance(values, Static) or not value or value in values.values

    def _of_window(self, slice_: Slice, last: datetime) -> tuple[list[int], str | None]:
        """Of a table that is not cut by that time: it is there when it was made after the window.

        Where it is cut by another, the windows of the same time are there, too. What it has of
        windows before the last ones is taken to change no more.
        """
        assert slice_.end is not None
        needed = self._needed(slice_.of_times()) if windows_of(self._partitions) else ()
        missing = next((key for key in needed or () if key not in self._made), None)
        if missing is not None and self._waits:
            return [], f"{missing} of {self._name}"
        if self._newest_at < slice_.end.timestamp() and self._waits:
            return [], f"a run of {self._name} after it"
        return ([self._newest] if slice_.end > last else []), None

    def _needed(self, part: Slice) -> Sequence[str] | None:
        """Its slices that are read; None where nobody knows which there are to be."""
        partitions = self._partitions
        assert partitions is not None
        times = windows_of(partitions) is not None and part.start is None
        unknown = isinstance(values_of(partitions), Dynamic) and not part.values
        if times or unknown:
            return None
        covering = partitions.covering(part)
        return keys_of(partitions, covering) if covering else ()

    def _there(self, part: Slice) -> Iterator[str]:
        """Its slices that were made and share rows with the part."""
        windows = windows_of(self._partitions)
        if windows is None or part.start is None:
            for value in part.values or [*self._by_value]:
                yield from self._by_value.get(value, ())
            return
        covering = windows.covering(part)
        for start in covering.windows() if covering else ():
            yield from self._by_start.get(start, ())


class _Landed:
    """Files by what their names say: thousands of slices ask for theirs."""

    def __init__(self, files: _Files) -> None:
        self.files = files
        self._known: dict[tuple[Landing, tuple[str, ...]], BySaid] = {}

    def of(self, item: Landing, part: SliceFiles) -> Sequence[LandingFile]:
        """The files of the part that are there."""
        said = {**({DAY: str(part.day)} if part.day else {}), **part.said}
        names = tuple(said)
        if (item, names) not in self._known:
            self._known[item, names] = by_said(item.files, self.files.get(item, ()), names)
        return self._known[item, names].get(tuple(said.values()), ())

    def has(self, item: Landing, window: Slice) -> bool:
        """Whether there is a file of each part of the window, of whatever value."""
        return all(self.of(item, part) for part in slice_files(item.files, window, None))


def new_values(job: SliceJob, instance: dg.DagsterInstance, files: _Files) -> set[str]:
    """Values that names of files have and Dagster does not know, of what is not known before."""
    values = values_of(job.partitions)
    if not isinstance(values, Dynamic):
        return set()
    found = filter(can_be_called, _values_in(files, values.column))
    return {*found} - {*instance.get_dynamic_partitions(values.name)}


def misnamed(job: SliceJob, files: _Files) -> int:
    """How many values names of files have of which no slice can be called."""
    values = values_of(job.partitions)
    found = _values_in(files, values.column) if isinstance(values, Dynamic) else ()
    return sum(not can_be_called(value) for value in found)


def _made(
    instance: dg.DagsterInstance, spec: Dataset, what: dg.DagsterEventType
) -> Mapping[str, int]:
    """When that was last of each slice, as a number that grows."""
    if spec.partitions is None:
        return {}
    found = instance.event_log_storage.get_latest_storage_id_by_partition
    return found(asset_key(spec.name), what)


def _slices(
    job: SliceJob, instance: dg.DagsterInstance, files: _Landed, now: datetime
) -> Iterator[Slice]:
    windows, values = windows_of(job.partitions), values_of(job.partitions)
    of: list[tuple[str, ...]] = [()]
    if isinstance(values, Static):
        of = [(value,) for value in values.values]
    elif isinstance(values, Dynamic):
        known = instance.get_dynamic_partitions(values.name)
        found = filter(can_be_called, _values_in(files.files, values.column))
        of = [(value,) for value in sorted({*known, *found})]
    for window in windows.ended(now) if windows else [WHOLE]:
        if not all(files.has(item, window) for item in job.landing) and len(of) > 1:
            continue  # of no value is there a file
        for each in of:
            yield Slice(
                start=window.start,
                end=window.end,
                zone=window.zone,
                grain=window.grain,
                values=each,
            )


def _values_in(files: _Files, column: str) -> set[str]:
    return {
        values[column]
        for item, found in files.items()
        if column in item.files.placeholders
        for file in found
        if (values := meant(item.files, file.name))
    }
