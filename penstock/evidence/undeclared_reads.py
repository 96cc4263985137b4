"""What runs read and did not tell, as far as another witness saw them reading. Pure.

The witness is OpenLineage's Spark listener, or whoever else tells of queries and of the job group
or the Spark application they ran in. A run of which nobody else told anything is not corroborated,
and of it nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.events.instant import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from penstock.evidence.witness import Seen, Witnessed

__all__ = ["ReadDay", "Reads", "UndeclaredRead", "reads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeclaredRead:
    """A dataset that a run was seen reading and told of nowhere.

    `columns` are those that are known to have been read, None when none is. `certain`: a query
    names the run; otherwise it went on in the run's Spark while the run did.
    """

    run_id: str
    at: datetime
    id: str
    label: str
    columns: tuple[str, ...] | None
    seen_by: tuple[str, ...]
    certain: bool

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "run_id": self.run_id,
            "at": instant(self.at),
            "dataset": self.id,
            "label": self.label,
            "columns": None if self.columns is None else list(self.columns),
            "seen_by": list(self.seen_by),
            "certain": self.certain,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDay:
    """The runs of a day in UTC, how many of them were corroborated, what these did not tell."""

    day: str
    runs: int
    corroborated: int
    undeclared_reads: int | None

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "day": self.day,
            "runs": self.runs,
            "corroborated": self.corroborated,
            "undeclared_reads": self.undeclared_reads,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Of the runs that set out to write one dataset, however they ended.

    `undeclared` is None when no run is corroborated: nothing is known, which is not "none".
    """

    runs: int
    corroborated: int
    undeclared: tuple[UndeclaredRead, ...] | None
    by_day: tuple[ReadDay, ...]

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        told = None if self.undeclared is None else [read.document() for read in self.undeclared]
        return {
            "runs": self.runs,
            "corroborated": self.corroborated,
            "undeclared_reads": told,
            "reads_by_day": [day.document() for day in self.by_day],
        }


def reads(runs: Iterable[Witnessed]) -> Reads:
    """What these runs were seen reading and did not tell."""
    known = sorted(runs, key=lambda run: (run.at, run.run_id))
    found = {run.run_id: tuple(_undeclared(run)) for run in known if run.seen is not None}
    days: dict[str, list[str]] = {}
    for run in known:
        days.setdefault(instant(run.at)[:10], []).append(run.run_id)
    return Reads(
        runs=len(known),
        corroborated=len(found),
        undeclared=tuple(read for run in known for read in found.get(run.run_id, ()))
        if found
        else None,
        by_day=tuple(_day(day, some, found) for day, some in sorted(days.items())),
    )


def _undeclared(run: Witnessed) -> Iterator[UndeclaredRead]:
    by_dataset: dict[str, list[Seen]] = {}
    for seen in run.seen or ():
        by_dataset.setdefault(seen.read.id, []).append(seen)
    for dataset, seen_by in sorted(by_dataset.items()):
        columns = {name for seen in seen_by for name in seen.read.columns}
        yield UndeclaredRead(
            run_id=run.run_id,
            at=run.at,
            id=dataset,
            label=seen_by[0].read.label,
            columns=tuple(sorted(columns)) or None,
            seen_by=tuple(sorted({seen.by for seen in seen_by})),
            certain=any(seen.certain for seen in seen_by),
        )


def _day(day: str, runs: list[str], found: dict[str, tuple[UndeclaredRead, ...]]) -> ReadDay:
    known = [found[run] for run in runs if run in found]
    return ReadDay(
        day=day,
        runs=len(runs),
        corroborated=len(known),
        undeclared_reads=sum(map(len, known)) if known else None,
    )
