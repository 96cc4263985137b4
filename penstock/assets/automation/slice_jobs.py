"""Which datasets that are not cut into days alone run together."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.assets.automation.made_of import landing_of, made_from, made_of
from penstock.assets.inputs.sliced_read import SlicedRead
from penstock.assets.inputs.snapshot import Snapshot
from penstock.assets.metadata import asset_key
from penstock.assets.partitions.dagster import partitions_of
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.assets.partitions.windows import Daily

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.files import Landing
    from penstock.assets.partitions.grid import Partitions

__all__ = ["SliceJob", "slice_jobs", "sliced"]


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
        return landing_of(self.cut)

    @property
    def hourly(self) -> bool:
        """Whether there is a new slice each hour."""
        windows = windows_of(self.partitions)
        return windows is not None and windows.grain == "hour"


def sliced(specs: Mapping[str, Dataset]) -> set[str]:
    """Those that are cut, but not into days, and those of days that are made of other slices.

    These are slices of such datasets, or days of another time zone.
    """
    found = {n for n, s in specs.items() if s.partitions and not isinstance(s.partitions, Daily)}

    def is_sliced(spec: Dataset, item: object) -> bool:
        source = specs.get(item.dataset) if isinstance(item, Snapshot) and item.cut_by else None
        ours = windows_of(spec.partitions)
        if source is None or ours is None:
            return False
        theirs = windows_of(source.partitions)
        return source.name in found or (theirs is not None and ours.time_zone != theirs.time_zone)

    while more := {
        name
        for name, spec in specs.items()
        if name not in found and spec.partitions
        if any(is_sliced(spec, item) for item in spec.inputs.values())
    }:
        found |= more
    return found


def slice_jobs(
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
        later = {n for n in made_of(names, ours) if ours[n].partitions is None and n not in taken}
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
            if (
                isinstance(item, Snapshot)
                and item.cut_by
                and not SlicedRead(item, source).is_same(spec)
            ):
                return True
        elif made_from([source.name], every) & group:
            return True
    return False


def _name(partitions: Partitions) -> str:
    """How they are cut, as Dagster calls things: `daily_by_country`."""
    windows, values = windows_of(partitions), values_of(partitions)
    words = [*([windows.adverb] if windows else []), *([f"by_{values.column}"] if values else [])]
    return re.sub(r"[^A-Za-z0-9_]", "_", "_".join(words))
