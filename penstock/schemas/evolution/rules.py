"""Changes of what rows must keep: checks, keys, and foreign keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from penstock.schemas.evolution.operation import Bump, Meaning, Reach

__all__ = ["CheckChanged", "Direction", "KeyChanged", "ReferenceChanged"]


class Direction(StrEnum):
    """Which rows keep a rule now: fewer, more, others; or it sets none aside, and only counts."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    OTHER = "other"
    COUNTED = "counted"


_BROKEN = "may have rows that break it"
_SAID = (Direction.TIGHTER, Direction.LOOSER)
_FEWER = "rows that are there may break it: runs hold theirs against it, others stay"
_MORE = "meets rows that there were none of"
_MEANINGS = {
    Direction.COUNTED: Meaning(bump=Bump.PATCH),
    Direction.TIGHTER: Meaning(bump=Bump.MINOR, table=_FEWER, snapshots=_BROKEN),
    Direction.LOOSER: Meaning(bump=Bump.MAJOR, readers=_MORE, reach=Reach.COLUMN),
    Direction.OTHER: Meaning(
        bump=Bump.MAJOR,
        table=_FEWER,
        readers=_MORE,
        snapshots=_BROKEN,
        reach=Reach.COLUMN,
    ),
}


def _meaning(direction: Direction, path: str) -> Meaning:
    meaning = _MEANINGS[direction]
    if path or meaning.reach is Reach.NOBODY:
        return meaning
    return replace(meaning, reach=Reach.DATASET)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChanged:
    """A check, by its id: there now (`old` is None), gone (`new` is None), or another one.

    `old` and `new` are SQL, with `(only warns)` where bad rows are counted alone. A row rule is of
    no column, and concerns all readers.
    """

    id: str
    path: str
    direction: Direction
    old: str | None
    new: str | None

    @property
    def meaning(self) -> Meaning:
        """Fewer rows keep it, or more do."""
        return _meaning(self.direction, self.path)

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.id}: new check {self.new}"
        if self.new is None:
            return f"{self.id}: the check {self.old} is gone"
        how = f" ({self.direction})" if self.direction in _SAID else ""
        return f"{self.id}: was {self.old}, is {self.new}{how}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanged:
    """Other columns tell rows apart."""

    old: tuple[str, ...]
    new: tuple[str, ...]

    path: ClassVar[str] = ""
    meaning: ClassVar[Meaning] = Meaning(
        bump=Bump.MAJOR,
        table="rows are merged by other columns: those that are there may be of one key, or of two",
        readers="joins on it, and what it says is there once, are of other rows",
        snapshots="have the rows of the old key",
        reach=Reach.DATASET,
        agreed=True,
    )

    def __str__(self) -> str:
        return f"key: was {', '.join(self.old) or 'none'}, is {', '.join(self.new) or 'none'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceChanged:
    """A foreign key, by its id: there now (`old` is None), gone (`new` is None), or another one.

    One of several columns is of no `path`, and concerns all readers.
    """

    id: str
    path: str
    direction: Direction
    old: str | None
    new: str | None

    @property
    def meaning(self) -> Meaning:
        """Fewer rows keep it, or more do."""
        return _meaning(self.direction, self.path)

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.id}: must be in {self.new} now"
        if self.new is None:
            return f"{self.id}: need not be in {self.old} any more"
        return f"{self.id}: had to be in {self.old}, must be in {self.new}"
