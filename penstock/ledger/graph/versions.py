"""Versions of datasets: each run that completed and wrote a dataset made one."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from sqlalchemy import Select, func, or_, select, true

from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_dataset, graph_job, graph_use

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.nodes import RunNode, UseNode

__all__ = ["Version", "Versions"]

COMPLETE = "COMPLETE"
_START = datetime(1, 1, 1, tzinfo=UTC)  # of time, to count down to
_NEWEST_FIRST = (graph_use.c.made_at.desc(), graph_use.c.teller.desc(), graph_use.c.dataset)
_TOLD = "version"  # the facet in which a dataset tells its own version
_FEW = 4  # versions of a dataset that are called the same, where names tell them apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a run made of a dataset, by the moment at which it completed.

    `written_by` and `written_as` are the names of the job and of the dataset as it was written.
    `told` is what the run itself called the version.
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


class Versions:
    """Asks in one transaction, by indexes.

    `count`, and `of` without a limit, read the history of one dataset; the others do not grow with
    it. A dataset's versions are also those that were written under its other names: of those that
    one run wrote, the one whose name comes first is told, however it is looked for.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: dict[int, list[int]] = {}
        self._datasets: dict[int, tuple[int, Name]] = {}
        self._jobs: dict[int, Name] = {}

    def count(self, dataset: int) -> int:
        """How many versions the dataset has had."""
        found = self._connection.execute(_made(func.count()).where(self._of([dataset])))
        return int(found.scalar_one())

    def of(self, dataset: int, *, limit: int | None = None, offset: int = 0) -> list[Version]:
        """The versions of a dataset, the newest first."""
        query = _made().where(self._of([dataset])).order_by(*_NEWEST_FIRST)
        return self._found(query.limit(limit).offset(offset))

    def made_by(self, tellers: Iterable[str]) -> dict[tuple[str, int], Version]:
        """What these made, by (teller, dataset)."""
        found: dict[tuple[str, int], Version] = {}
        for some in chunks(sorted(set(tellers))):
            query = _made().where(graph_use.c.teller.in_(some))
            for version in _newest_first(self._found(query)):
                found.setdefault((version.teller, version.dataset), version)
        return found

    def latest(self, datasets: Collection[int], at: datetime | None = None) -> dict[int, Version]:
        """The newest version of each dataset that has one; at an instant, the newest till then."""
        until = graph_use.c.made_at <= at if at is not None else true()
        return {dataset: found[0] for dataset, found in self._newest_of(datasets, until).items()}

    def read_by(self, reads: Sequence[tuple[RunNode, UseNode]]) -> list[Version | None]:
        """Which version of a dataset each run read by its use.

        The one with the version that the run told to have read; when none was told, the newest
        that was there when the run started.
        """
        called = {(use.dataset, told) for _, use in reads if (told := _told(use)) is not None}
        so_called = self._called(called)
        plain = [(run, use.dataset) for run, use in reads if _told(use) is None]
        there, hiding = self._around(plain) if plain else ({}, set())
        found = []
        for run, use in reads:
            told = _told(use)
            if told is None:
                # its own, which ended before it started, would hide one under the same name
                versions = (
                    self._before(use.dataset, run)
                    if (run.teller, use.dataset) in hiding
                    else there.get(use.dataset, [])
                )
                version = _newest(versions, run)
            else:
                # where names do not tell versions apart, it is looked for by itself
                same = (
                    self._before(use.dataset, run, told)
                    if so_called is None
                    else so_called.get((use.dataset, told), [])
                )
                # who wrote nothing new tells the version that was there
                version = _newest(same, run) or _oldest(same, run)
            found.append(version)
        return found

    def _around(
        self, reads: Sequence[tuple[RunNode, int]]
    ) -> tuple[dict[int, list[Version]], set[tuple[str, int]]]:
        """Of each dataset, newest first: those made since the first run began, and the last before.

        Whichever of these runs asks, what was there when it started is among them, but for those
        that made one of these last themselves, by (teller, dataset).
        """
        begun, datasets = [run.started for run, _ in reads], {dataset for _, dataset in reads}
        found = self._newest_of(datasets, graph_use.c.made_at < min(begun))
        last = {(version.teller, key) for key, versions in found.items() for version in versions}
        for ids in chunks(self._names_of(datasets)):
            query = _made().where(
                graph_use.c.dataset.in_(ids),
                graph_use.c.made_at >= min(begun),
                graph_use.c.made_at <= max(begun),
            )
            for version in self._found(query):
                found.setdefault(version.dataset, []).append(version)
        return {dataset: _newest_first(each) for dataset, each in found.items()}, last

    def _newest_of(
        self, datasets: Collection[int], condition: ColumnElement[bool]
    ) -> dict[int, list[Version]]:
        """Of each dataset the newest version that is so under each name, the newest first."""
        newest = (
            select(graph_use.c.teller)
            .where(graph_use.c.dataset == graph_dataset.c.id, graph_use.c.made_at.is_not(None))
            .where(condition)
            .correlate(graph_dataset)
            .order_by(*_NEWEST_FIRST)
            .limit(1)
        )
        last: set[tuple[int, str]] = set()
        for some in chunks(sorted(datasets)):
            query = select(graph_dataset.c.id, newest.scalar_subquery())
            rows = self._connection.execute(query.where(graph_dataset.c.same_as.in_(some)))
            last |= {(id_, teller) for id_, teller in rows if teller is not None}
        found: dict[int, list[Version]] = {}
        for tellers in chunks(sorted({teller for _, teller in last})):
            query = _made().where(graph_use.c.teller.in_(tellers))
            for version in self._found(query, only=last):
                found.setdefault(version.dataset, []).append(version)
        return {dataset: _newest_first(each) for dataset, each in found.items()}

    def _called(
        self, wanted: Collection[tuple[int, str]]
    ) -> dict[tuple[int, str], list[Version]] | None:
        """By (dataset, what it is called), newest first; None where many are called the same."""
        self._know({dataset for dataset, _ in wanted})
        pairs = [(id_, told) for dataset, told in sorted(wanted) for id_ in self._ids[dataset]]
        found: dict[tuple[int, str], list[Version]] = {}
        for some in chunks(pairs):
            by_name: dict[int, list[str]] = {}
            for id_, told in some:
                by_name.setdefault(id_, []).append(told)
            # each looks into the index; of pairs SQLite would take the first half alone
            named = [
                (graph_use.c.dataset == id_) & graph_use.c.told_version.in_(all_told)
                for id_, all_told in by_name.items()
            ]
            versions = self._found(_made().where(or_(*named)).limit(_FEW * len(some) + 1))
            if len(versions) > _FEW * len(some):
                return None
            for version in versions:
                found.setdefault((version.dataset, version.told or ""), []).append(version)
        return {key: _newest_first(each) for key, each in found.items()}

    def _before(self, dataset: int, run: RunNode, told: str | None = None) -> list[Version]:
        """The newest first, and all of the newest run, that was there when the run started.

        None of its own. Of those called so, where they are `told`; where none of these was there
        yet, all of the run that was the first to make one.
        """
        query = _made().where(self._of([dataset]), graph_use.c.teller != run.teller)
        if told is not None:
            query = query.where(graph_use.c.told_version == told)
        names = len(self._ids[dataset])  # all that one run wrote at most
        there = query.where(graph_use.c.made_at <= run.started).order_by(*_NEWEST_FIRST)
        found = self._found(there.limit(names))
        if told is not None and not found:
            first = query.order_by(graph_use.c.made_at, graph_use.c.teller)
            found = self._found(first.limit(names))
        return _newest_first(found)

    def _know(self, datasets: Collection[int]) -> None:
        """All names of these datasets."""
        for some in chunks(sorted(set(datasets) - self._ids.keys())):
            self._ids |= {dataset: [] for dataset in some}
            query = select(
                graph_dataset.c.id,
                graph_dataset.c.same_as,
                graph_dataset.c.namespace,
                graph_dataset.c.name,
            )
            for row in self._connection.execute(query.where(graph_dataset.c.same_as.in_(some))):
                self._ids[row.same_as].append(row.id)
                self._datasets[row.id] = (row.same_as, (row.namespace, row.name))

    def _names_of(self, datasets: Collection[int]) -> list[int]:
        self._know(datasets)
        return [id_ for dataset in sorted(datasets) for id_ in self._ids[dataset]]

    def _of(self, datasets: Collection[int]) -> Any:
        """The condition that a use is of one of these datasets, under whichever name."""
        ids = self._names_of(datasets)
        # one name is looked up in the index in its order
        return graph_use.c.dataset == ids[0] if len(ids) == 1 else graph_use.c.dataset.in_(ids)

    def _found(
        self, query: Select[Any], *, only: Collection[tuple[int, str]] | None = None
    ) -> list[Version]:
        """The versions; with `only`, of these uses by (name of a dataset, teller) alone."""
        rows: Sequence[Any] = self._connection.execute(query).all()
        if only is not None:
            rows = [row for row in rows if (row.dataset, row.teller) in only]
        parted = [(row, *row.teller.split(":")) for row in rows]
        self._name({row.dataset for row in rows}, {int(job) for _, _, job in parted})
        return [
            Version(
                dataset=self._datasets[row.dataset][0],
                written_by=self._jobs[int(job)],
                written_as=self._datasets[row.dataset][1],
                run_id=run_id,
                job=int(job),
                at=row.made_at,
                told=row.told_version,
            )
            for row, run_id, job in parted
        ]

    def _name(self, datasets: set[int], jobs: set[int]) -> None:
        for some in chunks(sorted(datasets - self._datasets.keys())):
            query = select(graph_dataset.c.same_as).where(graph_dataset.c.id.in_(some))
            self._know(set(self._connection.execute(query).scalars()))
        for some in chunks(sorted(jobs - self._jobs.keys())):
            named = select(graph_job.c.id, graph_job.c.namespace, graph_job.c.name)
            for row in self._connection.execute(named.where(graph_job.c.id.in_(some))):
                self._jobs[row.id] = (row.namespace, row.name)


