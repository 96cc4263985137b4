"""Runs of Penstock and the queries that others told of them, out of the graph.

OpenLineage's Spark listener tells each query as a run of its own, with the job group of its last
job (`spark_jobDetails`) and its Spark application as the parent; that one tells Spark's own id of
it (`spark_applicationDetails`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.events.instant import told_moment
from penstock.events.name import dataset_name
from penstock.evidence.witness import GovernedRun, Query, Read, Witnessed, witnessed
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.column_edge import column_edges, schema_columns
from penstock.ledger.graph.naming import id_of, label_of
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.spark_query import (
    GROUP,
    OWN,
    group_of,
    queries_of_runs,
    runs_of_penstock,
)
from penstock.ledger.graph.tables import graph_dataset, graph_run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.nodes import DatasetNode, JobNode, RunNode, UseNode

__all__ = ["Witnesses"]

_APPLICATION = "spark_applicationDetails"
_READ = (OWN, GROUP, _APPLICATION)
_LOG_COLUMNS = frozenset({"add", "remove", "metaData", "protocol"})


class Witnesses:
    """Of all runs in the ledger; asks in one transaction, once for all datasets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._catalog = Catalog(connection)
        grouped = self._with_facet(GROUP)
        runs = runs_of_penstock(self._catalog, map(group_of, grouped), facets=_READ)
        self._grouped = queries_of_runs(grouped, runs)
        self.queries = frozenset(query.run_id for query in self._grouped)
        """The ids of all queries that name a run of Penstock."""
        self._applications: dict[str, set[str]] = {}
        placed = self._with_facet(_APPLICATION)
        parents = {run.parent_run_id for run in placed}
        for run in placed:
            # its queries name it too, and an orchestrator may be the parent of the application
            name = run.facets[_APPLICATION].get("applicationId")
            if isinstance(name, str) and run.run_id in parents:
                self._applications.setdefault(name, set()).add(run.run_id)
        self._witnessed: dict[str, Witnessed] = {}
        if grouped or self._applications:
            self._witnessed = self._look(runs)

    def of(self, dataset: int) -> list[Witnessed]:
        """What was seen of each run of Penstock that set out to write it, however that ended."""
        uses = self._catalog.uses(datasets=[dataset], role="OUT", facets=())
        runs = self._catalog.runs_of((use.teller for use in uses), facets=(OWN,))
        ends = {r.run_id: r.ended or r.started for r in runs.values() if OWN in r.facets}
        return [self._seen(run_id, at) for run_id, at in ends.items()]

    def _seen(self, run_id: str, at: datetime) -> Witnessed:
        found = self._witnessed.get(run_id)
        return Witnessed(run_id=run_id, at=at, seen=found.seen if found else None)

    def _look(self, runs: Mapping[str, list[RunNode]]) -> dict[str, Witnessed]:
        all_runs = dict(runs)
        if self._applications:
            for run in self._with_facet(OWN):
                if _application(run) in self._applications:
                    all_runs.setdefault(run.run_id, [])
                    if run not in all_runs[run.run_id]:
                        all_runs[run.run_id].append(run)
        applications = {parent for some in self._applications.values() for parent in some}
        applications |= {query.parent_run_id for query in self._grouped if query.parent_run_id}
        queries = {query.teller: query for query in self._grouped}
        for some in chunks(sorted(applications)):
            found = self._catalog.runs_where(graph_run.c.parent_run_id.in_(some), facets=_READ)
            queries |= {query.teller: query for query in found if OWN not in query.facets}
        tellers = {run.teller for some in all_runs.values() for run in some} | queries.keys()
        uses: dict[str, list[UseNode]] = {}
        for some in chunks(sorted(tellers)):
            for use in self._catalog.uses(tellers=some):
                uses.setdefault(use.teller, []).append(use)
        ids = {use.dataset for some in uses.values() for use in some}
        names, nodes = self._names(ids), self._catalog.datasets(ids)
        jobs = self._catalog.jobs({query.job for query in queries.values()})
        parents: dict[str, set[str]] = {}
        for query in self._grouped:
            if query.parent_run_id:
                parents.setdefault(group_of(query), set()).add(query.parent_run_id)
        return {
            one.run_id: one
            for one in witnessed(
                [self._governed(run, some, uses, names, parents) for run, some in all_runs.items()],
                [
                    _query(query, jobs[query.job], uses.get(teller, ()), names, nodes)
                    for teller, query in queries.items()
                ],
            )
        }

    def _governed(
        self,
        run_id: str,
        runs: list[RunNode],
        uses: Mapping[str, list[UseNode]],
        names: Mapping[int, frozenset[Name]],
        parents: Mapping[str, set[str]],
    ) -> GovernedRun:
        told = {
            name for run in runs for use in uses.get(run.teller, ()) for name in names[use.dataset]
        }
        applications = set(parents.get(run_id, ()))
        for run in runs:
            told |= set(_also_reads(run.facets[OWN]))
            applications |= self._applications.get(_application(run), set())
        ended = max(run.ended or datetime.max.replace(tzinfo=UTC) for run in runs)
        return GovernedRun(
            run_id=run_id,
            at=ended,
            told=frozenset(told),
            applications=frozenset(applications),
            began=min(_began(run) for run in runs),
            ended=ended,
        )

    def _with_facet(self, name: str) -> list[RunNode]:
        found = self._catalog.runs_where(graph_run.c.facets.contains(f'"{name}"'), facets=_READ)
        return [run for run in found if name in run.facets]

    def _names(self, datasets: Collection[int]) -> dict[int, frozenset[Name]]:
        found: dict[int, set[Name]] = {dataset: set() for dataset in datasets}
        for some in chunks(sorted(datasets)):
            query = select(graph_dataset).where(graph_dataset.c.same_as.in_(some))
            for row in self._connection.execute(query):
                found[row.same_as].add((row.namespace, row.name))
        return {dataset: frozenset(names) for dataset, names in found.items()}


