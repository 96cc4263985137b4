"""What changed in the graph between two instants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.ledger.graph.tables import graph_dataset, graph_lineage, graph_source, graph_validity
from penstock.ledger.graph.walk import FoundEdge, Walk, held_at

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["Changes", "changes_between", "moments_of_change"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Edges and datasets by id. A dataset is in the graph when an edge of that time names it."""

    added: tuple[FoundEdge, ...]
    removed: tuple[FoundEdge, ...]
    datasets_added: tuple[int, ...]
    datasets_removed: tuple[int, ...]


def changes_between(
    connection: Connection, since: datetime | None, until: datetime | None, only: int | None
) -> Changes:
    """What is there at `until` and was not at `since`, and the reverse; None is now.

    With `only`, of the columns of that dataset and what they are made of.
    """
    moments = (since, until)
    held = [_lineages(connection, at) for at in moments]
    # a job may go on telling an edge in another lineage
    jobs = {job for (_, job) in held[0] ^ held[1]}
    told = [{lineage for lineage, job in each if job in jobs} for each in held]
    before, after = (
        _edges(connection, at, each, only) for at, each in zip(moments, told, strict=True)
    )
    named = [_datasets(connection, at) for at in (since, until)]
    return Changes(
        added=tuple(after[key] for key in sorted(after.keys() - before.keys(), key=str)),
        removed=tuple(before[key] for key in sorted(before.keys() - after.keys(), key=str)),
        datasets_added=tuple(sorted(named[1] - named[0])) if only is None else (),
        datasets_removed=tuple(sorted(named[0] - named[1])) if only is None else (),
    )


def moments_of_change(connection: Connection, *, limit: int) -> list[datetime]:
    """The last instants at which a lineage began to hold or ceased to, oldest first."""
    query = select(graph_validity.c.valid_from.label("at")).distinct()
    found = connection.execute(query.order_by(graph_validity.c.valid_from.desc()).limit(limit))
    return sorted(found.scalars())


def _edges(
    connection: Connection, at: datetime | None, lineages: Collection[int], only: int | None
) -> dict[Any, FoundEdge]:
    """The edges of these lineages, of the columns of `only` if it is given."""
    walk = Walk(connection, at=at)
    own = None if only is None else set(walk.columns_of([only]))
    return {
        (e.source, e.target, e.job, e.type, e.subtype, e.masking, e.description): e
        for e in walk.told_by(lineages)
        if own is None or e.target in own
    }


def _lineages(connection: Connection, at: datetime | None) -> set[tuple[int, int]]:
    query = select(graph_validity.c.lineage, graph_validity.c.job).where(held_at(at))
    return {(row.lineage, row.job) for row in connection.execute(query)}


def _datasets(connection: Connection, at: datetime | None) -> set[int]:
    held = select(graph_validity.c.lineage).where(held_at(at))
    written = select(graph_lineage.c.dataset).where(graph_lineage.c.id.in_(held))
    read = select(graph_source.c.dataset).where(graph_source.c.lineage.in_(held))
    query = select(graph_dataset.c.same_as).where(
        graph_dataset.c.id.in_(written) | graph_dataset.c.id.in_(read)
    )
    return {int(i) for i in connection.execute(query).scalars()}
