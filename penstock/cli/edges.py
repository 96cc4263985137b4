"""Column edges between datasets, out of the newest lineage events of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from penstock.ledger import Ledger

__all__ = ["ROWS", "Edge", "Lineage", "latest_lineage"]

ROWS = "*"  # stands for which rows there are, and in which order
_RUNS_LOOKED_AT = 20


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Edge:
    """`column` of `dataset` comes from `from_column` of `from_dataset`. A column may be `*`."""

    dataset: str
    column: str
    from_dataset: str
    from_column: str
    type: str
    subtype: str
    masking: bool

    def document(self) -> dict[str, Any]:
        """The edge as JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Edges of all datasets. `unknown` says per dataset what could not be known."""

    edges: tuple[Edge, ...]
    unknown: Mapping[str, tuple[Mapping[str, str], ...]]
    columns: Mapping[str, tuple[str, ...]]

    def reached(self, dataset: str, column: str | None, *, downstream: bool) -> list[Edge]:
        """Every edge on the way up from a column (or a dataset), or down from it."""
        seen: set[tuple[str, str]] = set()
        found: dict[Edge, None] = {}
        left = [(dataset, name) for name in ([column] if column else self._names(dataset))]
        while left:
            node = left.pop()
            if node in seen:
                continue
            seen.add(node)
            for edge in self.next(*node, downstream=downstream):
                found[edge] = None
                left.append(
                    (edge.dataset, edge.column)
                    if downstream
                    else (edge.from_dataset, edge.from_column)
                )
        return list(found)

    def next(self, dataset: str, column: str, *, downstream: bool) -> list[Edge]:
        """The edges of one column: to where it comes from, or to where it goes."""
        if downstream:
            return [e for e in self.edges if (e.from_dataset, e.from_column) == (dataset, column)]
        return [e for e in self.edges if (e.dataset, e.column) == (dataset, column)]

    def _names(self, dataset: str) -> list[str]:
        known = [*self.columns.get(dataset, ()), ROWS]
        known += [e.from_column for e in self.edges if e.from_dataset == dataset]
        return list(dict.fromkeys(known))


def latest_lineage(ledger: Ledger, datasets: Iterable[str]) -> Lineage:
    """The column lineage of each dataset as its newest successful run told it."""
    from penstock.ledger.told_lineage import asset_names  # not before it is needed: SQLAlchemy

    edges: list[Edge] = []
    unknown: dict[str, tuple[Mapping[str, str], ...]] = {}
    columns: dict[str, tuple[str, ...]] = {}
    for dataset in datasets:
        payload = _latest(ledger, dataset)
        if payload is None:
            continue
        names = asset_names(payload)
        facets = payload["outputs"][0]["facets"]
        facet = facets["columnLineage"]
        columns[dataset] = tuple(facet["fields"])
        for column, field in facet["fields"].items():
            edges.extend(_edges(dataset, column, field["inputFields"], names))
        edges.extend(_edges(dataset, ROWS, facet.get("dataset") or (), names))
        told = payload["run"]["facets"].get("penstock_run", {}).get("lineageUnknown")
        if told:
            unknown[dataset] = tuple(told)
    return Lineage(edges=tuple(sorted(set(edges))), unknown=unknown, columns=columns)


def _latest(ledger: Ledger, dataset: str) -> Mapping[str, Any] | None:
    """The newest event with column lineage, of a run that ended well if there is one."""
    runs = ledger.runs(dataset, limit=_RUNS_LOOKED_AT)
    for run in sorted(runs, key=lambda run: run.state != "COMPLETE"):
        for event in reversed(ledger.events(run_id=run.run_id)):
            kind = event.payload["job"].get("facets", {}).get("jobType", {}).get("jobType")
            if kind == "COMPACTION":  # every row and value stays where it came from
                break
            outputs = event.payload.get("outputs") or ()
            if outputs and "columnLineage" in (outputs[0].get("facets") or {}):
                return event.payload
    return None


def _edges(
    dataset: str,
    column: str,
    fields: Iterable[Mapping[str, Any]],
    names: Mapping[tuple[str, str], str],
) -> Iterator[Edge]:
    for field in fields:
        for step in field.get("transformations") or ():
            yield Edge(
                dataset=dataset,
                column=column,
                from_dataset=names.get((field["namespace"], field["name"]), field["name"]),
                from_column=field["field"],
                type=step["type"],
                subtype=step.get("subtype") or "",
                masking=bool(step.get("masking")),
            )
