"""Who read a dataset or a column of it, when, and whether all it went into was masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from penstock.events.instant import instant
from penstock.evidence.told_versions import names_of
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.column_edge import ColumnEdge, column_edges
from penstock.ledger.graph.column_knowledge import tells_every_origin
from penstock.ledger.graph.explicit_lineage import explicit_edges
from penstock.ledger.graph.nodes import UseNode
from penstock.ledger.graph.spark_query import OWN
from penstock.server.own.described import At, Describer, Id, id_of, label_of
from penstock.server.own.use_place import Before, place_of, read_place
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.events.name import Name

__all__ = ["router"]

router = APIRouter()
_MOST_RUNS = 500
_COUNTED = ("COMPLETE", "RUNNING", "OTHER")
_TELLING = ("columnLineage", "lineage")
Limit = Annotated[int, Query(ge=1, le=_MOST_RUNS)]


@router.get("/readers")
def readers(
    connection: Reading,
    id: Id,
    column: Id | None = None,
    since: At = None,
    until: At = None,
    before: Before = None,
    limit: Limit = _MOST_RUNS,
) -> dict[str, Any]:
    """Which runs read a dataset, or one column of it, and whether all it went into was masked.

    It is what each run itself told of what it made, whatever other runs of its job do. `masked` is
    false as soon as one way out of the column is not masked: a run that chose or ordered rows by it
    read it in clear. Else it is null when the run did not complete, or left open where a column of
    what it made comes from; such a run is listed, since it may have read this one. Newest first;
    where there are more, `complete` is false and the answer's `before` asks for the next page.
    """
    describer = Describer(connection)
    catalog, dataset = describer.catalog, describer.dataset(id)
    if column is not None:
        describer.column(dataset, column)
    uses = catalog.uses(
        datasets=[dataset],
        role="IN",
        since=since,
        until=until,
        after=read_place(before),
        limit=limit + 1,
        facets=("version",),
    )
    page = uses[:limit]
    # one that read it under two names read it once
    by_teller = {use.teller: use for use in reversed(page)}
    runs = catalog.runs_of(by_teller, facets=(OWN,))
    jobs = catalog.jobs({run.job for run in runs.values()}, facets=())
    counted = {teller: run.facets.get(OWN) for teller, run in runs.items() if run.state in _COUNTED}
    made = _Made.of(catalog, counted, names_of(connection, dataset), column)
    nodes = catalog.datasets({d for each in made.values() for d, _ in each.into}, facets=())
    found = []
    for teller, use in reversed(by_teller.items()):
        reader, what = runs.get(teller), made.get(teller, _NOTHING)
        if reader is None or (column is not None and what.told and not what.edges):
            continue
        found.append(
            {
                "run_id": reader.run_id,
                "job": id_of(jobs[reader.job]),
                "state": reader.state,
                "at": instant(use.at),
                "dataset_version": use.facets.get("version", {}).get("datasetVersion"),
                "into": [
                    {
                        "dataset": id_of(nodes[number]),
                        "label": label_of(nodes[number]),
                        "column": name or None,
                    }
                    for number, name in what.into
                ],
                "masked": what.masked,
            }
        )
    more = len(uses) > limit
    return {"runs": found, "complete": not more, "before": place_of(page[-1]) if more else None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What a run made of a dataset. `told`: it told where each column it made comes from.

    `edges` are those out of the dataset, each with the dataset that it goes into.
    """

    told: bool
    edges: tuple[tuple[int, ColumnEdge], ...]

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        tellers: Mapping[str, Mapping[str, Any] | None],
        names: set[Name],
        column: str | None,
    ) -> dict[str, _Made]:
        """By teller, of which each comes with its run's `penstock_run`, if it told one."""
        outputs: dict[str, list[UseNode]] = {teller: [] for teller in tellers}
        for use in catalog.uses_of(outputs, role="OUT", facets=_TELLING):
            outputs[use.teller].append(use)
        # a facet that many runs told is one object, and read once
        read: dict[int, list[ColumnEdge]] = {}

        def edges(use: UseNode) -> list[ColumnEdge]:
            found: list[ColumnEdge] = []
            for name, facet in use.facets.items():
                if id(facet) not in read:
                    told = column_edges(facet) if name == "columnLineage" else explicit_edges(facet)
                    read[id(facet)] = [
                        edge
                        for edge in told
                        if edge.source in names and column in (None, edge.source_column)
                    ]
                found += read[id(facet)]
            return found

        return {
            teller: cls(
                told=bool(uses)
                and all(
                    tells_every_origin(use.facets.get("columnLineage", {}), tellers[teller])
                    for use in uses
                ),
                edges=tuple((use.dataset, edge) for use in uses for edge in edges(use)),
            )
            for teller, uses in outputs.items()
        }

    @property
    def into(self) -> list[tuple[int, str]]:
        """(dataset, column) of what it went into; an empty column stands for its rows."""
        return sorted({(dataset, edge.target_column) for dataset, edge in self.edges})

    @property
    def masked(self) -> bool | None:
        """Whether all that it went into was masked; None: as far as was said, and it may not be."""
        if not all(edge.masking for _, edge in self.edges):
            return False
        return bool(self.edges) if self.told else None


_NOTHING = _Made(told=False, edges=())
