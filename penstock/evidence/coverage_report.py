"""Coverage of every dataset that is a table of the deployment's lake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.evidence.coverage import Coverage, coverage, percent, within
from penstock.evidence.told_versions import names_of, told_versions
from penstock.evidence.undeclared_reads import Reads, reads
from penstock.evidence.witnesses import Witnesses
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.naming import id_of, label_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.evidence.table_histories import Histories
    from penstock.resources.table_commit import Commit

__all__ = ["CoverageReport", "CoveredDataset", "coverage_report"]

_MOST_DATASETS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredDataset:
    """A dataset and how much of it is known."""

    id: str
    label: str
    coverage: Coverage
    reads: Reads

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        told = {"id": self.id, "label": self.label, **self.coverage.document()}
        return told | self.reads.document()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """Of several datasets, by label."""

    datasets: tuple[CoveredDataset, ...]

    @property
    def whole(self) -> bool:
        """Whether the ledger knows every commit of every table."""
        return all(item.coverage.whole for item in self.datasets)

    @property
    def percent(self) -> float | None:
        """Of all commits together."""
        return percent(
            sum(item.coverage.governed for item in self.datasets),
            sum(item.coverage.commits for item in self.datasets),
        )

    @property
    def runs(self) -> int:
        """How many runs of Penstock set out to write the tables, those that failed too."""
        return sum(item.reads.runs for item in self.datasets)

    @property
    def corroborated(self) -> int:
        """Of how many of these another witness told anything."""
        return sum(item.reads.corroborated for item in self.datasets)

    @property
    def undeclared(self) -> int | None:
        """How many reads no run told, of those that were seen; None when nobody saw any run."""
        found = [item.reads.undeclared for item in self.datasets]
        known = [len(reads) for reads in found if reads is not None]
        return sum(known) if known else None

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "datasets": [item.document() for item in self.datasets],
            "percent": self.percent,
            "runs": self.runs,
            "corroborated": self.corroborated,
            "undeclared_reads": self.undeclared,
        }


def coverage_report(
    connection: Connection,
    histories: Histories,
    *,
    datasets: Iterable[int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> CoverageReport:
    """Of these datasets, or of all tables, also those that no event has named. Raises LakeError.

    The graph must know every event (`catch_up`).
    """
    catalog = Catalog(connection)
    witnesses = Witnesses(connection)
    ids = catalog.dataset_ids(limit=_MOST_DATASETS)[0] if datasets is None else list(datasets)
    nodes = catalog.datasets(ids)
    named = {number: names_of(connection, number) for number in nodes}
    logs = {number: _commits(histories, names) for number, names in named.items()}
    tables = {number: log for number, log in logs.items() if log is not None}
    told = told_versions(connection, {name: number for number in tables for name in named[number]})
    found: list[CoveredDataset] = []
    for number, commits in tables.items():
        # a query of a run is part of it: the commit is the run's to tell
        own = [one for one in told[number] if one.run_id not in witnesses.queries]
        found.append(
            CoveredDataset(
                id=id_of(nodes[number]),
                label=label_of(nodes[number]),
                coverage=coverage(commits, own, since=since, until=until),
                reads=reads(run for run in witnesses.of(number) if within(run.at, since, until)),
            )
        )
    told_of = {name for names in named.values() for name in names}
    untold = histories.tables.keys() - told_of if datasets is None else ()
    for namespace, name in sorted(untold):
        commits = _commits(histories, {(namespace, name)}) or []
        judged = coverage(commits, (), since=since, until=until)
        label = histories.tables[namespace, name]
        found.append(
            CoveredDataset(id=f"{namespace}|{name}", label=label, coverage=judged, reads=reads(()))
        )
    return CoverageReport(datasets=tuple(sorted(found, key=lambda item: (item.label, item.id))))


def _commits(histories: Histories, names: Iterable[Name]) -> list[Commit] | None:
    for namespace, name in sorted(names):
        commits = histories(namespace, name)
        if commits is not None:
            return list(commits)
    return None
