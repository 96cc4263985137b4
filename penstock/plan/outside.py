"""Who outside of the deployment reads its tables, as others told the ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.walk import Walk
from penstock.lineage.column_lineage import ColumnLineage, Influence, Origin, Subtype

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.walk import FoundEdge

__all__ = ["Outside", "read_outside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Lineages of what others make, by its name; `unknown` are readers of whom no column is known.

    Both name datasets of the deployment as it does, others as `namespace|name`. `unknown` is by the
    dataset that is read; a job that writes nothing is called `job namespace|name`.
    """

    lineages: Mapping[str, ColumnLineage] = field(default_factory=dict)
    unknown: Mapping[str, frozenset[str]] = field(default_factory=dict)


def read_outside(connection: Connection, datasets: Mapping[str, Name]) -> Outside:
    """What holds now of what others make of the `datasets`, through others too.

    `datasets` says by the deployment's name which name the ledger has. Those that it does not know
    have no readers there.
    """
    catalog, walk = Catalog(connection), Walk(connection)
    found = {catalog.dataset_id(*name): ours for ours, name in datasets.items()}
    own = {number: ours for number, ours in found.items() if number is not None}
    edges, _ = walk.edges(walk.columns_of(own), "downstream")
    edges = [edge for edge in edges if edge.target_dataset not in own]
    columns = catalog.columns({c for edge in edges for c in (edge.source, edge.target)})
    # who tells columns of one source may have told none of another
    known = {(edge.source_dataset, edge.target_dataset) for edge in edges}
    passed = {*own, *(target for _, target in known)}
    reads = [
        edge
        for edge in catalog.edges(sources=passed)
        if edge.target not in own and (edge.source, edge.target) not in known
    ]
    numbers = {n for e in edges for n in (e.source_dataset, e.target_dataset)}
    numbers |= {n for e in reads for n in (e.source, e.target) if n is not None}
    names = {number: "|".join(name) for number, name in catalog.names(numbers).items()} | own
    jobs = catalog.jobs({edge.job for edge in reads if edge.target is None}, facets=())
    unknown: dict[str, set[str]] = defaultdict(set)
    for read in reads:
        if read.target is not None:
            unknown[names[read.source]].add(names[read.target])
        elif (job := jobs.get(read.job)) is not None:
            unknown[names[read.source]].add(f"job {job.namespace}|{job.name}")
    fields: dict[str, dict[str, list[Origin]]] = defaultdict(dict)
    rows: dict[str, list[Origin]] = defaultdict(list)
    for edge in edges:
        origin = Origin(
            dataset=names[edge.source_dataset],
            column=columns[edge.source][1],
            subtype=_subtype(edge),
            masking=edge.masking,
        )
        target = names[edge.target_dataset]
        made = rows[target]
        if not edge.target_is_rows:
            made = fields[target].setdefault(columns[edge.target][1], [])
        made.append(origin)
    return Outside(
        lineages={
            name: ColumnLineage(
                fields={column: tuple(origins) for column, origins in fields[name].items()},
                dataset=tuple(rows[name]),
            )
            for name in {*fields, *rows}
        },
        unknown={name: frozenset(readers) for name, readers in unknown.items()},
    )


def _subtype(edge: FoundEdge) -> Subtype:
    """As it was told, where it is a word of the specification that fits its type."""
    kind = Influence.DIRECT if edge.carries_values else Influence.INDIRECT
    told = next((s for s in Subtype if s == edge.subtype and s.type is kind), None)
    usual = Subtype.TRANSFORMATION if kind is Influence.DIRECT else Subtype.FILTER
    return told or usual
