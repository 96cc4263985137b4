"""Changes of a table's columns: which there are, of which types, and whether they may be NULL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from penstock.schemas.evolution.kind import Kind, widens
from penstock.schemas.evolution.operation import Bump, Meaning, Reach

__all__ = [
    "Added",
    "Dropped",
    "FieldsMoved",
    "Moved",
    "Recased",
    "Relaxed",
    "Required",
    "Retyped",
]

_SAME_TYPES = "a run does not change the type of a column"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A column, or a field in one, that was not there."""

    path: str
    type: Kind
    nullable: bool = True
    pii: str | None = None

    @property
    def meaning(self) -> Meaning:
        """Rows that are there get NULL; of a field within a column the run makes none so far."""
        if "." in self.path:
            return Meaning(
                bump=Bump.MINOR,
                table=_SAME_TYPES,
                readers="a struct that is compared or written by position has a field more",
                snapshots="have no such field",
                reach=Reach.COLUMN,
                refused=True,
            )
        if not self.nullable:
            return Meaning(
                bump=Bump.MINOR,
                table="rows that are there have no value for it",
                snapshots="have no such column",
                refused=True,
            )
        return Meaning(
            bump=Bump.MINOR,
            table="rows that are there get NULL",
            snapshots="have no such column",
        )

    def __str__(self) -> str:
        if "." in self.path:
            return f"{self.path}: new field {self.type}. Leave it out, or add a new column"
        data = f", personal data {self.pii}" if self.pii else ""
        if self.nullable:
            return f"{self.path}: new column {self.type}{data}"
        return (
            f"{self.path}: new column {self.type}{data} that may not be NULL; rows already in the "
            "table have none. Add it nullable, backfill, then require it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A column, or a field in one, that is there no more. `near` is a new one of a similar name."""

    path: str
    type: Kind
    near: str | None = None

    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.MAJOR,
        table="a run takes no column out of a table",
        readers="fails: there is no such column",
        snapshots="still hold it, with the personal data in it",
        reach=Reach.COLUMN,
        breaks=True,
        refused=True,
    )

    def __str__(self) -> str:
        hint = f" (renamed to {self.near}?)" if self.near else ""
        return (
            f"{self.path}: {self.type} is gone{hint}. Keep the column in the contract, or write "
            "a new dataset and move its readers"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyped:
    """A column, or a field in one, of another type."""

    path: str
    old: Kind
    new: Kind

    @property
    def meaning(self) -> Meaning:
        """Wider types hold the same values; others are other values, or fail."""
        wider = widens(self.old, self.new)
        return Meaning(
            bump=Bump.MINOR if wider else Bump.MAJOR,
            table=_SAME_TYPES,
            readers="holds larger values than those that read it were made for"
            if wider
            else "reads other values, or fails",
            snapshots=f"are read as {self.old}",
            reach=Reach.COLUMN,
            breaks=not wider,
            refused=True,
        )

    def __str__(self) -> str:
        return (
            f"{self.path}: old {self.old}, new {self.new}. Cast it to {self.old}, or add a new "
            "column of the new type"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recased:
    """A column whose name differs only in letter case, which Delta would take for the same."""

    path: str
    new: str

    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.MAJOR,
        table="Delta takes it for the column that is there",
        readers="finds it by the old name alone, where case counts",
        reach=Reach.COLUMN,
        breaks=True,
        refused=True,
    )

    def __str__(self) -> str:
        return f"{self.path}: spelled {self.new} now. Spell it {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """A column that may not be NULL any more."""

    path: str

    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.MINOR,
        table="a run that leaves rows with NULL in the table fails",
        snapshots="may have NULL",
    )

    def __str__(self) -> str:
        return f"{self.path}: may not be NULL any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxed:
    """A column that may be NULL now."""

    path: str

    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.MAJOR,
        readers="meets NULL where there was none",
        reach=Reach.COLUMN,
    )

    def __str__(self) -> str:
        return f"{self.path}: may be NULL now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The same columns in another order."""

    columns: tuple[str, ...]

    path: ClassVar[str] = ""
    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.PATCH,
        table="the table keeps its order: columns are written by name",
    )

    def __str__(self) -> str:
        return f"columns in another order: {', '.join(self.columns)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldsMoved:
    """The same fields of a struct in another order."""

    path: str
    fields: tuple[str, ...]

    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.PATCH,
        table=_SAME_TYPES,
        readers="a struct that is compared or taken apart by position is another",
        reach=Reach.COLUMN,
        refused=True,
    )

    def __str__(self) -> str:
        return f"{self.path}: fields in another order: {', '.join(self.fields)}. Keep the old one"
