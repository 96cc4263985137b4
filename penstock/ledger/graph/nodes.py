"""Datasets, jobs, runs, and what joins them, as the graph keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from penstock.events.name import Name

__all__ = ["DatasetEdge", "DatasetNode", "Facets", "JobNode", "RunNode", "UseNode"]

Facets = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetNode:
    """A dataset under its own name. `other_names` are those it says it has, the last told first.

    `told_at` is when each facet was told last.
    """

    id: int
    namespace: str
    name: str
    first_seen: datetime
    last_seen: datetime
    facets: Facets
    told_at: Mapping[str, datetime]
    other_names: tuple[Name, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNode:
    """A job."""

    id: int
    namespace: str
    name: str
    first_seen: datetime
    last_seen: datetime
    facets: Facets


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNode:
    """A run of a job; `teller` is what its uses are told by."""

    run_id: str
    job: int
    state: str
    started: datetime
    ended: datetime | None
    parent_run_id: str | None
    root_run_id: str | None
    facets: Facets

    @property
    def teller(self) -> str:
        """Under which the run's uses are kept."""
        return f"{self.run_id}:{self.job}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UseNode:
    """That somebody read (`IN`) or wrote (`OUT`) a dataset."""

    teller: str
    dataset: int
    role: str
    at: datetime
    facets: Facets


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetEdge:
    """`job` makes `target` of `source`; None when it only reads."""

    job: int
    source: int
    target: int | None
    valid_from: datetime
    valid_to: datetime | None
