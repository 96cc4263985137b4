"""What Dagster calls the slices of a dataset, and which it takes of another."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg

from penstock.assets.inputs.snapshot import Snapshot
from penstock.assets.partitions.grid import Grid, Partitions, values_of, windows_of
from penstock.assets.partitions.values import Dynamic, Static
from penstock.assets.partitions.windows import Windows
from penstock.assets.slice import Slice
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Input
    from penstock.assets.partitions.grain import Grain

__all__ = ["keys_of", "mapping_of", "partitions_of", "slice_of", "slices_of"]

_FORMATS: dict[Grain, str] = {
    "hour": "%Y-%m-%d-%H:%M",
    "day": "%Y-%m-%d",
    "week": "%Y-%m-%d",
    "month": "%Y-%m",
    "year": "%Y",
}
_DAYS: dict[Grain, float] = {"hour": 1 / 24, "day": 1, "week": 7, "month": 28, "year": 365}


def partitions_of(partitions: Partitions | None) -> dg.PartitionsDefinition | None:
    """The Dagster partitions of a dataset that is cut so."""
    match partitions:
        case None:
            return None
        case Windows():
            return _windows(partitions)
        case Static(values=values):
            return dg.StaticPartitionsDefinition(list(values))
        case Dynamic(name=name):
            return dg.DynamicPartitionsDefinition(name=name)
        case Grid(windows=windows, values=values):
            parts = {windows.column: _windows(windows), values.column: partitions_of(values)}
            return dg.MultiPartitionsDefinition({k: v for k, v in parts.items() if v})


def _windows(windows: Windows) -> dg.TimeWindowPartitionsDefinition:
    weekday = windows.start.isoweekday() % 7
    crons: dict[Grain, str] = {
        "hour": "0 * * * *",
        "day": "0 0 * * *",
        "week": f"0 0 * * {weekday}",
        "month": "0 0 1 * *",
        "year": "0 0 1 1 *",
    }
    form = _FORMATS[windows.grain]
    return dg.TimeWindowPartitionsDefinition(
        start=f"{windows.start:{form}}",
        end=f"{windows.end:{form}}" if windows.end else None,
        fmt=form,
        cron_schedule=crons[windows.grain],
        timezone=windows.time_zone,
    )


def keys_of(partitions: Partitions | None, slice_: Slice) -> tuple[str, ...]:
    """Dagster's names of the slices that the slice is of; none for a dataset that is not cut."""
    match partitions:
        case None:
            return ()
        case Grid(windows=windows, values=values):
            return tuple(
                dg.MultiPartitionKey({windows.column: window, values.column: value})
                for window in windows.keys(slice_)
                for value in values.keys(slice_)
            )
        case _:
            return partitions.keys(slice_)


def slice_of(partitions: Partitions, keys: Sequence[str]) -> Slice:
    """The slice of these names of Dagster's.

    Raises DefinitionError for some that one run cannot replace together: with gaps between them, or
    of some values in one window and of others in another.
    """
    match partitions:
        case Grid(windows=windows, values=values):
            definition = partitions_of(partitions)
            assert isinstance(definition, dg.MultiPartitionsDefinition)
            named = [definition.get_partition_key_from_str(key).keys_by_dimension for key in keys]
            times = sorted({each[windows.column] for each in named}, key=windows.begins)
            has = tuple(dict.fromkeys(each[values.column] for each in named))
            found = replace(windows.slice(times[0], times[-1]), values=has)
        case Windows():
            times = sorted(keys, key=partitions.begins)
            found = partitions.slice(times[0], times[-1])
        case _:
            found = Slice(values=tuple(keys))
    if len(partitions.keys(found)) != len(set(keys)):
        raise DefinitionError(
            "one run is to make slices that are not side by side",
            where=partitions.words,
            expected=f"all of {found.key}",
            found=f"{len(set(keys))} of {len(partitions.keys(found))}",
            next_step="run them in several runs, each of a range without gaps",
        )
    return found


def slices_of(partitions: Partitions, keys: Iterable[str]) -> dict[str, Slice]:
    """The slice of each of these names, without those of how the dataset was cut before."""
    definition = partitions_of(partitions)
    found: dict[str, Slice] = {}
    for key in keys:
        name = str(key)
        if isinstance(partitions, Grid) and isinstance(definition, dg.MultiPartitionsDefinition):
            names = [part.name for part in definition.partitions_defs]
            parts = dict(zip(names, key.split("|"), strict=False))
            windows, values = partitions.windows, partitions.values
            name = f"{parts.get(windows.column)}|{parts.get(values.column)}"
        with suppress(ValueError):
            found[key] = partitions.read(name)
    return found


def mapping_of(
    spec: Dataset, item: Input | None, source: Dataset | None
) -> dg.PartitionMapping | None:
    """Which slices of what is read a slice is made of; None is what Dagster would guess.

    That is right for windows of one time zone, of whatever grain, and for a window or value of
    both.
    """
    ours, theirs = spec.partitions, source.partitions if source else None
    if not isinstance(item, Snapshot):
        return dg.AllPartitionMapping() if _unlike(ours, theirs) else None
    window = _window_mapping(spec, item, source)
    if ours is None or theirs is None:
        return window if source is None else None
    if not item.cut_by:
        return dg.AllPartitionMapping() if _unlike(ours, theirs) else None
    if isinstance(ours, Grid) and isinstance(theirs, Grid):
        columns = _of_time(item, source)
        of_time = window or dg.TimeWindowPartitionMapping()
        dimensions: dict[str, dg.DimensionPartitionMapping] = {
            theirs.windows.column: dg.DimensionPartitionMapping(
                ours.windows.column, of_time if columns else dg.AllPartitionMapping()
            )
        }
        if columns != item.cut_by and ours.values == theirs.values:
            dimensions[theirs.values.column] = dg.DimensionPartitionMapping(
                ours.values.column, dg.IdentityPartitionMapping()
            )
        return dg.MultiPartitionMapping(dimensions)
    if windows_of(ours) and windows_of(theirs):
        plain = isinstance(ours, Windows) and isinstance(theirs, Windows)
        return window if plain or isinstance(window, dg.AllPartitionMapping) else None
    if values_of(ours) and values_of(ours) == values_of(theirs):
        return None
    return dg.AllPartitionMapping()


def _unlike(ours: Partitions | None, theirs: Partitions | None) -> bool:
    """Whether Dagster would look for slices of the same name, and there are none."""
    if ours is None or theirs is None or ours == theirs:
        return False
    if isinstance(ours, Windows) and isinstance(theirs, Windows):
        return ours.time_zone != theirs.time_zone
    return True


def _of_time(item: Snapshot, source: Dataset | None) -> tuple[str, ...]:
    columns = {column.name: column.type for column in source.model.columns} if source else {}
    return tuple(by for by in item.cut_by if columns.get(by) != "string")


def _window_mapping(
    spec: Dataset, item: Snapshot, source: Dataset | None
) -> dg.PartitionMapping | None:
    """What windows it looks back on; all, where Dagster maps none because of the time zones."""
    windows, theirs = windows_of(spec.partitions), windows_of(source.partitions if source else None)
    if windows is None or not item.cut_by:
        return None
    if theirs and theirs.time_zone != windows.time_zone:
        return dg.AllPartitionMapping()
    if not item.lookback:
        return None
    back = -(-item.lookback.total_seconds() // (86400 * _DAYS[windows.grain]))
    return dg.TimeWindowPartitionMapping(
        start_offset=-int(back), allow_nonexistent_upstream_partitions=True
    )
