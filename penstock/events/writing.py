"""What a run wrote of a dataset, as far as its events, or the commit it made, say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from penstock.events.instant import instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["Outcome", "Writing"]

Outcome = Literal["rows", "nothing", "untold", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A run that had the dataset as an output. None: its events do not say.

    `outcome`: it completed and wrote rows, or wrote none; it completed and does not say whether it
    wrote any (`untold`); it did not complete (`none`). `upkeep` is None for a run of rows.
    """

    run_id: str
    job: str
    state: str
    at: datetime
    ended: datetime | None
    outcome: Outcome
    slice: str | None = None
    covers_until: datetime | None = None
    rows: int | None = None
    files: int | None = None
    bytes: int | None = None
    version: str | None = None
    rows_quarantined: int | None = None
    by_check: Mapping[str, int] = field(default_factory=dict)
    quarantine: str | None = None
    upkeep: Mapping[str, Any] | None = None

    @property
    def moment(self) -> datetime:
        """When it ended, or was last heard of."""
        return self.ended or self.at

    @property
    def as_of(self) -> datetime:
        """The instant its rows are of: the end of its slice, or when it ended if that is earlier.

        Whatever was written of an old slice, and whenever, is no newer than the slice.
        """
        return self.moment if self.covers_until is None else min(self.moment, self.covers_until)

    def line(self) -> dict[str, Any]:
        """What every list says of it."""
        return {
            "run_id": self.run_id,
            "job": self.job,
            "state": self.state,
            "at": instant(self.moment),
            "slice": self.slice,
            "version": self.version,
        }
