"""Runs as Marquez has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.nodes import RunNode, UseNode
from penstock.ledger.graph.versions import Version, Versions
from penstock.server.marquez.dataset_body import named
from penstock.server.marquez.job_version import ends_of, job_version
from penstock.server.marquez.moment import stamp
from penstock.server.marquez.told_facet import text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from penstock.events.name import Name

__all__ = ["RunBodies", "how_it_stands", "state_of"]

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
        used = {use.dataset for found in uses.values() for use in found}
        names = self._catalog.names(used)
        read = self.read(runs, uses)
        made = self._versions.made_by(uses)
        return [
            {
                **body,
                "inputDatasetVersions": [
                    _use(use, names[use.dataset], version) for use, version in read[run.teller]
                ],
                "outputDatasetVersions": [
                    _use(use, names[use.dataset], made.get((run.teller, use.dataset)))
                    for use in uses[run.teller]
                    if use.role == "OUT"
                ],
            }
            for run, body in zip(runs, self._bodies(runs, uses, names), strict=True)
        ]

    def in_list(self, runs: Sequence[RunNode]) -> list[dict[str, Any]]:
        """The body of each, without the versions of datasets that it read and made."""
        uses = self.uses_of(runs, facets=())
        used = {use.dataset for found in uses.values() for use in found}
        return self._bodies(runs, uses, self._catalog.names(used))

    def uses_of(
        self, runs: Iterable[RunNode], *, facets: Collection[str] | None = None
    ) -> dict[str, list[UseNode]]:
        """What each of these runs used, by its teller."""
        uses: dict[str, list[UseNode]] = {run.teller: [] for run in runs}
        for use in self._catalog.uses_of(uses, facets=facets):
            uses[use.teller].append(use)
        return uses

    def read(
        self, runs: Sequence[RunNode], uses: Mapping[str, list[UseNode]]
    ) -> dict[str, list[tuple[UseNode, Version | None]]]:
        """What each of these runs read, by its teller, with the version that it was then."""
        read = [(run, use) for run in runs for use in uses[run.teller] if use.role == "IN"]
        found: dict[str, list[tuple[UseNode, Version | None]]] = {run.teller: [] for run in runs}
        for (run, use), version in zip(read, self._versions.read_by(read), strict=True):
            found[run.teller].append((use, version))
        return found

    def _bodies(
        self,
        runs: Sequence[RunNode],
        uses: Mapping[str, list[UseNode]],
        names: Mapping[int, Name],
    ) -> list[dict[str, Any]]:
        jobs = self._catalog.jobs({run.job for run in runs}, facets=())
        bodies = []
        for run in runs:
            job = jobs[run.job]
            version = job_version(job, ends_of(uses[run.teller]), names)
            named = {"namespace": job.namespace, "name": job.name, "version": str(version)}
            bodies.append({**how_it_stands(run), "jobVersion": named, "facets": run.facets})
        return bodies


def how_it_stands(run: RunNode) -> dict[str, Any]:
    """Since when it runs, and what came of it. Nominal times are those of its facets."""
    seconds = (run.ended - run.started).total_seconds() if run.ended else None
    started, ended = stamp(run.started), stamp(run.ended)
    return {
        "id": run.run_id,
        "createdAt": started,
        "updatedAt": ended or started,
        "nominalStartTime": text_of(run.facets, "nominalTime", "nominalStartTime"),
        "nominalEndTime": text_of(run.facets, "nominalTime", "nominalEndTime"),
        "state": state_of(run),
        "startedAt": started,
        "endedAt": ended,
        "durationMs": None if seconds is None else round(seconds * 1000),
        "args": {},
    }


def _use(use: UseNode, name: Name, version: Version | None) -> dict[str, Any]:
    found = {**named(name), "version": str(version.id) if version else None}
    return {"datasetVersionId": found, "facets": use.facets}
