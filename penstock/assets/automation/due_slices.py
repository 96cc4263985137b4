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
_LATELY = timedelta(days=35)  # what is older is not asked again whether a run took it
_FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySlice:
    """A slice that has ended, and what it waits for; None when it can be made.

    `state` says of what: of other files, or slices that were made again, it is another. `stale`:
    it was not made yet, or began to be before one of those was that it is made of, or its last run
    did not make it. `lately`: one of its files has arrived in the last weeks. `made` is when it was
    made last, as a number that grows.
    """

    key: str
    waits: str | None = None
    state: str = ""
    stale: bool = False
    lately: bool = False
    made: int = 0


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
    prefix = landed_slice(job, ReadySlice(key=""))[:-1]
    tags = instance.get_run_tags(tag_keys=[LANDED], value_prefix=prefix.rstrip(":"))
    asked = {said for _, values in tags for said in values}
    fresh: list[ReadySlice] = []
    tried: list[ReadySlice] = []
    waiting = [each for each in ready if each.waits or each.stale or each.lately]
    for each in [each for each in waiting if not each.waits]:
        (tried if landed_slice(job, each) in asked else fresh).append(each)
    failed: list[ReadySlice] = []
    for each in tried if again else []:
        runs = instance.get_runs(dg.RunsFilter(tags={LANDED: landed_slice(job, each)}), limit=1)
        failed += [each] if runs and runs[0].status in _FAILED else []
        if len(failed) == _AGAIN:
            break
    fresh.sort(key=lambda each: each.made)  # in the order of time where none was made
    waiting = [each for each in waiting if each.waits]
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
            stale=blind
            or any(key in each.tried for each in needs)
            or any(mine is None or mine < newest for mine in own),
            lately=any(each.written > now - _LATELY for each in found if each.written),
            made=min(mine or 0 for mine in own),
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
        self._spec, self._files, self._now = spec, files, now
        self.own = _made(instance, spec, dg.DagsterEventType.ASSET_MATERIALIZATION)
        planned = _made(instance, spec, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
        # a run that is under way, or has failed; it may have been told to make slices anew
        self.tried = {key for key, at in planned.items() if at > self.own.get(key, 0)}
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
            some_made, waits = source.of(slice_, self._now)
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
        self._by_value: dict[str, list[tuple[Slice, str]]] | None = None

    def of(self, slice_: Slice, now: datetime) -> tuple[list[int], str | None]:
        """(When what the slice reads of it was made, what is missing)."""
        read, partitions = self._read, self._partitions
        if slice_.start is not None and not (read.by_time and partitions):
            return self._of_window(slice_, now)
        if partitions is None or not (read.by_time or read.by_value):
            return [self._newest], None
        part = read.part(slice_)
        needed = self._covering(part)
        if needed is None:  # all times, or values that are not known: of these what was made
            made = [self._made[key] for key in self._overlapping(part)]
            return made, None if made else f"any of {part.key} of {self._name}"
        missing = next((key for key in needed if key not in self._made), None)
        if missing is not None and read.item.gaps == "refuse":
            return [], f"{missing} of {self._name}"
        back = self._covering(part.widened(read.item.lookback)) or needed
        return [self._made[key] for key in back if key in self._made], None

    def _of_window(self, slice_: Slice, now: datetime) -> tuple[list[int], str | None]:
        """Of a table that is not cut by that time: it is there when it was made after the window.

        What it has of older windows is taken to change no more.
        """
        assert slice_.end is not None
        if not self._read.item.cut_by:
            return [], None
        if self._newest_at < slice_.end.timestamp() and self._read.item.gaps == "refuse":
            return [], f"a run of {self._name} after it"
        return ([self._newest] if slice_.end > now - _LATELY else []), None

    def _covering(self, part: Slice) -> Sequence[str] | None:
        """Its slices that are read; None where nobody knows which there are to be."""
        partitions = self._partitions
        assert partitions is not None
        times = windows_of(partitions) is not None and part.start is None
        unknown = isinstance(values_of(partitions), Dynamic) and not part.values
        if times or unknown:
            return None
        covering = partitions.covering(part)
        return keys_of(partitions, covering) if covering else ()

    def _overlapping(self, part: Slice) -> Iterator[str]:
        """Its slices that were made and share rows with the part."""
        if self._by_value is None:
            assert self._partitions is not None
            self._by_value = defaultdict(list)
            for key, one in slices_of(self._partitions, self._made).items():
                for value in one.values or ("",):
                    self._by_value[value].append((one, key))
        for value in part.values or [*self._by_value]:
            for one, key in self._by_value.get(value, ()):
                if one.overlaps(part):
                    yield key


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
