"""Versions of datasets: each run that completed and wrote a dataset made one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from sqlalchemy import Text, cast, func, select

from penstock.lineage.graph.rows import chunks
from penstock.lineage.tables import (
    graph_dataset,
    graph_document,
    graph_job,
    graph_run,
    graph_use,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.lineage.graph.catalog import RunNode, UseNode

__all__ = ["Version", "Versions"]

COMPLETE = "COMPLETE"
_TOLD = "version"  # the facet in which a dataset tells its own version


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a run made of a dataset, by the moment at which it completed.

    `id` is made of the run, its job and the name that the dataset was written under: it stays the
    same when the graph is made anew. `told` is the digest of the version that the run itself told.
    """

    id: UUID
    dataset: int
    run_id: str
    job: int
    at: datetime
    told: str | None

    @property
    def teller(self) -> str:
        """Under which the use that made it is kept."""
        return f"{self.run_id}:{self.job}"


class Versions:
    """Asks in one transaction, and each dataset's versions once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._of: dict[int, list[Version]] = {}
        self._bodies: dict[str, Any] = {}

    def of(self, dataset: int) -> list[Version]:
        """All versions, the newest first."""
        found = self._of.get(dataset)
        if found is None:
            query = _written().where(graph_dataset.c.same_as == dataset)
            query = query.order_by(
                graph_run.c.ended.desc(), graph_run.c.run_id.desc(), graph_run.c.job.desc()
            )
            found = [_version(row) for row in self._connection.execute(query)]
            self._of[dataset] = found
        return found

    def latest(self, datasets: Collection[int], at: datetime | None = None) -> dict[int, Version]:
        """The newest version of each dataset that has one; at an instant, the newest till then."""
        found: dict[int, Version] = {}
        for some in chunks(sorted(datasets)):
            written = _written().where(graph_dataset.c.same_as.in_(some))
            if at is not None:
                written = written.where(graph_run.c.ended <= at)
            newest = func.row_number().over(
                partition_by=graph_dataset.c.same_as,
                order_by=(
                    graph_run.c.ended.desc(),
                    graph_run.c.run_id.desc(),
                    graph_run.c.job.desc(),
                ),
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
        before = [
            version
            for version in self.of(use.dataset)
            if version.at <= run.started and version.teller != run.teller
        ]
        told = use.facets.get(_TOLD, {}).get("datasetVersion")
        if isinstance(told, str):
            others = [v for v in self.of(use.dataset) if v.teller != run.teller]
            same = [v for v in others if v.told and self._told(v.told) == told]
            # who wrote nothing new tells the version that was there
            return next((v for v in same if v in before), same[-1] if same else None)
        return before[0] if before else None

    def _told(self, digest: str) -> Any:
        if digest not in self._bodies:
            wanted = {v.told for versions in self._of.values() for v in versions if v.told}
            for some in chunks(wanted - self._bodies.keys()):
                query = select(graph_document).where(graph_document.c.digest.in_(some))
                self._bodies |= {
                    row.digest: json.loads(row.body).get("datasetVersion")
                    for row in self._connection.execute(query)
                }
        return self._bodies[digest]


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
    name = json.dumps([row.job_namespace, row.job_name, row.namespace, row.name])
    return Version(
        id=uuid5(UUID(row.run_id), name),
        dataset=row.dataset,
        run_id=row.run_id,
        job=row.job,
        at=row.ended,
        told=told[-1] if told else None,
    )
