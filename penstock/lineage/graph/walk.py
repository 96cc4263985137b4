"""Column lineage walked as of an instant: what a column is made of, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import and_, or_, select

from penstock.lineage.graph.column_edge import ROWS
from penstock.lineage.graph.rows import chunks
from penstock.lineage.tables import graph_column, graph_edge, graph_validity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["Direction", "FoundEdge", "Reached", "Walk", "held_at"]

Direction = Literal["upstream", "downstream"]
DIRECT = "DIRECT"


def held_at(at: datetime | None) -> Any:
    """The condition that an interval holds at an instant; None: that it holds now."""
    if at is None:
        return graph_validity.c.valid_to.is_(None)
    return and_(
        graph_validity.c.valid_from <= at,
        or_(graph_validity.c.valid_to.is_(None), graph_validity.c.valid_to > at),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEdge:
    """An edge between columns, by their ids and their datasets'; `job` told it."""

    source: int
    source_dataset: int
    target: int
    target_dataset: int
    target_is_rows: bool
    job: int
    type: str | None
    subtype: str | None
    masking: bool
    description: str
    valid_from: datetime
    valid_to: datetime | None

    @property
    def carries_values(self) -> bool:
        """Whether the target is made of the source, and not only decided by it."""
        # who does not say how a column takes part is not taken to say that it does not
        return self.type in (DIRECT, None) and not self.target_is_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A column that a walk came to. `depth` is the fewest steps.

    `direct`: there is a way on which values are carried; `clear`: one on which nothing masks them.
    """

    column: int
    depth: int
    direct: bool
    clear: bool


class Walk:
    """Walks in one transaction, so that all it sees is of one moment."""

    def __init__(
        self, connection: Connection, *, at: datetime | None = None, indirect: bool = True
    ) -> None:
        self._connection = connection
        self._at = at
        self._indirect = indirect

    def step(self, columns: Collection[int], direction: Direction) -> list[FoundEdge]:
        """The edges that end (upstream) or begin (downstream) at one of the columns."""
        near = graph_column.alias("near")
        far = graph_column.alias("far")
        ours, others = (
            (graph_edge.c.target, graph_edge.c.source)
            if direction == "upstream"
            else (graph_edge.c.source, graph_edge.c.target)
        )
        source, target = (far, near) if direction == "upstream" else (near, far)
        found: list[Any] = []
        for some in chunks(sorted(columns)):
            query = (
                select(
                    source.c.same_as.label("source"),
                    target.c.same_as.label("target"),
                    target.c.name.label("target_name"),
                    graph_edge.c.type,
                    graph_edge.c.subtype,
                    graph_edge.c.masking,
                    graph_edge.c.description,
                    graph_validity.c.job,
                    graph_validity.c.valid_from,
                    graph_validity.c.valid_to,
                )
                .select_from(near)
                .join(graph_edge, ours == near.c.id)
                .join(graph_validity, graph_validity.c.lineage == graph_edge.c.lineage)
                .join(far, far.c.id == others)
                .where(near.c.same_as.in_(some), held_at(self._at))
            )
            if not self._indirect:
                query = query.where(or_(graph_edge.c.type == DIRECT, graph_edge.c.type.is_(None)))
                query = query.where(target.c.name != ROWS)
            found += self._connection.execute(query).all()
        datasets = self._datasets({i for row in found for i in (row.source, row.target)})
        return [
            FoundEdge(
                source=row.source,
                source_dataset=datasets[row.source],
                target=row.target,
                target_dataset=datasets[row.target],
                target_is_rows=row.target_name == ROWS,
                job=row.job,
                type=row.type,
                subtype=row.subtype,
                masking=bool(row.masking),
                description=row.description,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
            )
            for row in found
        ]

    def edges(
        self, start: Iterable[int], direction: Direction, depth: int | None = None
    ) -> tuple[list[FoundEdge], dict[int, int]]:
        """Every edge on a way from the columns, and the depth of each column they come to.

        What decides which rows a dataset has decides all of its columns.
        """
        depths = dict.fromkeys(start, 0)
        frontier, level, edges = set(depths), 0, []
        while frontier and (depth is None or level < depth):
            level += 1
            if direction == "upstream" and self._indirect:
                frontier |= self._rows_of(frontier)
            found = self.step(frontier, direction)
            edges += found
            ends = {e.source if direction == "upstream" else e.target for e in found}
            if direction == "downstream":
                decided = {e.target_dataset for e in found if e.target_is_rows}
                ends |= set(self.columns_of(decided))
            frontier = ends - depths.keys()
            depths |= dict.fromkeys(frontier, level)
        return edges, depths

    def reached(
        self, start: Iterable[int], direction: Direction, depth: int | None = None
    ) -> list[Reached]:
        """Every column that a way from the columns comes to, the columns themselves left out."""
        begun = list(start)
        edges, depths = self.edges(begun, direction, depth)
        ways = [e for e in edges if e.carries_values]
        direct = _closure(begun, ways, direction)
        clear = _closure(begun, (e for e in ways if not e.masking), direction)
        return [
            Reached(column=column, depth=steps, direct=column in direct, clear=column in clear)
            for column, steps in depths.items()
            if steps
        ]

    def columns_of(self, datasets: Collection[int]) -> list[int]:
        """The columns of these datasets, and of those that are other names of them."""
        found: dict[int, None] = {}
        for some in chunks(sorted(datasets)):
            root = graph_column.alias("root")
            query = (
                select(graph_column.c.same_as)
                .join(root, root.c.id == graph_column.c.same_as)
                .where(root.c.dataset.in_(some))
            )
            found |= dict.fromkeys(self._connection.execute(query).scalars())
        return list(found)

    def _rows_of(self, columns: Collection[int]) -> set[int]:
        """The columns that stand for the rows of the datasets of these."""
        datasets = set(self._datasets(columns).values())
        found: set[int] = set()
        for some in chunks(sorted(datasets)):
            query = select(graph_column.c.same_as).where(
                graph_column.c.dataset.in_(some), graph_column.c.name == ROWS
            )
            found |= set(self._connection.execute(query).scalars())
        return found

    def _datasets(self, columns: Collection[int]) -> dict[int, int]:
        return dict(self._dataset_pairs(columns))

    def _dataset_pairs(self, columns: Collection[int]) -> Iterator[tuple[int, int]]:
        for some in chunks(sorted(columns)):
            query = select(graph_column.c.id, graph_column.c.dataset)
            for row in self._connection.execute(query.where(graph_column.c.id.in_(some))):
                yield row.id, row.dataset


def _closure(start: Iterable[int], edges: Iterable[FoundEdge], direction: Direction) -> set[int]:
    """What the edges lead to from the columns."""
    following: dict[int, list[int]] = {}
    for edge in edges:
        ends = (edge.source, edge.target)
        begin, end = reversed(ends) if direction == "upstream" else ends
        following.setdefault(begin, []).append(end)
    found = set(start)
    waiting = list(found)
    while waiting:
        for column in following.get(waiting.pop(), ()):
            if column not in found:
                found.add(column)
                waiting.append(column)
    return found
