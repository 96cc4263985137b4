"""The runs that wrote a dataset, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from penstock.server.own.described import At, Describer, Id
from penstock.server.own.run_page import run_line
from penstock.server.own.use_place import Before, place_of, read_place
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from datetime import datetime

    from penstock.ledger.graph.catalog import Catalog
    from penstock.ledger.graph.nodes import UseNode

__all__ = ["FIRST_RUNS", "DatasetRuns", "router"]

router = APIRouter()
FIRST_RUNS = 50


@router.get("/dataset/runs")
def dataset_runs(
    connection: Reading,
    id: Id,
    at: At = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=500)] = FIRST_RUNS,
) -> dict[str, Any]:
    """The runs that wrote a dataset, newest first. `before`: as the page before this one gave it.

    The answer's `before` asks for the next page; it is null when there is none.
    """
    describer = Describer(connection)
    dataset = describer.dataset(id)
    after = read_place(before)
    runs = DatasetRuns.of(describer.catalog, dataset, until=at, after=after, limit=limit)
    return {"runs": runs.lines, "before": runs.before}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRuns:
    """A page of the runs. `before` names the page after it; None: this is the last."""

    lines: list[dict[str, Any]]
    uses: list[tuple[UseNode, str]]
    before: str | None

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        dataset: int,
        *,
        until: datetime | None,
        limit: int,
        after: tuple[datetime, str] | None = None,
    ) -> DatasetRuns:
        """At most `limit` runs, as of an instant, after a place in their order."""
        found = catalog.uses(
            datasets=[dataset], role="OUT", until=until, after=after, limit=limit + 1
        )
        last = found[limit - 1] if len(found) > limit else None
        # one that wrote it under two of its names is one run, and what it told first of them counts
        uses = {use.teller: use for use in reversed(found[:limit])}
        runs = catalog.runs_of(uses)
        jobs = catalog.jobs({run.job for run in runs.values()})
        told = [(use, runs[use.teller]) for use in reversed(uses.values()) if use.teller in runs]
        return cls(
            lines=[run_line(run, jobs[run.job], use) for use, run in told],
            uses=[(use, run.run_id) for use, run in told],
            before=place_of(last) if last else None,
        )
