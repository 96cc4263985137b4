"""What of a dataset's slices another reads, told by the columns that it reads by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.assets.partitions.grid import values_of, windows_of

if TYPE_CHECKING:
    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.snapshot import Snapshot
    from penstock.assets.partitions.grid import Partitions
    from penstock.assets.slice import Slice

__all__ = ["SlicedRead", "cut_alike"]


@dataclass(frozen=True, slots=True)
class SlicedRead:
    """The read of a table of which the dataset that makes it is known."""

    item: Snapshot
    source: Dataset

    @property
    def by_time(self) -> bool:
        """Whether it is read by the column of time that the source is cut by."""
        windows = windows_of(self.source.partitions)
        return windows is not None and windows.column in self.item.cut_by

    @property
    def by_value(self) -> bool:
        """Whether it is read by the column of values that the source is cut by."""
        values = values_of(self.source.partitions)
        return values is not None and values.column in self.item.cut_by

    def part(self, slice_: Slice) -> Slice:
        """What the source's slices are to have in common with those that the slice reads."""
        part = slice_ if self.by_value else slice_.of_times()
        return part if self.by_time else part.of_values()

    def is_same(self, reader: Dataset) -> bool:
        """Whether each slice of the reader reads the slice of the same name, and no other."""
        ours, theirs = reader.partitions, self.source.partitions
        if ours is None or theirs is None or self.item.lookback:
            return False
        return set(theirs.columns) <= set(self.item.cut_by) and cut_alike(ours) == cut_alike(theirs)


def cut_alike(partitions: Partitions) -> str:
    """The same for those whose slices are the same, by whatever columns."""
    windows, values = windows_of(partitions), values_of(partitions)
    return repr(
        (
            windows and (windows.grain, windows.start, windows.end, windows.time_zone),
            getattr(values, "values", None) or getattr(values, "name", None),
        )
    )
