"""What slices are made of, and whether that is there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dagster as dg

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
from penstock.assets.partitions.values import Dynamic, Static

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from penstock.assets.automation.slice_jobs import SliceJob
    from penstock.assets.dataset import Dataset
    from penstock.assets.landing.slice_files import BySaid
    from penstock.assets.slice import Slice
    from penstock.resources.lake import LandingFile

    Files = Mapping[Landing, Sequence[LandingFile]]

__all__ = ["LandedFiles", "Needs", "values_in"]

_WINDOWS = 3  # the last ones are made again with what does not say of which windows it is


@dataclass(frozen=True, slots=True)
class _Need:
    """When what a slice is made of was made, as numbers that grow; its files; what it waits for."""

    made: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    written: datetime | None = None
    waits: str | None = None


class Needs:
    """What slices of a dataset are made of."""

    def __init__(
        self,
        spec: Dataset,
        job: SliceJob,
        instance: dg.DagsterInstance,
        files: LandedFiles,
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


class LandedFiles:
    """Files by what their names say: thousands of slices ask for theirs."""

    def __init__(self, files: Files) -> None:
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


def values_in(files: Files, column: str) -> set[str]:
    """What names of files say of the column."""
    return {
        values[column]
        for item, found in files.items()
        if column in item.files.placeholders
        for file in found
        if (values := meant(item.files, file.name))
    }


def _made(
    instance: dg.DagsterInstance, spec: Dataset, what: dg.DagsterEventType
) -> Mapping[str, int]:
    """When that was last of each slice, as a number that grows."""
    if spec.partitions is None:
        return {}
    found = instance.event_log_storage.get_latest_storage_id_by_partition
    return found(asset_key(spec.name), what)
