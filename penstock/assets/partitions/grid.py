"""What a dataset is cut into: windows of time, values of a column, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from penstock.assets.partitions.values import Dynamic, Static
from penstock.assets.partitions.windows import Windows
from penstock.assets.slice import Slice
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from penstock.schemas.model import ContractModel

__all__ = ["Grid", "Partitions", "partitions_from", "values_of", "windows_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One slice for each window and value. Written `partitions=(Daily(...), Static(...))`."""

    windows: Windows
    values: Static | Dynamic

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that say which slice a row is of: when, and which value."""
        return (self.windows.column, self.values.column)

    @property
    def words(self) -> str:
        """How it is cut, in a few words."""
        return f"{self.windows.words}, and {self.values.words}"

    @property
    def example(self) -> str:
        """The name of its first slice."""
        return f"{self.windows.example}|{self.values.example}"

    def slice(self, name: str, last: str | None = None) -> Slice:
        """The slice `2013-01-05|DE`, or all from it to `last`, in time and in values.

        Raises DefinitionError for what is no name of a slice.
        """
        (window, value), (end, end_value) = self._parts(name), self._parts(last or name)
        end_value = value if last is None else end_value
        values = self.values.slice(value, None if end_value == value else end_value)
        return replace(
            self.windows.slice(window, None if last is None else end), values=values.values
        )

    def read(self, name: str) -> Slice:
        """The slice of that name, also of one that it does not have. Raises ValueError."""
        window, bar, value = name.partition("|")
        if not bar:
            raise ValueError(name)
        return replace(self.windows.read(window), values=self.values.read(value).values)

    def keys(self, slice_: Slice) -> tuple[str, ...]:
        """`2013-01-05|DE` for each window and value of the slice, oldest first."""
        parts = product(self.windows.keys(slice_), self.values.keys(slice_))
        return tuple(f"{window}|{value}" for window, value in parts)

    def covering(self, slice_: Slice) -> Slice | None:
        """All of its windows and values that may share a row with the slice."""
        window, values = self.windows.covering(slice_), self.values.covering(slice_)
        return replace(window, values=values.values) if window and values else None

    def refuse_other(self, slice_: Slice, where: str) -> None:
        """Raise DefinitionError for a slice that is not made of its windows and values."""
        self.windows.refuse_other(slice_.of_times(), where)
        self.values.refuse_other(Slice(values=slice_.values), where)

    def predicate(self, slice_: Slice, model: ContractModel) -> str:
        """SQL, true for rows of the slice."""
        window = self.windows.predicate(slice_, model)
        return f"{window} AND {self.values.predicate(slice_, model)}"

    def _parts(self, name: str) -> tuple[str, str]:
        window, bar, value = name.partition("|")
        if bar:
            return window, value
        raise DefinitionError(
            "this is not a slice",
            where=self.words,
            expected=f"a window and a value, like {self.example}",
            found=repr(name),
            next_step="write both, with | between them, in quotes",
        )


Partitions = Windows | Static | Dynamic | Grid


def partitions_from(given: object, where: str) -> Partitions | None:
    """What `partitions=` says. Raises DefinitionError for what is neither one nor two of them."""
    if given is None or isinstance(given, Windows | Static | Dynamic | Grid):
        return given
    if isinstance(given, tuple | list):
        windows = [item for item in given if isinstance(item, Windows)]
        values = [item for item in given if isinstance(item, Static | Dynamic)]
        if (len(windows), len(values), len(given)) == (1, 1, 2):
            return Grid(windows=windows[0], values=values[0])
    raise DefinitionError(
        "partitions= is of another kind",
        where=where,
        expected="Hourly, Daily, Weekly, Monthly, Yearly, Static or Dynamic; or two in a tuple, "
        "one of time and one of values",
        found=f"the class {given.__name__}" if isinstance(given, type) else repr(given),
        next_step="write partitions=Daily(column='day', start=date(2013, 1, 1))",
    )


def windows_of(partitions: Partitions | None) -> Windows | None:
    """What of it is of time."""
    return (
        partitions.windows
        if isinstance(partitions, Grid)
        else (partitions if isinstance(partitions, Windows) else None)
    )


def values_of(partitions: Partitions | None) -> Static | Dynamic | None:
    """What of it is of values."""
    return (
        partitions.values
        if isinstance(partitions, Grid)
        else (partitions if isinstance(partitions, Static | Dynamic) else None)
    )