def _told(use: UseNode) -> str | None:
    told = use.facets.get(_TOLD, {}).get("datasetVersion")
    return told if isinstance(told, str) else None


def _by_age(version: Version) -> tuple[datetime, str]:
    return version.at, version.teller


def _newest_first(versions: Iterable[Version]) -> list[Version]:
    """Of one run by the names under which it was written."""
    by_name = sorted(versions, key=lambda version: version.written_as)
    return sorted(by_name, key=_by_age, reverse=True)


def _newest(versions: Sequence[Version], run: RunNode) -> Version | None:
    """Of these, the newest first, that which was there when the run started."""
    start = bisect_left(versions, _START - run.started, key=lambda version: _START - version.at)
    return next((v for v in versions[start:] if v.teller != run.teller), None)


def _oldest(versions: Sequence[Version], run: RunNode) -> Version | None:
    """Of these, the first that another run made."""
    others = (version for version in versions if version.teller != run.teller)
    return min(others, key=_by_age, default=None)


def _made(*columns: Any) -> Select[Any]:
    """The uses that made a version."""
    wanted = columns or (
        graph_use.c.teller,
        graph_use.c.dataset,
        graph_use.c.made_at,
        graph_use.c.told_version,
    )
    return select(*wanted).select_from(graph_use).where(graph_use.c.made_at.is_not(None))
