"""What evidence is asked of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.errors import InputError
from penstock.lineage.graph.walk import Period
from penstock.lineage.instant import instant

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A dataset (`namespace|name`, or what it is called), a column of it, a period, or all of them.

    Raises InputError when nothing is asked, or a column of no dataset, or a period that ends
    before it begins.
    """

    dataset: str | None = None
    column: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.dataset is None and self.since is None and self.until is None:
            raise self._refused("neither a dataset nor a period")
        if self.column is not None and self.dataset is None:
            raise self._refused("a column without its dataset")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise self._refused("a period that ends before it begins")

    @property
    def period(self) -> Period:
        """The period, without bounds where none was given."""
        return Period(since=self.since, until=self.until)

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "dataset": self.dataset,
            "column": self.column,
            "since": instant(self.since) if self.since else None,
            "until": instant(self.until) if self.until else None,
        }

    @staticmethod
    def _refused(found: str) -> InputError:
        return InputError(
            "evidence is asked of a dataset, of a column of it, or of a period",
            where="evidence",
            expected="a dataset, a dataset and a column, a moment to begin or to end at",
            found=found,
            next_step="name the dataset, or since when",
        )
