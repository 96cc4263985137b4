"""Jobs, by name and by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from penstock.ledger.graph.nodes import JobNode
from penstock.ledger.graph.reads.reads import Reads, entries_of, filled, holds
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_job

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["JobReads"]


class JobReads(Reads):
    """Questions about jobs."""

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
        told = {row.id: entries_of(row.facets, facets) for row in rows}
        bodies = self._bodies(told.values())
        return {
            row.id: JobNode(
                id=row.id,
                namespace=row.namespace,
                name=row.name,
                first_seen=row.first_seen,
                last_seen=row.last_seen,
                facets=filled(told[row.id], bodies),
            )
            for row in rows
        }
