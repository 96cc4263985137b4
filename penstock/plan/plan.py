"""The plan as plain data: of each dataset what changes, what is wrong, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.schemas.evolution import Bump, Verdict

if TYPE_CHECKING:
    from penstock.schemas.evolution import Judgement

__all__ = ["DatasetPlan", "Plan", "Problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that a run would end with, or that asks for another version. It blocks."""

    what: str
    where: str | None
    found: str | None
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPlan:
    """What becomes of one dataset.

    `before` is the version of the contract that holds now, None: there is none. `version` is that
    of its contract, None: it is gone. `bump` is what the changes deserve. `unknown` says why its
    function could not be tried, `doubts` what of it could not be followed; None: all was.
    """

    dataset: str
    before: str | None
    version: str | None
    bump: Bump = Bump.NONE
    judgements: tuple[Judgement, ...] = ()
    problems: tuple[Problem, ...] = ()
    unknown: str | None = None
    doubts: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of all that is said of it. To what nobody knows somebody must agree."""
        if self.problems:
            return Verdict.BLOCKED
        least = Verdict.AGREED if self.unknown else Verdict.FINE
        return max((*(each.verdict for each in self.judgements), least))

    @property
    def says_something(self) -> bool:
        """Whether it is new, changes, or something is wrong or not known."""
        told = self.judgements or self.problems or self.unknown or self.doubts
        return self.before is None or bool(told)

    def document(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {
            "dataset": self.dataset,
            "before": self.before,
            "version": self.version,
            "bump": self.bump.name.lower(),
            "verdict": self.verdict.name.lower(),
            "changes": [_judgement(each) for each in self.judgements],
            "problems": [
                {"what": p.what, "where": p.where, "found": p.found, "next": p.next_step}
                for p in self.problems
            ],
            "unknown": self.unknown,
            "doubts": self.doubts,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of a deployment, each dataset after those it reads.

    `unseen` says of which tables nobody could look, and why.
    """

    datasets: tuple[DatasetPlan, ...]
    unseen: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all datasets'. To what could not be looked at somebody must agree."""
        least = Verdict.AGREED if self.unseen else Verdict.FINE
        return max((*(each.verdict for each in self.datasets), least))

    def document(self) -> dict[str, Any]:
        """The plan as JSON-ready data."""
        return {
            "verdict": self.verdict.name.lower(),
            "unseen": list(self.unseen),
            "datasets": [each.document() for each in self.datasets],
        }


def _judgement(one: Judgement) -> dict[str, Any]:
    return {
        "kind": type(one.operation).__name__,
        "path": one.operation.path,
        "change": str(one.operation),
        "verdict": one.verdict.name.lower(),
        "why": one.why,
        "snapshots": one.operation.meaning.snapshots,
        "readers": [
            {"dataset": r.dataset, "column": r.column, "depth": r.depth, "unknown": r.unknown}
            for r in one.readers
        ],
    }
