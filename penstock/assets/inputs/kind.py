"""What each kind of input is: a definition, what a run pins of it, and its rows.

A kind is a file of this shape. Its definition is a frozen dataclass whose `repr` is part of what a
result depends on. `pin` decides what exactly a run takes before anything is read; of what is pinned
`content` is what the result depends on, and `document` what the commit says, by which the next run
knows how far this one came. `read` makes frames of it: rows, and what cannot be one.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.past import Past
    from penstock.assets.runtime import Runtime
    from penstock.assets.slice import Slice
    from penstock.schemas.model import ContractModel

__all__ = ["Arrived", "Asked", "Held", "Input", "PinnedInput"]


T = TypeVar("T")


class Held(ExitStack):
    """What stays open until a run has committed or failed: of each key one thing.

    Two inputs that are read of one database are read of one transaction.
    """

    def __init__(self) -> None:
        super().__init__()
        self._by_key: dict[str, Any] = {}

    def one(self, key: str, opened: Callable[[], AbstractContextManager[T]]) -> T:
        """What was opened under the key; `opened` now, where nothing was."""
        if key not in self._by_key:
            self._by_key[key] = self.enter_context(opened())
        found: T = self._by_key[key]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run that is about to pin its input `name`.

    `past` is what is known of the table that it writes, None before there is one. `spark` knows
    what its catalog has; nothing is read with it here.
    """

    spec: Dataset
    name: str
    slice: Slice
    runtime: Runtime
    past: Past | None
    held: Held
    spark: SparkSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An input as read: `good` rows, and of what comes from outside the `rejected` ones, raw.

    `rejected` has columns reasons (array<string>), row (JSON text) and file (where it was: of
    landing the file's name below it).
    """

    good: DataFrame
    rejected: DataFrame | None = None


@runtime_checkable
class Input(Protocol):
    """What a dataset reads, as its definition says."""

    @property
    def dataset(self) -> str:
        """The name that lineage and Dagster know it by."""
        ...

    @property
    def once(self) -> bool:
        """Whether a run that adds to a table takes what no run took before, and nothing else."""
        ...

    def check(self, spec: Dataset, name: str, where: str) -> None:
        """Raise DefinitionError where it cannot be input `name` of the dataset."""
        ...

    def pin(self, asked: Asked) -> PinnedInput:
        """What the run takes. Raises InputError for what is not there as declared."""
        ...


class PinnedInput(Protocol):
    """What a run is going to read, decided before anything is read."""

    @property
    def name(self) -> str:
        """The input's name, a parameter of the function."""
        ...

    @property
    def dataset(self) -> str:
        """The name that lineage knows it by."""
        ...

    @property
    def nothing_new(self) -> bool:
        """Whether it is taken once, and all of it was."""
        ...

    def content(self) -> dict[str, Any]:
        """What of it the result depends on."""
        ...

    def document(self) -> dict[str, Any]:
        """What the commit says of it."""
        ...

    def read(self, spark: SparkSession, contract: ContractModel, *, strict: bool) -> Arrived:
        """Its rows. Spark runs nothing here: frames are lazy.

        With `strict`, running `good` raises BAD_ROW at a row that cannot be read, which is left out
        otherwise. Raises InputError when what lies there is not what was pinned.
        """
        ...

    def refuse_other(self) -> None:
        """Raise InputError when what lies there is not what was pinned."""
        ...
