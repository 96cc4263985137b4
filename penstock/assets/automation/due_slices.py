"""Which slices are to be made now: those that have ended, whose inputs are there, and are not yet.

What a slice is made of is known as everywhere: of a dataset that is cut the slices that share rows
with it, of landing the files whose names say so. A slice waits until all of that is there, and is
made again when one of those slices was, or one of those files is another. What was asked for is
known by the tag `LANDED` of its run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from penstock.assets.automation.arrivals import settled
from penstock.assets.automation.requests import LANDED, landed_slice
from penstock.assets.inputs.external import External
from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.query import Query
from penstock.assets.inputs.snapshot import Snapshot
from penstock.assets.landing.file_pattern import DAY
from penstock.assets.landing.slice_files import SliceFiles, by_said, meant, slice_files
from penstock.assets.metadata import asset_key
from penstock.assets.partitions.dagster import keys_of, slice_of
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

__all__ = ["AT_ONCE", "ReadySlice", "due_slices", "misnamed", "new_values", "ready_slices"]

AT_ONCE = 100  # runs that are asked for in one go; the others are in the next one
_LATELY = timedelta(days=35)  # files that are older are not asked again whether a run took them
_FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySlice:
    """A slice that has ended and can be made.

    `state` says of what: of other files, or slices that were made again, it is another. `stale`:
    it was not made yet, or began to be before one of those was that it is made of. `lately`: one of
    its files has arrived in the last weeks.
    """

    key: str
    state: str
    stale: bool
    lately: bool


def due_slices(
    job: SliceJob, instance: dg.DagsterInstance, ready: Iterable[ReadySlice], *, again: bool
) -> list[ReadySlice]:
    """Those of which no run was asked for, the first ones; behind them, `again`, failed ones."""
    fresh: list[ReadySlice] = []
    failed: list[ReadySlice] = []
    for each in ready:
        if not (each.stale or each.lately):
            continue
        asked = dg.RunsFilter(tags={LANDED: landed_slice(job, each)})
        runs = instance.get_runs(asked, limit=1)
        if not runs:
            fresh.append(each)
        elif again and runs[0].status in _FAILED:
            failed.append(each)
        if len(fresh) == AT_ONCE:
            break
    return [*fresh, *failed[: AT_ONCE - len(fresh)]]


def ready_slices(
    job: SliceJob, instance: dg.DagsterInstance, files: _Files, *, now: datetime, night: str = ""
) -> Iterator[ReadySlice]:
    """The slices of the job for which all is there, oldest first.

    With the name of a `night`, slices of all times of what tells nothing of its changes, such as a
    database, are to be made in it.
    """
    there = _Landed({item: settled(found, now=now) for item, found in files.items()})
    needs = [_Needs(spec, job, instance, there) for spec in job.cut]
    for slice_ in _slices(job, instance, there, now):
        (key,) = keys_of(job.partitions, slice_)
        found = [each.of(slice_) for each in needs]
        whole = [each for each in found if each is not None]
        if len(whole) < len(found):
            continue
        newest = max((made for each in whole for made in each.made), default=0)
        state = [newest, sorted(name for each in whole for name in each.files)]
        blind = bool(night) and slice_.start is None and any(each.blind for each in needs)
        state += [night] if blind else []
        own = [each.own.get(key) for each in needs]
        yield ReadySlice(
            key=key,
            state=hashlib.sha256(repr(state).encode()).hexdigest()[:16],
            stale=blind or any(mine is None or mine < newest for mine in own),
            lately=any(each.written > now - _LATELY for each in whole if each.written),
        )


@dataclass(frozen=True, slots=True)
class _Need:
    """When what a slice is made of was made, as numbers that grow; and its files."""

    made: list[int]
    files: list[str]
    written: datetime | None


class _Needs:
    """What slices of a dataset are made of."""

    def __init__(
        self, spec: Dataset, job: SliceJob, instance: dg.DagsterInstance, files: _Landed
    ) -> None:
        self._spec, self._files = spec, files
        self.own = _begun(instance, spec)
        names = {other.name for other in job.cut}
        inputs = [*spec.inputs.values()]
        self._landing = [item for item in inputs if isinstance(item, Landing)]
        self._read = [
            (item, _Source(job.read[item.dataset], instance))
            for item in inputs
            if isinstance(item, Snapshot) and item.dataset in job.read and item.dataset not in names
        ]
        self.blind = any(isinstance(item, Query | External) for item in inputs)

    def of(self, slice_: Slice) -> _Need | None:
        """What the slice is made of; None where some is not there."""
        made: list[int] = []
        found: list[LandingFile] = []
        for item in self._landing:
            for part in slice_files(item.files, slice_, self._spec.partitions):
                some = self._files.of(item, part)
                if not some:
                    return None
                found += some
        for read, source in self._read:
            if not source.cut or not read.cut_by:
                # what is read whole is new each night, and of a window it was as it was
                made += [source.newest] if slice_.start is None else []
                continue
            needed = source.keys(slice_)
            if read.gaps == "refuse" and any(key not in source.made for key in needed):
                return None
            back = source.keys(slice_.widened(read.lookback)) if read.lookback else needed
            made += [source.made[key] for key in back if key in source.made]
        return _Need(
            made,
            [f"{file.name} {file.bytes} {file.modified.isoformat()}" for file in found],
            max((file.modified for file in found), default=None),
        )


class _Source:
    """A dataset that is read, and when its slices were made last."""

    def __init__(self, spec: Dataset, instance: dg.DagsterInstance) -> None:
        self._partitions = spec.partitions
        self.cut = spec.partitions is not None
        self.made = _made(instance, spec, dg.DagsterEventType.ASSET_MATERIALIZATION)
        records = instance.fetch_materializations(asset_key(spec.name), limit=1).records
        self.newest = records[0].storage_id if records else 0

    def keys(self, slice_: Slice) -> Sequence[str]:
        """Its slices that share rows with it; of all times those that were made."""
        partitions = self._partitions
        assert partitions is not None
        if slice_.start is None and windows_of(partitions) is not None:
            made = ((key, slice_of(partitions, [key])) for key in self.made)
            return [key for key, part in made if part.overlaps(slice_)]
        covering = partitions.covering(slice_)
        return keys_of(partitions, covering) if covering else ()


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


def _begun(instance: dg.DagsterInstance, spec: Dataset) -> Mapping[str, int]:
    """When the run began that made each slice last: what was made since then it has not read.

    Where no run of Dagster made it, or one that failed came later, when it was made.
    """
    made = _made(instance, spec, dg.DagsterEventType.ASSET_MATERIALIZATION)
    planned = _made(instance, spec, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    return {key: min(at, planned.get(key, at)) for key, at in made.items()}


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
        if not all(files.has(item, window) for item in job.landing):
            continue
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
