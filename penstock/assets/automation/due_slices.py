"""Which slices are to be made now: those that have ended, whose inputs are there, and are not yet.

What a slice is made of is known as everywhere: of a dataset that is cut the slices that share rows
with it, of landing the files whose names say so. A slice waits until all of that is there, and is
made again when one of those slices was, or one of those files is another. What was asked for is
known by the tag `LANDED` of its run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from penstock.assets.automation.arrivals import settled
from penstock.assets.automation.requests import LANDED, landed_slice
from penstock.assets.automation.slice_needs import LandedFiles, Needs, values_in
from penstock.assets.partitions.dagster import keys_of
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.assets.partitions.values import Dynamic, Static, can_be_called
from penstock.assets.slice import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from penstock.assets.automation.slice_jobs import SliceJob
    from penstock.assets.automation.slice_needs import Files
    from penstock.assets.slice import Slice

__all__ = ["AT_ONCE", "Due", "ReadySlice", "due_slices", "misnamed", "new_values", "ready_slices"]

AT_ONCE = 1000  # runs that are asked for in one go; the others are in the next one
_AGAIN = 100  # of these for slices whose run failed
_LATELY = timedelta(days=35)  # files that are older are not asked again whether a run took them
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
    job: SliceJob, instance: dg.DagsterInstance, files: Files, *, now: datetime, night: str = ""
) -> Iterator[ReadySlice]:
    """The slices of the job that have ended, oldest first.

    With the name of a `night`, slices of all times of what tells nothing of its changes, such as a
    database, are to be made in it.
    """
    there = LandedFiles({item: settled(found, now=now) for item, found in files.items()})
    needs = [Needs(spec, job, instance, there, now) for spec in job.cut]
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


def new_values(job: SliceJob, instance: dg.DagsterInstance, files: Files) -> set[str]:
    """Values that names of files have and Dagster does not know, of what is not known before."""
    values = values_of(job.partitions)
    if not isinstance(values, Dynamic):
        return set()
    found = filter(can_be_called, values_in(files, values.column))
    return {*found} - {*instance.get_dynamic_partitions(values.name)}


def misnamed(job: SliceJob, files: Files) -> int:
    """How many values names of files have of which no slice can be called."""
    values = values_of(job.partitions)
    found = values_in(files, values.column) if isinstance(values, Dynamic) else ()
    return sum(not can_be_called(value) for value in found)


def _slices(
    job: SliceJob, instance: dg.DagsterInstance, files: LandedFiles, now: datetime
) -> Iterator[Slice]:
    windows, values = windows_of(job.partitions), values_of(job.partitions)
    of: list[tuple[str, ...]] = [()]
    if isinstance(values, Static):
        of = [(value,) for value in values.values]
    elif isinstance(values, Dynamic):
        known = instance.get_dynamic_partitions(values.name)
        found = filter(can_be_called, values_in(files.files, values.column))
        of = [(value,) for value in sorted({*known, *found})]
    for window in windows.ended(now) if windows else [WHOLE]:
        if not all(files.has(item, window) for item in job.landing) and len(of) > 1:
            continue  # of no value is there a file
        for each in of:
            yield replace(window, values=each)
