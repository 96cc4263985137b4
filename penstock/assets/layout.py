"""How a dataset's table lies in its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from penstock.assets.modes import ReplaceSlice
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from penstock.assets.dataset import Dataset

__all__ = ["Layout", "check_layout", "folder_column"]

Layout = Literal["folders", "plain"]


def folder_column(spec: Dataset) -> str | None:
    """The column whose values have folders of their own in a new table.

    By default that of days, where it holds dates, or the one of values, where each is one of a
    slice: in a folder an empty text would be NULL.
    """
    windows = windows_of(spec.partitions)
    if spec.layout == "plain" or (spec.layout is None and windows and windows.grain != "day"):
        return None
    return _could_have(spec)


def check_layout(spec: Dataset, where: str) -> None:
    """Raise DefinitionError for another word, or for folders of nothing that could have some."""
    if spec.layout not in (None, *get_args(Layout)):
        raise DefinitionError(
            "layout= says something else",
            where=where,
            expected=" or ".join(map(repr, get_args(Layout))),
            found=repr(spec.layout),
            next_step="write layout='plain' for a table whose slices are small",
        )
    if spec.layout == "folders" and _could_have(spec) is None:
        raise DefinitionError(
            "no column could have folders",
            where=where,
            expected="slices of time by a date, or ReplaceSlice() by values",
            found=f"slices {spec.partitions.words}" if spec.partitions else "no partitions",
            next_step="leave layout= out, or cut the dataset by a date",
        )


def _could_have(spec: Dataset) -> str | None:
    windows, values = windows_of(spec.partitions), values_of(spec.partitions)
    if windows is None:
        return values.column if values and isinstance(spec.write, ReplaceSlice) else None
    column = spec.model.column(windows.column)
    return column.name if column and column.type == "date" else None
