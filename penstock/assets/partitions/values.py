"""What a dataset is cut into by the values of a column, known beforehand or not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.assets.slice import TO, Slice
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from penstock.schemas.model import ContractModel

__all__ = ["Dynamic", "Static", "can_be_called"]

# what parts values and ranges in the names of slices, and what Dagster's names cannot have
_NO_VALUE = re.compile(
    r"[\x00-\x1f|/,\[\]\x7f]|\.\.\.|^\s|\s$|^\.{0,2}$|^whole$|^__HIVE_DEFAULT_PARTITION__$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """One slice for each of `values` of `column` (text): those that are known beforehand."""

    column: str
    values: Sequence[str]

    def __post_init__(self) -> None:
        """Raise DefinitionError for values that no slice could be called by."""
        where = f"Static(column={self.column!r})"
        listed = not isinstance(self.values, str) and isinstance(self.values, Sequence)
        values = tuple(self.values) if listed else ()
        if not values or not all(isinstance(value, str) for value in values):
            raise DefinitionError(
                "the partitions have no values",
                where=where,
                expected="a list of texts",
                found=type(self.values).__name__ if not listed else "another kind, or none",
                next_step="write values=['DE', 'FR']",
            )
        for value in values:
            _check_value(value, where)
        if len(set(values)) < len(values):
            raise DefinitionError(
                "the partitions have a value twice",
                where=where,
                found=next(value for value in values if values.count(value) > 1),
                next_step="leave one of the two out",
            )
        object.__setattr__(self, "values", values)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column that says which slice a row is of."""
        return (self.column,)

    @property
    def words(self) -> str:
        """How it is cut, in a few words."""
        return f"by {self.column}, {len(self.values)} values"

    @property
    def example(self) -> str:
        """The name of its first slice."""
        return self.values[0]

    def slice(self, name: str, last: str | None = None) -> Slice:
        """The slice of that value, of several parted by commas, or of all from it to `last`.

        Raises DefinitionError for a value that it does not have.
        """
        first, _, end = name.partition(TO)
        if last or end:
            low, high = (self.values.index(self._known(text)) for text in (first, last or end))
            if high < low:
                raise DefinitionError(
                    "the range ends before it begins",
                    where=self.words,
                    expected=f"values in the order of {', '.join(self.values[:20])}",
                    found=f"{first} to {last or end}",
                    next_step="give the earlier one first",
                )
            return Slice(values=tuple(self.values[low : high + 1]))
        wanted = {self._known(value) for value in name.split(",")}
        return Slice(values=tuple(value for value in self.values if value in wanted))

    def read(self, name: str) -> Slice:
        """The slice of that name. Raises ValueError for one that it does not have."""
        values = tuple(name.split(","))
        if not set(values) <= set(self.values):
            raise ValueError(name)
        return Slice(values=values)

    def keys(self, slice_: Slice) -> tuple[str, ...]:
        """The values of the slice."""
        return slice_.values

    def covering(self, slice_: Slice) -> Slice | None:
        """All of its values that the slice is of."""
        wanted = slice_.values or self.values
        values = tuple(value for value in self.values if value in wanted)
        return Slice(values=values) if values else None

    def refuse_other(self, slice_: Slice, where: str) -> None:
        """Raise DefinitionError for a slice that is not made of its values."""
        unknown = [value for value in slice_.values if value not in self.values]
        if slice_.start is None and slice_.values and not unknown:
            return
        raise DefinitionError(
            "the slice is none of the dataset's",
            where=where,
            expected=f"slices as it is cut: {self.words}",
            found=slice_.key,
            next_step=f"take it of the dataset: partitions.slice({self.example!r})",
        )

    def predicate(self, slice_: Slice, model: ContractModel) -> str:  # noqa: ARG002
        """SQL, true for rows of the slice."""
        return slice_.predicate(self.column, "string")

    def _known(self, value: str) -> str:
        if value in self.values:
            return value
        near = difflib.get_close_matches(value, self.values, 1)
        raise DefinitionError(
            "the dataset has no such slice",
            where=self.words,
            expected=f"one of {', '.join(self.values[:20])}",
            found=repr(value),
            next_step=f"did you mean {near[0]}?" if near else "name one of them",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """One slice for each value of `column` (text) that there turns out to be, such as tenants.

    A value is known to Dagster once a run was of it, or its UI or `new_files` was told of it.
    Datasets whose `name` is the same share their values; it defaults to the column.
    """

    column: str
    name: str = field(default="")

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.column)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column that says which slice a row is of."""
        return (self.column,)

    @property
    def words(self) -> str:
        """How it is cut, in a few words."""
        return f"by {self.column}, whatever values there are"

    @property
    def example(self) -> str:
        """A name that a slice could have."""
        return "acme"

    def slice(self, name: str, last: str | None = None) -> Slice:
        """The slice of that value, or of several parted by commas.

        Raises DefinitionError for what no slice could be called by.
        """
        values = name.split(",")
        for value in values:
            _check_value(value, self.words)
        if last and last != name:
            raise DefinitionError(
                "values that are not known beforehand have no order, and no range",
                where=self.words,
                found=f"{name} to {last}",
                next_step="name each, parted by commas",
            )
        return Slice(values=tuple(dict.fromkeys(values)))

    def read(self, name: str) -> Slice:
        """The slice of that name."""
        return Slice(values=tuple(name.split(",")))

    def keys(self, slice_: Slice) -> tuple[str, ...]:
        """The values of the slice."""
        return slice_.values

    def covering(self, slice_: Slice) -> Slice | None:
        """The values of the slice; None where that is cut by none."""
        return Slice(values=slice_.values) if slice_.values else None

    def refuse_other(self, slice_: Slice, where: str) -> None:
        """Raise DefinitionError for a slice of a window, or of values that cannot be."""
        for value in slice_.values:
            _check_value(value, where)
        if slice_.start is not None or not slice_.values:
            raise DefinitionError(
                "the slice is none of the dataset's",
                where=where,
                expected=f"slices as it is cut: {self.words}",
                found=slice_.key,
                next_step=f"take it of the dataset: partitions.slice({self.example!r})",
            )

    def predicate(self, slice_: Slice, model: ContractModel) -> str:  # noqa: ARG002
        """SQL, true for rows of the slice."""
        return slice_.predicate(self.column, "string")


def can_be_called(value: str) -> bool:
    """Whether a slice can be called so."""
    return not _NO_VALUE.search(value)


def _check_value(value: str, where: str) -> None:
    if not can_be_called(value):
        raise DefinitionError(
            "no slice can be called so",
            where=where,
            expected="text without |, /, commas, [], ..., control characters and blanks at its "
            "ends, and not ., .. or whole",
            found=repr(value),
            next_step="map it to another word in the function",
        )
