"""What is known of datasets, jobs and runs, by name and by id, with their facets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, literal, or_, select

from penstock.events.name import dataset_name
from penstock.ledger.graph.column_edge import ROWS
from penstock.ledger.graph.last_told import LastTold, merged, standing
from penstock.ledger.graph.nodes import DatasetEdge, DatasetNode, JobNode, RunNode, UseNode
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import (
    graph_column,
    graph_dataset,
    graph_document,
    graph_job,
    graph_lineage,
    graph_run,
    graph_source,
    graph_symlink,
    graph_use,
    graph_validity,
)
from penstock.ledger.graph.walk import Period, held_at, held_during

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.nodes import Facets

__all__ = ["Catalog", "holds", "is_named"]

_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


class Catalog:
    """Asks in one transaction, so that all it sees is of one moment.

    Where `facets` is given, nodes have these facets alone, and no others are read.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._documents: dict[str, Any] = {}

    def dataset_id(self, namespace: str, name: str) -> int | None:
        """The dataset of this name, or the one that claims it as another name. None: unknown."""
        namespace, name = dataset_name(namespace, name) or (namespace, name)
        query = select(graph_dataset.c.same_as).where(
            graph_dataset.c.namespace == namespace, graph_dataset.c.name == name
        )
        found = self._connection.execute(query).scalar()
        if found is None:
            claimed = (
                select(graph_dataset.c.same_as)
                .join(graph_symlink, graph_symlink.c.dataset == graph_dataset.c.id)
                .where(graph_symlink.c.namespace == namespace, graph_symlink.c.name == name)
                .order_by(graph_symlink.c.told.desc(), graph_dataset.c.name.desc())
                .limit(1)
            )
            found = self._connection.execute(claimed).scalar()
        return None if found is None else int(found)

    def dataset_ids(
        self, *, text: str = "", namespace: str | None = None, limit: int, offset: int = 0
    ) -> tuple[list[int], int]:
        """Datasets whose name, or another name, holds the text, by name; and how many there are."""
        query = select(graph_dataset.c.id).where(is_named(text))
        if namespace is not None:
            query = query.where(graph_dataset.c.namespace == namespace)
        total = self._connection.execute(select(func.count()).select_from(query.subquery()))
        ordered = query.order_by(graph_dataset.c.namespace, graph_dataset.c.name)
        found = self._connection.execute(ordered.limit(limit).offset(offset)).scalars()
        return [int(i) for i in found], int(total.scalar_one())

    def datasets(
        self, ids: Collection[int], *, facets: Collection[str] | None = None
    ) -> dict[int, DatasetNode]:
        """These datasets; what was told under their other names is told of them."""
        rows: list[Any] = []
        for some in chunks(sorted(ids)):
            query = select(graph_dataset).where(graph_dataset.c.same_as.in_(some))
            rows += self._connection.execute(query).all()
        told: dict[int, LastTold] = {}
        groups: dict[int, list[Any]] = {}
        for row in rows:
            groups.setdefault(row.same_as, []).append(row)
            entries = _entries(row.facets, facets)
            known = told.get(row.same_as)
            told[row.same_as] = merged(known, entries) if known else entries
        bodies = self._bodies(told.values())
        others = self._other_names([row.id for row in rows])
        found = {}
        for row in rows:
            if row.id != row.same_as:
                continue
            group = groups[row.id]
            found[row.id] = DatasetNode(
                id=row.id,
                namespace=row.namespace,
                name=row.name,
                first_seen=min(r.first_seen for r in group),
                last_seen=max(r.last_seen for r in group),
                facets=_filled(told[row.id], bodies),
                told_at={
                    name: datetime.fromisoformat(entry[0]) for name, entry in told[row.id].items()
                },
                other_names=tuple(others.get(row.id, ())),
            )
        return found

    def names(self, ids: Collection[int]) -> dict[int, Name]:
        """The names of these datasets."""
        found: dict[int, Name] = {}
        for some in chunks(sorted(ids)):
            query = select(graph_dataset.c.id, graph_dataset.c.namespace, graph_dataset.c.name)
            rows = self._connection.execute(query.where(graph_dataset.c.id.in_(some)))
            found |= {number: (namespace, name) for number, namespace, name in rows}
        return found

    def columns(self, ids: Collection[int]) -> dict[int, tuple[int, str]]:
        """(dataset, name) of each of these columns."""
        found: dict[int, tuple[int, str]] = {}
        for some in chunks(sorted(ids)):
            query = select(graph_column).where(graph_column.c.id.in_(some))
            found |= {r.id: (r.dataset, r.name) for r in self._connection.execute(query)}
        return found

    def column_ids(self, dataset: int) -> dict[str, int]:
        """The columns of a dataset by name; that of its rows is left out."""
        return {name: column for (_, name), column in self.columns_by_name([dataset]).items()}

    def columns_by_name(self, datasets: Collection[int]) -> dict[tuple[int, str], int]:
        """The columns of these datasets; those of their rows are left out."""
        found: dict[tuple[int, str], int] = {}
        for some in chunks(sorted(datasets)):
            query = select(graph_column).where(graph_column.c.dataset.in_(some))
            rows = self._connection.execute(query.where(graph_column.c.name != ROWS))
            found |= {(row.dataset, row.name): row.same_as for row in rows}
        return found

    def job_id(self, namespace: str, name: str) -> int | None:
        """The job of this name."""
        query = select(graph_job.c.id)
        query = query.where(graph_job.c.namespace == namespace, graph_job.c.name == name)
        return self._connection.execute(query).scalar()

    def job_ids(
        self, *, text: str = "", namespace: str | None = None, limit: int, offset: int = 0
    ) -> tuple[list[int], int]:
        """Jobs whose name holds the text, by name; and how many there are."""
        query = select(graph_job.c.id)
        if namespace is not None:
            query = query.where(graph_job.c.namespace == namespace)
        if text:
            query = query.where(holds(graph_job.c.name, text))
        total = self._connection.execute(select(func.count()).select_from(query.subquery()))
        ordered = query.order_by(graph_job.c.namespace, graph_job.c.name)
        found = self._connection.execute(ordered.limit(limit).offset(offset)).scalars()
        return [int(i) for i in found], int(total.scalar_one())

    def jobs(
        self, ids: Collection[int], *, facets: Collection[str] | None = None
    ) -> dict[int, JobNode]:
        """These jobs."""
        rows: list[Any] = []
        for some in chunks(sorted(ids)):
            rows += self._connection.execute(select(graph_job).where(graph_job.c.id.in_(some)))
        told = {row.id: _entries(row.facets, facets) for row in rows}
        bodies = self._bodies(told.values())
        return {
            row.id: JobNode(
                id=row.id,
                namespace=row.namespace,
                name=row.name,
                first_seen=row.first_seen,
                last_seen=row.last_seen,
                facets=_filled(told[row.id], bodies),
            )
            for row in rows
        }

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
            query = query.where(graph_dataset.c.same_as.in_(sorted(datasets)))
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
        told = [_entries(row.facets, facets) for row in rows]
        bodies = self._bodies(told)
        return [
            UseNode(
                teller=row.teller,
                dataset=row.dataset,
                role=row.role,
                at=row.at,
                facets=_filled(entries, bodies),
            )
            for row, entries in zip(rows, told, strict=True)
        ]

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

    def edges(
        self,
        *,
        sources: Collection[int] | None = None,
        targets: Collection[int] | None = None,
        at: datetime | None = None,
        during: Period | None = None,
    ) -> list[DatasetEdge]:
        """What is made of these, and what these are made of, as of an instant. None: all.

        With `during`, what was so at some instant of the period.
        """
        near = graph_dataset.alias("near")
        far = graph_dataset.alias("far")
        query = (
            select(
                graph_validity.c.job,
                near.c.same_as.label("source"),
                far.c.same_as.label("target"),
                graph_validity.c.valid_from,
                graph_validity.c.valid_to,
            )
            .select_from(graph_source)
            .join(graph_lineage, graph_lineage.c.id == graph_source.c.lineage)
            .join(graph_validity, graph_validity.c.lineage == graph_lineage.c.id)
            .join(near, near.c.id == graph_source.c.dataset)
            .outerjoin(far, far.c.id == graph_lineage.c.dataset)
            .where(held_at(at) if during is None else held_during(during))
        )
        asked = [
            query.where(column.in_(some))
            for column, ids in ((near.c.same_as, sources), (far.c.same_as, targets))
            if ids is not None
            for some in chunks(sorted(ids))
        ]
        if sources is None and targets is None:
            asked = [query]
        found = {
            DatasetEdge(
                job=row.job,
                source=row.source,
                target=row.target,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
            )
            for one in asked
            for row in self._connection.execute(one)
        }
        return sorted(found, key=lambda e: (e.source, e.target or 0, e.job, e.valid_from))

    def _runs(self, rows: Sequence[Any], facets: Collection[str] | None = None) -> list[RunNode]:
        told = [_entries(row.facets, facets) for row in rows]
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
                facets=_filled(entries, bodies),
            )
            for row, entries in zip(rows, told, strict=True)
        ]

    def _other_names(self, ids: Collection[int]) -> dict[int, list[Name]]:
        found: dict[int, list[Name]] = {}
        for some in chunks(sorted(ids)):
            query = select(graph_symlink).where(graph_symlink.c.dataset.in_(some))
            query = query.where(~graph_symlink.c.renamed)
            query = query.order_by(graph_symlink.c.told.desc(), graph_symlink.c.name)
            for row in self._connection.execute(query):
                found.setdefault(row.dataset, []).append((row.namespace, row.name))
        return found

    def _bodies(self, told: Iterable[LastTold]) -> Mapping[str, Any]:
        known = self._documents
        for some in chunks(
            sorted({e[-1] for facets in told for e in standing(facets).values()} - known.keys())
        ):
            query = select(graph_document).where(graph_document.c.digest.in_(some))
            known.update(
                (row.digest, json.loads(row.body)) for row in self._connection.execute(query)
            )
        return known


def _entries(text: str, only: Collection[str] | None) -> LastTold:
    if only is None:
        return dict(json.loads(text))
    return {name: entry for name, entry in json.loads(text).items() if name in only} if only else {}


def _filled(told: LastTold, bodies: Mapping[str, Any]) -> Facets:
    return {name: bodies[entry[-1]] for name, entry in sorted(standing(told).items())}


def is_named(text: str) -> Any:
    """The condition that a dataset is none's other name, and has the text in one of its own."""
    same = graph_dataset.c.same_as == graph_dataset.c.id
    if not text:
        return same
    other = select(graph_symlink.c.dataset).where(holds(graph_symlink.c.name, text))
    return and_(same, or_(holds(graph_dataset.c.name, text), graph_dataset.c.id.in_(other)))


def holds(column: Any, text: str) -> Any:
    """The condition that the column has the text in it, whatever its case."""
    return func.lower(column).contains(text.lower(), autoescape=True)