def _query(
    run: RunNode,
    job: JobNode,
    uses: Collection[UseNode],
    names: Mapping[int, frozenset[Name]],
    nodes: Mapping[int, DatasetNode],
) -> Query:
    columns: dict[Name, set[str]] = {}
    for use in uses:
        for edge in column_edges(use.facets.get("columnLineage", {})):
            columns.setdefault(edge.source, set()).add(edge.source_column)
    return Query(
        by=id_of(job),
        group=group_of(run),
        application=run.parent_run_id,
        began=run.started,
        ended=run.ended or run.started,
        reads=tuple(
            Read(
                id=id_of(nodes[use.dataset]),
                label=label_of(nodes[use.dataset]),
                names=names[use.dataset],
                columns=tuple(
                    sorted({c for name in names[use.dataset] for c in columns.get(name, ())})
                ),
                rows=_has_rows(use.facets.get("schema", {})),
            )
            for use in uses
            if use.role == "IN"
        ),
    )


def _has_rows(schema: Mapping[str, Any]) -> bool:
    """Whether what was read is more than the log of a table, which has columns of its own."""
    columns = set(schema_columns(schema))
    return bool(columns) and not columns >= _LOG_COLUMNS


def _application(run: RunNode) -> str:
    named = run.facets[OWN].get("sparkApplication")
    return named if isinstance(named, str) else ""


def _began(run: RunNode) -> datetime:
    """Before its function, as far as the run tells."""
    told = run.facets[OWN].get("began")
    try:
        return min(run.started, told_moment(told)) if isinstance(told, str) else run.started
    except ValueError:
        return run.started


def _also_reads(facet: Mapping[str, Any]) -> Iterator[Name]:
    told = facet.get("alsoReads")
    for item in told if isinstance(told, list) else ():
        if isinstance(item, dict) and (
            name := dataset_name(item.get("namespace"), item.get("name"))
        ):
            yield name
