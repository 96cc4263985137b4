"""Runs as Marquez has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.lineage.graph.catalog import Catalog, DatasetNode, RunNode, UseNode
from penstock.lineage.graph.rows import chunks
from penstock.lineage.graph.versions import Version, Versions
from penstock.lineage.server.marquez.dataset_body import named
from penstock.lineage.server.marquez.job_version import ends_of, job_version
from penstock.lineage.server.marquez.moment import stamp
from penstock.lineage.server.marquez.told_facet import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from penstock.lineage.graph.catalog import JobNode

__all__ = ["RunBodies", "state_of"]

_STATES = {
    "START": "RUNNING",
    "RUNNING": "RUNNING",
    "COMPLETE": "COMPLETED",
    "FAIL": "FAILED",
    "ABORT": "ABORTED",
}


def state_of(run: RunNode) -> str:
    """Marquez's word for how the run stands. One that never said that it began is NEW."""
    return _STATES.get(run.state, "NEW")


class RunBodies:
    """Asks in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._catalog = Catalog(connection)
        self._versions = Versions(connection)

    def of(self, runs: Sequence[RunNode]) -> list[dict[str, Any]]:
        """The body of each of these runs."""
        uses = self.uses_of(runs)
        jobs = self._catalog.jobs({run.job for run in runs})
        datasets = self._catalog.datasets({u.dataset for found in uses.values() for u in found})
        return [self._body(run, jobs[run.job], uses[run.teller], datasets) for run in runs]

    def uses_of(self, runs: Iterable[RunNode]) -> dict[str, list[UseNode]]:
        """What each of these runs used, by its teller."""
        uses: dict[str, list[UseNode]] = {run.teller: [] for run in runs}
        for some in chunks(sorted(uses)):
            for use in self._catalog.uses(tellers=some):
                uses[use.teller].append(use)
        return uses

    def read(self, run: RunNode, uses: Iterable[UseNode]) -> list[tuple[UseNode, Version | None]]:
        """What the run read, each with the version that it was then."""
        return [(use, self._versions.read_by(run, use)) for use in uses if use.role == "IN"]

    def _body(
        self,
        run: RunNode,
        job: JobNode,
        uses: list[UseNode],
        datasets: Mapping[int, DatasetNode],
    ) -> dict[str, Any]:
        seconds = (run.ended - run.started).total_seconds() if run.ended else None
        written = {
            use.dataset: version
            for use in uses
            if use.role == "OUT"
            for version in self._versions.of(use.dataset)
            if version.teller == run.teller
        }
        version = job_version(job, ends_of(uses), datasets)
        return {
            "id": run.run_id,
            "createdAt": stamp(run.started),
            "updatedAt": stamp(run.ended or run.started),
            "nominalStartTime": text_of(run.facets, "nominalTime", "nominalStartTime"),
            "nominalEndTime": text_of(run.facets, "nominalTime", "nominalEndTime"),
            "state": state_of(run),
            "startedAt": stamp(run.started),
            "endedAt": stamp(run.ended),
            "durationMs": None if seconds is None else round(seconds * 1000),
            "args": {},
            "jobVersion": {"namespace": job.namespace, "name": job.name, "version": str(version)},
            "inputDatasetVersions": [
                _use(use, datasets[use.dataset], found) for use, found in self.read(run, uses)
            ],
            "outputDatasetVersions": [
                _use(use, datasets[use.dataset], written.get(use.dataset))
                for use in uses
                if use.role == "OUT"
            ],
            "facets": run.facets,
        }


def _use(use: UseNode, dataset: DatasetNode, version: Version | None) -> dict[str, Any]:
    found = {**named(dataset), "version": str(version.id) if version else None}
    return {"datasetVersionId": found, "facets": use.facets}
