"""What a run did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from penstock.lineage.column_lineage import ColumnLineage

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a run: what is in the table now, and what was set aside.

    `committed` is False when the table already held this result and nothing was written.
    `rows_in` = `rows_good` + `rows_quarantined`, without those that the mode passes over: known
    keys under `Append(known="skip")`, older rows of a key, removals in a first run. `rows_changed`
    are those that the commit inserted or updated (a merge leaves equal rows alone), `rows_removed`
    those it took out. None: the commit does not say.
    """

    dataset: str
    slice_key: str
    run_id: UUID
    committed: bool
    version: int
    rows_in: int | None
    rows_changed: int | None
    rows_quarantined: int
    rows_removed: int = 0
    quarantined_by_rule: Mapping[str, int] = field(default_factory=dict)
    warned: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    lineage: ColumnLineage | None = None
    table_rows: int | None = None
    files: int | None = None
    bytes: int | None = None
    path: str = ""
    seconds: float = 0.0

    @property
    def one_slice(self) -> bool:
        """Whether it is about one slice: not a range of them, nor the whole dataset."""
        return self.slice_key != "whole" and not any(
            sign in self.slice_key for sign in ("...", ",")
        )

    def document(self) -> dict[str, Any]:
        """The outcome as JSON-ready data, without the column lineage."""
        return {
            "dataset": self.dataset,
            "slice": self.slice_key,
            "run_id": str(self.run_id),
            "committed": self.committed,
            "version": self.version,
            "rows_in": self.rows_in,
            "rows_changed": self.rows_changed,
            "rows_removed": self.rows_removed,
            "rows_quarantined": self.rows_quarantined,
            "quarantined_by_rule": dict(self.quarantined_by_rule),
            "warned": dict(self.warned),
            "files": self.files,
            "bytes": self.bytes,
            "path": self.path,
            "seconds": round(self.seconds, 3),
        }
