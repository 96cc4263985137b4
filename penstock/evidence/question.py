"""What evidence is asked of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.errors import InputError
from penstock.events.instant import instant
from penstock.ledger.graph.walk import Period

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A dataset (`namespace|name`, or what it is called), a column of it, or a class of data.

    Each of them within a period, or a period alone. A class is one of personal data. Raises
    InputError when nothing is asked, a column of no dataset, a class and a dataset, or a period
    that ends before it begins.
    """

    dataset: str | None = None
    column: str | None = None
    pii: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if all(part is None for part in (self.dataset, self.pii, self.since, self.until)):
            raise self._refused("neither a dataset, nor a class of personal data, nor a period")
        if self.pii is not None and (self.dataset is not None or self.column is not None):
            raise self._refused("a class of personal data and a dataset or column")
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
            "pii": self.pii,
            "since": instant(self.since) if self.since else None,
            "until": instant(self.until) if self.until else None,
        }

    @staticmethod
    def _refused(found: str) -> InputError:
        return InputError(
            "evidence is asked of a dataset, a column of it, a class of personal data, or a period",
            where="evidence",
            expected="a dataset, a dataset and a column, a class, a moment to begin or to end at",
            found=found,
            next_step="name the dataset or the class, or since when",
        )
