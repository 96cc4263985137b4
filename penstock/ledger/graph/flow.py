"""Which datasets each job reads and writes, as of an instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_dataset, graph_lineage, graph_source, graph_validity
from penstock.ledger.graph.walk import held_at

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["Flow", "JobEnds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnds:
    """What a job reads and writes."""

    inputs: frozenset[int] = frozenset()
    outputs: frozenset[int] = frozenset()


class Flow:
    """Asks in one transaction. `at` None: as it is now."""

    def __init__(self, connection: Connection, *, at: datetime | None = None) -> None:
        self._connection = connection
        self._at = at

    def of(self, jobs: Collection[int]) -> dict[int, JobEnds]:
        """The ends of each of these jobs; one that has done nothing yet has none."""
        inputs: dict[int, set[int]] = {job: set() for job in jobs}
        outputs: dict[int, set[int]] = {job: set() for job in jobs}
        for some in chunks(sorted(jobs)):
            query = self._ends().where(graph_validity.c.job.in_(some))
            for row in self._connection.execute(query):
                if row.source is not None:
                    inputs[row.job].add(row.source)
                if row.target is not None:
                    outputs[row.job].add(row.target)
        return {
            job: JobEnds(inputs=frozenset(inputs[job]), outputs=frozenset(outputs[job]))
            for job in jobs
        }

    def jobs_at(self, datasets: Collection[int]) -> set[int]:
        """The jobs that read or write one of these datasets."""
        found: set[int] = set()
        for some in chunks(sorted(datasets)):
            same = select(graph_dataset.c.id).where(graph_dataset.c.same_as.in_(some))
            read = select(graph_source.c.lineage).where(graph_source.c.dataset.in_(same))
            written = select(graph_lineage.c.id).where(graph_lineage.c.dataset.in_(same))
            for lineages in (read, written):
                query = select(graph_validity.c.job).where(
                    graph_validity.c.lineage.in_(lineages), held_at(self._at)
                )
                found |= set(self._connection.execute(query.distinct()).scalars())
        return found

    def around(self, jobs: Collection[int], steps: int) -> dict[int, JobEnds]:
        """The ends of these jobs and of those that share datasets with them, over some steps."""
        found = self.of(jobs)
        frontier = set(found)
        while frontier and steps > 0:
            steps -= 1
            datasets = {d for job in frontier for d in found[job].inputs | found[job].outputs}
            frontier = self.jobs_at(datasets) - found.keys()
            found |= self.of(frontier)
        return found

    def _ends(self) -> Any:
        near, far = graph_dataset.alias("near"), graph_dataset.alias("far")
        return (
            select(
                graph_validity.c.job,
                near.c.same_as.label("source"),
                far.c.same_as.label("target"),
            )
            .select_from(graph_validity)
            .join(graph_lineage, graph_lineage.c.id == graph_validity.c.lineage)
            .outerjoin(graph_source, graph_source.c.lineage == graph_lineage.c.id)
            .outerjoin(near, near.c.id == graph_source.c.dataset)
            .outerjoin(far, far.c.id == graph_lineage.c.dataset)
            .where(held_at(self._at))
        )
