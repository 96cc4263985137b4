"""What upkeep did to a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from penstock.events import TableFiles, Upkeep

if TYPE_CHECKING:
    from penstock.compaction.facts import TableFacts

__all__ = ["CompactionOutcome", "CompactionStatus", "UpkeepCommit"]


class CompactionStatus(StrEnum):
    """How a plan ended."""

    DONE = "done"
    NOTHING = "nothing"  # there was nothing to do, or nothing left to do
    YIELDED = "yielded"  # a writer of rows was in the way every time; the table is its own


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepCommit:
    """One commit of ours, with the numbers from its own metrics."""

    version: int
    operation: str
    files_removed: int
    files_added: int
    bytes_removed: int
    bytes_added: int
    deletion_vectors_removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionOutcome:
    """What came of a plan. `after` is measured anew, so other writers' work shows in it too."""

    status: CompactionStatus
    before: TableFacts
    after: TableFacts
    commits: tuple[UpkeepCommit, ...]
    conflicts: int
    reasons: tuple[str, ...]

    @property
    def files_removed(self) -> int:
        """Files that the commits took out of the table."""
        return sum(commit.files_removed for commit in self.commits)

    @property
    def files_added(self) -> int:
        """Files that the commits put in their place."""
        return sum(commit.files_added for commit in self.commits)

    def document(self) -> dict[str, Any]:
        """The outcome as JSON-ready data, without partition values."""
        return {
            "status": self.status.value,
            "before": self.before.document(),
            "after": self.after.document(),
            "commits": [asdict(commit) for commit in self.commits],
            "conflicts": self.conflicts,
            "reasons": list(self.reasons),
        }

    def upkeep(self) -> Upkeep:
        """What the ledger is told of it."""
        return Upkeep(
            status=self.status.value,
            operations=tuple(commit.operation for commit in self.commits),
            reasons=self.reasons,
            before=_files(self.before),
            after=_files(self.after),
        )

    def __str__(self) -> str:
        lines = [f"{self.status}: {self.before.file_count} files -> {self.after.file_count}"]
        return "\n".join([*lines, *(f"  {reason}" for reason in self.reasons)])


def _files(facts: TableFacts) -> TableFiles:
    return TableFiles(
        files=facts.file_count, bytes=facts.size_bytes, expired_files=facts.expired_files
    )
