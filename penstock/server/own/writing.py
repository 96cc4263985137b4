"""What each run wrote of a dataset, as far as its events say.

A facet of another producer may hold anything: what makes no sense in it is as if it were not told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.events.instant import told_moment
from penstock.events.run_facts import JobKind
from penstock.events.writing import Writing
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.naming import id_of
from penstock.ledger.graph.spark_query import (
    GROUP,
    OWN,
    group_of,
    queries_of_runs,
    runs_of_penstock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.events.writing import Outcome
    from penstock.ledger.graph.nodes import JobNode, RunNode, UseNode

__all__ = ["writings"]

_PAGE = 200
_USE_FACETS = ("outputStatistics", "version")
_RUN_FACETS = (OWN, GROUP, "penstock_upkeep", "nominalTime")


def writings(
    connection: Connection, dataset: int, *, until: datetime | None, limit: int
) -> Iterator[Writing]:
    """At most so many runs that wrote a dataset, newest first; read as far as is asked for.

    A query of a run of Penstock is a part of that run, which tells itself what it wrote.
    """
    catalog = Catalog(connection)
    after: tuple[datetime, str] | None = None
    seen: set[str] = set()
    count = 0
    while True:
        uses = catalog.uses(
            datasets=[dataset],
            role="OUT",
            until=until,
            after=after,
            facets=_USE_FACETS,
            limit=_PAGE,
        )
        if not uses:
            return
        after = (uses[-1].at, uses[-1].teller)
        runs = catalog.runs_of((use.teller for use in uses), facets=_RUN_FACETS)
        jobs = catalog.jobs({run.job for run in runs.values()})
        own = runs_of_penstock(catalog, map(group_of, runs.values()))
        seen |= {run.teller for run in queries_of_runs(runs.values(), own)}
        for use in uses:
            run = runs.get(use.teller)
            # one that wrote it under two of its names is one run
            if run is None or use.teller in seen:
                continue
            if count == limit:
                return
            seen.add(use.teller)
            count += 1
            yield _writing(use, run, jobs[run.job])


def _writing(use: UseNode, run: RunNode, job: JobNode) -> Writing:
    own = run.facets.get(OWN, {})
    statistics = use.facets.get("outputStatistics", {})
    kind = job.facets.get("jobType", {}).get("jobType")
    rows = _first(_count(own, "rowsCommitted"), _count(statistics, "rowCount"))
    upkeep = None
    if kind == JobKind.COMPACTION.value:
        told = run.facets.get("penstock_upkeep")
        upkeep = told if isinstance(told, dict) else {}
    version = _text(use.facets.get("version", {}), "datasetVersion")
    by_check = own.get("quarantinedByRule")
    return Writing(
        run_id=run.run_id,
        job=id_of(job),
        state=run.state,
        at=use.at,
        ended=run.ended,
        outcome=_outcome(run.state, own.get("committed"), rows),
        slice=_text(own, "slice"),
        covers_until=_moment(_text(run.facets.get("nominalTime", {}), "nominalEndTime")),
        rows=rows,
        files=_count(statistics, "fileCount"),
        bytes=_count(statistics, "size"),
        version=version,
        rows_quarantined=_count(own, "rowsQuarantined"),
        by_check=_counts(by_check) if isinstance(by_check, dict) else {},
        quarantine=_text(own, "quarantine"),
        upkeep=upkeep,
    )


def _outcome(state: str, committed: Any, rows: int | None) -> Outcome:
    if state != "COMPLETE":
        return "none"
    if committed is False or rows == 0:
        return "nothing"
    return "rows" if rows or committed is True else "untold"


def _count(facet: Mapping[str, Any], name: str) -> int | None:
    value = facet.get(name)
    sound = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if sound else None


def _counts(told: Mapping[str, Any]) -> dict[str, int]:
    return {name: count for name in told if (count := _count(told, name)) is not None}


def _text(facet: Mapping[str, Any], name: str) -> str | None:
    value = facet.get(name)
    return value if isinstance(value, str) and value else None


def _moment(text: str | None) -> datetime | None:
    try:
        return told_moment(text) if text else None
    except ValueError:
        return None


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
