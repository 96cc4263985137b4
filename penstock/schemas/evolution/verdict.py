"""Whether a change may be made: what it means, and who reads what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from penstock.schemas.evolution.operation import Bump, Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.schemas.evolution.operation import Operation

__all__ = ["Judgement", "Reader", "Verdict", "judge"]


class Verdict(IntEnum):
    """What becomes of a change, the worst last."""

    FINE = 0  # all is as was promised
    AGREED = 1  # somebody must agree to it
    BLOCKED = 2  # a run refuses it, or a reader breaks


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reader:
    """Who reads a column: the dataset made of it, and which of its columns (`which rows`).

    `depth` is 1 for who reads the column itself. `unknown`: nobody knows whether it does.
    """

    depth: int
    dataset: str
    column: str
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict over one operation, and why."""

    operation: Operation
    verdict: Verdict
    refused: bool = False
    readers: tuple[Reader, ...] = ()

    @property
    def why(self) -> str:
        """The reason, in a sentence; empty where nothing is to be said."""
        meaning = self.operation.meaning
        match self.verdict:
            case Verdict.BLOCKED if self.refused:
                return meaning.table
            case Verdict.FINE:
                return meaning.table
            case Verdict.AGREED if meaning.agreed and not self.readers:
                return meaning.table or meaning.readers
            case _:
                return meaning.readers


def judge(operation: Operation, readers: Sequence[Reader], *, has_table: bool = True) -> Judgement:
    """The verdict over a change of a dataset that has the `readers`, of what it reaches alone.

    Without a table there is nothing that a run could refuse to change.

    Blocked is what a run refuses, and what breaks somebody. What is no longer as promised to
    somebody who reads it, or lowers protection, needs somebody who agrees.
    """
    meaning = operation.meaning
    reached = tuple(sorted(readers)) if meaning.reach is not Reach.NOBODY else ()
    refused = meaning.refused and has_table
    if refused or (meaning.breaks and reached):
        verdict = Verdict.BLOCKED
    elif meaning.agreed or (meaning.bump is Bump.MAJOR and reached):
        verdict = Verdict.AGREED
    else:
        verdict = Verdict.FINE
    return Judgement(operation=operation, verdict=verdict, refused=refused, readers=reached)
