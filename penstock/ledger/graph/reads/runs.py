"""Runs, by job, parent and teller, and what they used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, literal, or_, select

from penstock.ledger.graph.nodes import RunNode, UseNode
from penstock.ledger.graph.reads.reads import Reads, entries_of, filled
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_dataset, graph_job, graph_run, graph_use

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement

__all__ = ["RunReads"]

_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


class RunReads(Reads):
    """Questions about runs and their uses of datasets."""

    def runs(
        self,
        *,
        run_id: str | None = None,
        jobs: Collection[int] | None = None,
        parent: str | None = None,
        limit: int,
        offset: int = 0,
    ) -> list[RunNode]:
        """The latest runs, newest first, of what is asked for."""
        query = select(graph_run)
        if run_id is not None:
            query = query.where(graph_run.c.run_id == run_id)
        if jobs is not None:
            query = query.where(graph_run.c.job.in_(sorted(jobs)))
        if parent is not None:
            query = query.where(graph_run.c.parent_run_id == parent)
        query = query.order_by(graph_run.c.started.desc(), graph_run.c.run_id, graph_run.c.job)
        return self._runs(self._connection.execute(query.limit(limit).offset(offset)).all())

    def runs_where(
        self, condition: ColumnElement[bool], *, facets: Collection[str] | None = None
    ) -> list[RunNode]:
        """All runs of which that is so."""
        rows = self._connection.execute(select(graph_run).where(condition)).all()
        return self._runs(rows, facets)

    def latest_runs(
        self, jobs: Collection[int], each: int, *, facets: Collection[str] | None = None
    ) -> dict[int, list[RunNode]]:
        """The latest runs of each of these jobs, newest first, at most `each` of one."""
        other = graph_run.alias("other")
        last = (
            select(other.c.started)
            .where(other.c.job == graph_job.c.id)
            .order_by(other.c.started.desc())
            .limit(1)
            .offset(each - 1)
            .scalar_subquery()
        )
        # by the index of each job's runs, however many it had
        since = func.coalesce(last, literal(_BEFORE_ALL, graph_run.c.started.type))
        query = (
            select(graph_run)
            .select_from(graph_job)
            .join(graph_run, and_(graph_run.c.job == graph_job.c.id, graph_run.c.started >= since))
            .order_by(graph_run.c.started.desc(), graph_run.c.run_id)
        )
        found: dict[int, list[RunNode]] = {job: [] for job in jobs}
        for some in chunks(sorted(jobs)):
            rows = self._connection.execute(query.where(graph_job.c.id.in_(some))).all()
            for run in self._runs(rows, facets):
                if len(found[run.job]) < each:
                    found[run.job].append(run)
        return found

    def run_count(self, jobs: Collection[int]) -> int:
        """How many runs these jobs have had."""
        query = select(func.count()).select_from(graph_run).where(graph_run.c.job.in_(sorted(jobs)))
        return int(self._connection.execute(query).scalar_one())

    def uses(
        self,
        *,
        tellers: Collection[str] | None = None,
        datasets: Collection[int] | None = None,
        role: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int | None = None,
        facets: Collection[str] | None = None,
    ) -> list[UseNode]:
        """Uses, newest first. A dataset's are also those under its other names.

        `after`: those that follow the use of this moment and teller in that order.
        """
        query = select(
            graph_use.c.teller,
            graph_dataset.c.same_as.label("dataset"),
            graph_use.c.role,
            graph_use.c.at,
            graph_use.c.facets,
        ).join(graph_dataset, graph_dataset.c.id == graph_use.c.dataset)
        if tellers is not None:
            query = query.where(graph_use.c.teller.in_(sorted(tellers)))
        if datasets is not None:
            query = query.where(self._is_of(datasets))
        if role is not None:
            query = query.where(graph_use.c.role == role)
        if since is not None:
            query = query.where(graph_use.c.at >= since)
        if until is not None:
            query = query.where(graph_use.c.at <= until)
        if after is not None:
            at, teller = after
            same = and_(graph_use.c.at == at, graph_use.c.teller > teller)
            query = query.where(or_(graph_use.c.at < at, same))
        query = query.order_by(graph_use.c.at.desc(), graph_use.c.teller, graph_use.c.dataset)
        rows = self._connection.execute(query.limit(limit)).all()
        told = [entries_of(row.facets, facets) for row in rows]
        bodies = self._bodies(told)
        return [
            UseNode(
                teller=row.teller,
                dataset=row.dataset,
                role=row.role,
                at=row.at,
                facets=filled(entries, bodies),
            )
            for row, entries in zip(rows, told, strict=True)
        ]

    def _is_of(self, datasets: Collection[int]) -> ColumnElement[bool]:
        """The condition that a use is of one of these, under whichever name."""
        same = select(graph_dataset.c.id).where(graph_dataset.c.same_as.in_(sorted(datasets)))
        ids = self._connection.execute(same).scalars().all()
        # the uses under one name are in the order of the index
        return graph_use.c.dataset == ids[0] if len(ids) == 1 else graph_use.c.dataset.in_(ids)

    def uses_of(
        self,
        tellers: Collection[str],
        *,
        role: str | None = None,
        facets: Collection[str] | None = None,
    ) -> Iterator[UseNode]:
        """The uses of these tellers."""
        for some in chunks(sorted(tellers)):
            yield from self.uses(tellers=some, role=role, facets=facets)

    def runs_of(
        self, tellers: Iterable[str], *, facets: Collection[str] | None = None
    ) -> dict[str, RunNode]:
        """The runs behind these tellers; a job event is behind the others."""
        wanted = {teller for teller in tellers if ":" in teller}
        rows: list[Any] = []
        for some in chunks(sorted({teller.partition(":")[0] for teller in wanted})):
            query = select(graph_run).where(graph_run.c.run_id.in_(some))
            rows += self._connection.execute(query).all()
        return {run.teller: run for run in self._runs(rows, facets) if run.teller in wanted}

    def _runs(self, rows: Sequence[Any], facets: Collection[str] | None = None) -> list[RunNode]:
        told = [entries_of(row.facets, facets) for row in rows]
        bodies = self._bodies(told)
        return [
            RunNode(
                run_id=row.run_id,
                job=row.job,
                state=row.state,
                started=row.started,
                ended=row.ended,
                parent_run_id=row.parent_run_id,
                root_run_id=row.root_run_id,
                facets=filled(entries, bodies),
            )
            for row, entries in zip(rows, told, strict=True)
        ]
