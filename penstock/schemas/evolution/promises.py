"""Changes of what is said of data: personal-data classes, clearance, units, times, words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from penstock.schemas.evolution.operation import Bump, Meaning, Reach

__all__ = [
    "Classified",
    "Cleared",
    "Clustered",
    "DatasetDropped",
    "Described",
    "Fresh",
    "Kept",
    "MaskedChanged",
    "Owned",
    "UnitChanged",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """Another class of personal data in a column; None: none."""

    path: str
    old: str | None
    new: str | None

    @property
    def meaning(self) -> Meaning:
        """One that is there now is held against all that is made of it; another is agreed to."""
        if self.old is None:
            return Meaning(
                bump=Bump.MAJOR,
                table="nothing that is there is masked by it",
                readers="what is made of it must be cleared for it, or mask it",
                snapshots="have it in clear",
                reach=Reach.COLUMN,
            )
        return Meaning(
            bump=Bump.MAJOR,
            table="nothing that is there is erased or masked by it",
            readers="is no longer held against clearance for it",
            reach=Reach.COLUMN,
            agreed=True,
        )

    def __str__(self) -> str:
        return f"{self.path}: personal data {self.old or 'none'} before, {self.new or 'none'} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedChanged:
    """Whether a column with personal data is said to hold masked values."""

    path: str
    masked: bool

    @property
    def meaning(self) -> Meaning:
        """What is said to be masked is held against no clearance any more."""
        return Meaning(
            bump=Bump.MAJOR,
            table="values that are there stay as they are",
            readers="is no longer held against clearance for it"
            if self.masked
            else "is given values in clear, and must be cleared for them or mask them",
            snapshots="have the values of their time",
            reach=Reach.COLUMN,
            agreed=True,
        )

    def __str__(self) -> str:
        return f"{self.path}: said to be {'masked' if self.masked else 'in clear'} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """The classes of personal data that the dataset may hold in clear."""

    added: tuple[str, ...]
    removed: tuple[str, ...]

    path: ClassVar[str] = ""

    @property
    def meaning(self) -> Meaning:
        """More clearance is agreed to; less is held against what arrives."""
        if self.added:
            return Meaning(
                bump=Bump.MAJOR, table="may hold more personal data in clear", agreed=True
            )
        return Meaning(bump=Bump.MINOR, table="rows that are there stay as they are")

    def __str__(self) -> str:
        words = [f"also {', '.join(self.added)}"] if self.added else []
        words += [f"no longer {', '.join(self.removed)}"] if self.removed else []
        return f"cleared for {' and '.join(words)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChanged:
    """Another unit of measure: the same number is another quantity."""

    path: str
    old: str | None
    new: str | None

    @property
    def meaning(self) -> Meaning:
        """A unit that was not said before says no more than that."""
        if self.old is None:
            return Meaning(bump=Bump.PATCH)
        return Meaning(
            bump=Bump.MAJOR,
            table="rows that are there keep the numbers of the old unit",
            readers="takes numbers of one unit for those of another",
            snapshots="have the numbers of the old unit",
            reach=Reach.COLUMN,
            breaks=self.new is not None,
        )

    def __str__(self) -> str:
        return f"{self.path}: unit {self.old or 'not said'} before, {self.new or 'not said'} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """How old the data may be, in words; None: nothing is promised."""

    old: str | None
    new: str | None
    looser: bool

    path: ClassVar[str] = ""

    @property
    def meaning(self) -> Meaning:
        """Less is promised, or more."""
        if not self.looser:
            return Meaning(bump=Bump.MINOR)
        return Meaning(bump=Bump.MAJOR, readers="may be given older data", reach=Reach.DATASET)

    def __str__(self) -> str:
        return f"freshness: {self.old or 'not promised'} before, {self.new or 'not promised'} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long rows are kept, in words; None: for good. `personal`: there is data in clear."""

    old: str | None
    new: str | None
    shorter: bool
    personal: bool = False

    path: ClassVar[str] = ""

    @property
    def meaning(self) -> Meaning:
        """Rows that were promised are gone, or stay longer."""
        if not self.shorter:
            return Meaning(
                bump=Bump.MINOR,
                table="personal data stays longer" if self.personal else "rows stay longer",
                agreed=self.personal,
            )
        return Meaning(
            bump=Bump.MAJOR,
            table="older rows are to go",
            readers="no longer finds rows of that age",
            reach=Reach.DATASET,
        )

    def __str__(self) -> str:
        return f"retention: {self.old or 'for good'} before, {self.new or 'for good'} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """Somebody else answers for it."""

    old: str
    new: str

    path: ClassVar[str] = ""
    meaning: ClassVar[Meaning] = Meaning(bump=Bump.PATCH)

    def __str__(self) -> str:
        return f"owner: {self.old} before, {self.new} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Other words for a column, or for the dataset. The words are not repeated."""

    path: str

    meaning: ClassVar[Meaning] = Meaning(bump=Bump.PATCH)

    def __str__(self) -> str:
        return f"{self.path}: described otherwise" if self.path else "described otherwise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustered:
    """Compaction sorts by other columns."""

    old: tuple[str, ...]
    new: tuple[str, ...]

    path: ClassVar[str] = ""
    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.PATCH, table="files that are there are sorted anew when they are compacted"
    )

    def __str__(self) -> str:
        return (
            f"sorted by {', '.join(self.new) or 'nothing'}, not {', '.join(self.old) or 'nothing'}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDropped:
    """Nothing makes the dataset any more."""

    dataset: str

    path: ClassVar[str] = ""
    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.MAJOR,
        table="the table stays, with the personal data in it, and gets no new rows",
        readers="is given no new rows",
        reach=Reach.DATASET,
        agreed=True,
    )

    def __str__(self) -> str:
        return f"{self.dataset}: no function makes it any more"
