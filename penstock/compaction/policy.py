"""When a table is compacted, how far, and what readers were promised."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from penstock.errors import DefinitionError

__all__ = ["CompactionPolicy"]

LEAST_RETAIN_HOURS = 168
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionPolicy:
    """What is wanted of a table's files. Raises DefinitionError when it contradicts itself.

    A file is small below `target_file_bytes * small_file_ratio`. A partition is compacted when at
    least `min_files` of its files are small, these are at least `small_file_share` of its files,
    and rewriting would leave fewer. A partition whose share of rows marked deleted reaches
    `deleted_row_share` is purged. At most `budget_bytes` are rewritten in one go, worst first.

    VACUUM runs only when `retain_hours` is given: never under 168, and never under
    `promised_hours`, the longest time for which a reader, change-feed consumer or time-travel
    query was promised old versions. Upkeep of a table whose log keeps its commits for less fails
    and says so: old files are of no use without them.
    """

    target_file_bytes: int = 128 * _MIB
    small_file_ratio: float = 0.5
    small_file_share: float = 0.25
    min_files: int = 4
    deleted_row_share: float = 0.1
    budget_bytes: int | None = None
    retain_hours: int | None = None
    promised_hours: int = 0

    def __post_init__(self) -> None:
        for name in ("small_file_ratio", "small_file_share", "deleted_row_share"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise _wrong(name, "more than 0 and at most 1", value)
        for name, least in (("target_file_bytes", 1), ("min_files", 2), ("promised_hours", 0)):
            if getattr(self, name) < least:
                raise _wrong(name, f"at least {least}", getattr(self, name))
        if self.budget_bytes is not None and self.budget_bytes < 1:
            raise _wrong("budget_bytes", "at least 1, or None for no limit", self.budget_bytes)
        if self.retain_hours is None:
            return
        if self.retain_hours < LEAST_RETAIN_HOURS:
            raise _wrong(
                "retain_hours",
                f"at least {LEAST_RETAIN_HOURS}, so that no running reader or writer loses files",
                self.retain_hours,
            )
        if self.retain_hours < self.promised_hours:
            raise _wrong(
                "retain_hours",
                f"at least {self.promised_hours}, which the longest reader was promised",
                self.retain_hours,
            )

    @property
    def small_file_bytes(self) -> int:
        """Files with fewer bytes than this are small."""
        return max(1, int(self.target_file_bytes * self.small_file_ratio))

    def document(self) -> dict[str, Any]:
        """The policy as JSON-ready data."""
        return asdict(self)


def _wrong(name: str, expected: str, found: object) -> DefinitionError:
    return DefinitionError(
        "the compaction policy cannot be followed",
        where=f"CompactionPolicy.{name}",
        expected=expected,
        found=str(found),
        next_step=f"change {name}",
    )
