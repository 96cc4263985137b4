"""Queries that OpenLineage's Spark listener told of runs of Penstock, told apart from writers.

The listener tells each query as a run of its own, with the job group of its last job
(`spark_jobDetails`). Penstock gives its jobs the run's id as their group: such a query is a part
of that run, and what it wrote is the run's to tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from penstock.ledger.graph.catalog import Catalog
    from penstock.ledger.graph.nodes import RunNode

__all__ = ["GROUP", "OWN", "group_of", "queries_of_runs", "runs_of_penstock"]

OWN, GROUP = "penstock_run", "spark_jobDetails"


def group_of(run: RunNode) -> str:
    """The job group that it names, in lower case as the ids of runs are; empty: none."""
    named = run.facets.get(GROUP, {}).get("jobGroup")
    return named.lower() if isinstance(named, str) else ""


def runs_of_penstock(
    catalog: Catalog, run_ids: Iterable[str], *, facets: Collection[str] = (OWN,)
) -> dict[str, list[RunNode]]:
    """Those of these ids that Penstock told of; `facets` has `penstock_run` in it."""
    found: dict[str, list[RunNode]] = {}
    for some in chunks(sorted({run_id for run_id in run_ids if run_id})):
        for run in catalog.runs_where(graph_run.c.run_id.in_(some), facets=facets):
            if OWN in run.facets:
                found.setdefault(run.run_id, []).append(run)
    return found


def queries_of_runs(runs: Iterable[RunNode], own: Collection[str]) -> list[RunNode]:
    """Those that are queries of a run of Penstock, whose ids are `own`; it is none of itself."""
    return [run for run in runs if OWN not in run.facets and group_of(run) in own]
