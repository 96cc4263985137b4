"""Versions of datasets: each run that completed and wrote a dataset made one."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from sqlalchemy import Text, cast, func, select

from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import (
    graph_dataset,
    graph_document,
    graph_job,
    graph_run,
    graph_use,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.nodes import RunNode, UseNode

__all__ = ["Version", "Versions"]

COMPLETE = "COMPLETE"
_START = datetime(1, 1, 1, tzinfo=UTC)  # of time, to count down to
_NEWEST_FIRST = (graph_run.c.ended.desc(), graph_run.c.run_id.desc(), graph_run.c.job.desc())
_TOLD = "version"  # the facet in which a dataset tells its own version


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a run made of a dataset, by the moment at which it completed.

    `written_by` and `written_as` are the names of the job and of the dataset as it was written.
    `told` is the digest of the version that the run itself told.
    """

    dataset: int
    written_by: Name
    written_as: Name
    run_id: str
    job: int
    at: datetime
    told: str | None

    @property
    def id(self) -> UUID:
        """Made of the run and the names, so that it is the same when the graph is made anew."""
        return uuid5(UUID(self.run_id), json.dumps([*self.written_by, *self.written_as]))

    @property
    def teller(self) -> str:
        """Under which the use that made it is kept."""
        return f"{self.run_id}:{self.job}"


@dataclass(slots=True)
class _History:
    """The versions of a dataset, the newest first; by who made them; by what they told to be."""

    all: list[Version] = field(default_factory=list)
    by_teller: dict[str, Version] = field(default_factory=dict)
    by_told: dict[Any, list[Version]] | None = None


class Versions:
    """Asks in one transaction, and each dataset's versions once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._of: dict[int, _History] = {}

    def load(self, datasets: Collection[int]) -> None:
        """Read the versions of these, unless that was done."""
        for some in chunks(sorted(set(datasets) - self._of.keys())):
            self._of |= {dataset: _History() for dataset in some}
            query = _written().where(graph_dataset.c.same_as.in_(some))
            for row in self._connection.execute(query.order_by(*_NEWEST_FIRST)):
                version = _version(row)
                self._of[row.dataset].all.append(version)
                self._of[row.dataset].by_teller[version.teller] = version

    def of(self, dataset: int) -> list[Version]:
        """All versions, the newest first."""
        return self._history(dataset).all

    def made_by(self, teller: str, dataset: int) -> Version | None:
        """The version that the teller made of the dataset."""
        return self._history(dataset).by_teller.get(teller)

    def latest(self, datasets: Collection[int], at: datetime | None = None) -> dict[int, Version]:
        """The newest version of each dataset that has one; at an instant, the newest till then."""
        found: dict[int, Version] = {}
        for some in chunks(sorted(datasets)):
            written = _written().where(graph_dataset.c.same_as.in_(some))
            if at is not None:
                written = written.where(graph_run.c.ended <= at)
            newest = func.row_number().over(
                partition_by=graph_dataset.c.same_as,
                order_by=_NEWEST_FIRST,
            )
            ranked = written.add_columns(newest.label("rank")).subquery()
            rows = self._connection.execute(select(ranked).where(ranked.c.rank == 1))
            found |= {row.dataset: _version(row) for row in rows}
        return found

    def read_by(self, run: RunNode, use: UseNode) -> Version | None:
        """Which version of a dataset the run read.

        The one with the version that the run told to have read; when none was told, the newest
        that was there when the run started.
        """
        history = self._history(use.dataset)
        told = use.facets.get(_TOLD, {}).get("datasetVersion")
        if isinstance(told, str):
            same = self._told(history).get(told, [])
            # who wrote nothing new tells the version that was there
            later = (v for v in reversed(same) if v.teller != run.teller)
            return _newest(same, run) or next(later, None)
        return _newest(history.all, run)

    def _history(self, dataset: int) -> _History:
        self.load([dataset])
        return self._of[dataset]

    def _told(self, history: _History) -> dict[Any, list[Version]]:
        if history.by_told is None:
            bodies: dict[str, Any] = {}
            for some in chunks({v.told for v in history.all if v.told}):
                query = select(graph_document).where(graph_document.c.digest.in_(some))
                bodies |= {r.digest: json.loads(r.body) for r in self._connection.execute(query)}
            history.by_told = {}
            for version in history.all:
                told = bodies[version.told].get("datasetVersion") if version.told else None
                if isinstance(told, str):
                    history.by_told.setdefault(told, []).append(version)
        return history.by_told


def _newest(versions: Sequence[Version], run: RunNode) -> Version | None:
    """Of these, the newest first, that which was there when the run started."""
    start = bisect_left(versions, _START - run.started, key=lambda version: _START - version.at)
    return next((v for v in versions[start:] if v.teller != run.teller), None)


def _written() -> Any:
    teller = graph_run.c.run_id + ":" + cast(graph_run.c.job, Text)
    return (
        select(
            graph_dataset.c.same_as.label("dataset"),
            graph_dataset.c.namespace,
            graph_dataset.c.name,
            graph_job.c.namespace.label("job_namespace"),
            graph_job.c.name.label("job_name"),
            graph_run.c.run_id,
            graph_run.c.job,
            graph_run.c.ended,
            graph_use.c.facets,
        )
        .select_from(graph_use)
        .join(graph_dataset, graph_dataset.c.id == graph_use.c.dataset)
        # by the id first, which has an index
        .join(graph_run, graph_run.c.run_id == func.substr(graph_use.c.teller, 1, 36))
        .join(graph_job, graph_job.c.id == graph_run.c.job)
        .where(
            graph_use.c.role == "OUT",
            graph_use.c.teller == teller,
            graph_run.c.state == COMPLETE,
        )
    )


def _version(row: Any) -> Version:
    told = json.loads(row.facets).get(_TOLD)
    return Version(
        dataset=row.dataset,
        written_by=(row.job_namespace, row.job_name),
        written_as=(row.namespace, row.name),
        run_id=row.run_id,
        job=row.job,
        at=row.ended,
        told=told[-1] or None if told else None,
    )
