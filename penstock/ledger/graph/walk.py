"""Column lineage walked as of an instant: what a column is made of, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import and_, bindparam, or_, select, true

from penstock.ledger.graph.column_edge import ROWS
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_column, graph_edge, graph_validity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["Direction", "FoundEdge", "Period", "Reached", "Walk", "held_at", "held_during"]

Direction = Literal["upstream", "downstream"]
DIRECT = "DIRECT"
_TOLD = (
    graph_edge.c.subtype,
    graph_edge.c.description,
    graph_validity.c.job,
    graph_validity.c.valid_from,
    graph_validity.c.valid_to,
)


def held_at(at: datetime | None) -> Any:
    """The condition that an interval holds at an instant; None: that it holds now."""
    if at is None:
        return graph_validity.c.valid_to.is_(None)
    return and_(
        graph_validity.c.valid_from <= at,
        or_(graph_validity.c.valid_to.is_(None), graph_validity.c.valid_to > at),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since` to `until`, both included; None: without a bound on that side."""

    since: datetime | None = None
    until: datetime | None = None


def held_during(period: Period) -> Any:
    """The condition that an interval holds at some instant of the period."""
    held: Any = true()
    if period.until is not None:
        held = and_(held, graph_validity.c.valid_from <= period.until)
    if period.since is not None:
        ends = graph_validity.c.valid_to
        held = and_(held, or_(ends.is_(None), ends > period.since))
    return held


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
    """Walks in one transaction, so that all it sees is of one moment.

    With `during`, on every edge that held at some instant of the period.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        at: datetime | None = None,
        during: Period | None = None,
        indirect: bool = True,
    ) -> None:
        self._connection = connection
        self._held = held_at(at) if during is None else held_during(during)
        self._indirect = indirect

    def step(self, columns: Collection[int], direction: Direction) -> list[FoundEdge]:
        """The edges that end (upstream) or begin (downstream) at one of the columns."""
        return self._found(self._rows(columns, direction, _TOLD))

    def told_by(self, lineages: Collection[int]) -> list[FoundEdge]:
        """The edges of these lineages."""
        return self._found(self._rows(lineages, "lineage", _TOLD))

    def _found(self, rows: Iterable[Any]) -> list[FoundEdge]:
        found = list(rows)
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

    def _rows(
        self,
        some: Collection[int],
        of: Literal["upstream", "downstream", "lineage"],
        more: tuple[Any, ...] = (),
    ) -> Iterator[Any]:
        """(source, target, its name, type, masking, and `more`) of each edge.

        Of the edges into these columns, out of them, or of these lineages.
        """
        source, target = graph_column.alias("source"), graph_column.alias("target")
        asked = {
            "upstream": target.c.same_as,
            "downstream": source.c.same_as,
            "lineage": graph_edge.c.lineage,
        }
        query = (
            select(
                source.c.same_as.label("source"),
                target.c.same_as.label("target"),
                target.c.name.label("target_name"),
                graph_edge.c.type,
                graph_edge.c.masking,
                *more,
            )
            .select_from(graph_edge)
            .join(source, source.c.id == graph_edge.c.source)
            .join(target, target.c.id == graph_edge.c.target)
            .join(graph_validity, graph_validity.c.lineage == graph_edge.c.lineage)
            .where(asked[of].in_(bindparam("some", expanding=True)), self._held)
        )
        if not self._indirect:
            query = query.where(or_(graph_edge.c.type == DIRECT, graph_edge.c.type.is_(None)))
            query = query.where(target.c.name != ROWS)
        for each in chunks(sorted(some)):
            # all at once: one by one costs more than the query
            yield from self._connection.execute(query, {"some": each}).all()

    def reached(
        self, start: Iterable[int], direction: Direction, depth: int | None = None
    ) -> list[Reached]:
        """Every column that a way from the columns comes to, the columns themselves left out.

        What decides which rows a dataset has decides all of its columns.
        """
        begun = list(start)
        depths = dict.fromkeys(begun, 0)
        ways: dict[int, list[int]] = {}
        clear_ways: dict[int, list[int]] = {}
        frontier, level = set(depths), 0
        while frontier and (depth is None or level < depth):
            level += 1
            if direction == "upstream" and self._indirect:
                frontier |= self._rows_of(frontier)
            ends, decided = set(), set()
            for source, target, target_name, kind, masking in self._rows(frontier, direction):
                begin, end = (source, target) if direction == "downstream" else (target, source)
                ends.add(end)
                if target_name == ROWS:
                    decided.add(target)
                elif kind is None or kind == DIRECT:
                    ways.setdefault(begin, []).append(end)
                    if not masking:
                        clear_ways.setdefault(begin, []).append(end)
            if direction == "downstream" and decided:
                ends |= set(self.columns_of(set(self._datasets(decided).values())))
            frontier = ends - depths.keys()
            depths |= dict.fromkeys(frontier, level)
        direct, clear = _closure(begun, ways), _closure(begun, clear_ways)
        return [
            Reached(column=column, depth=steps, direct=column in direct, clear=column in clear)
            for column, steps in depths.items()
            if steps
        ]

    def edges(
        self, start: Iterable[int], direction: Direction, depth: int | None = None
    ) -> tuple[list[FoundEdge], dict[int, int]]:
        """Every edge on a way from the columns, and the depth of each column they come to."""
        depths = dict.fromkeys(start, 0)
        depths |= {item.column: item.depth for item in self.reached(depths, direction, depth)}
        passed = {column for column, steps in depths.items() if depth is None or steps < depth}
        if direction == "upstream" and self._indirect:
            passed |= self._rows_of(passed)
        return self.step(passed, direction), depths

    def between(self, begin: int, end: int) -> list[FoundEdge]:
        """Every edge on any way from one column down to the other."""
        below = {begin, *(item.column for item in self.reached([begin], "downstream"))}
        above = {end, *(item.column for item in self.reached([end], "upstream"))}
        on_the_way = below & above
        if begin not in above:
            return []
        return [
            edge
            for edge in self.step(on_the_way | self._rows_of(on_the_way), "upstream")
            if edge.source in on_the_way
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


def _closure(start: Iterable[int], following: Mapping[int, list[int]]) -> set[int]:
    """What the ways lead to from the columns."""
    found = set(start)
    waiting = list(found)
    while waiting:
        for column in following.get(waiting.pop(), ()):
            if column not in found:
                found.add(column)
                waiting.append(column)
    return found
