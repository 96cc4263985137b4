"""What all operations have: where they are, what they say, and what they mean to whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

__all__ = ["Bump", "Meaning", "Operation", "Reach"]


class Bump(IntEnum):
    """Which number of a version a change asks to be raised (https://semver.org), read by readers.

    PATCH: nothing that a reader could see. MINOR: what was promised still holds. MAJOR: it does
    not.
    """

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


class Reach(StrEnum):
    """Which readers a change is of: those of its column, all of the dataset, or none."""

    NOBODY = "nobody"
    COLUMN = "column"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a change means. `table`, `readers` and `snapshots` are sentences; empty: nothing.

    `table`: what becomes of the table and of rows that are there. `readers`: what it is to those
    whom `reach` names. `snapshots`: what older versions of the table are, read after it.
    `breaks`: such a reader fails or takes values for others. `refused`: a run does not make it.
    `agreed`: somebody must agree to it, whoever reads.
    """

    bump: Bump
    table: str = ""
    readers: str = ""
    snapshots: str = ""
    reach: Reach = Reach.NOBODY
    breaks: bool = False
    refused: bool = False
    agreed: bool = False


class Operation(Protocol):
    """A change of a contract. `path` is its column, `a.element.b` within types, "" for none."""

    @property
    def path(self) -> str:
        """The column that it is of."""
        ...

    @property
    def meaning(self) -> Meaning:
        """What it means to whom."""
        ...

    def __str__(self) -> str:
        """The change in a line."""
        ...
