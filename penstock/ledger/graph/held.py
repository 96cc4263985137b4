"""The intervals in which what was told of a subject held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, select, update

from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_lineage, graph_told, graph_validity
from penstock.ledger.graph.validity import Stated, intervals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.ledger.graph.lineages import Key

__all__ = ["TELLINGS", "Held", "Standing", "Subject", "stated"]

#: What was told, with the lineage that it names.
TELLINGS = select(graph_told, graph_lineage.c.digest, graph_lineage.c.ends).join(
    graph_lineage, graph_lineage.c.id == graph_told.c.lineage
)

Subject = tuple[int, int]  # (job, dataset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """When a subject was told last, and the last interval of it."""

    told: datetime
    begun: datetime
    ended: datetime | None
    lineage: int

    def is_late(self, at: datetime) -> bool:
        """Whether what is so from `at` on does not only come after all that was told.

        What comes at the end of the last interval may be what held in it, and go on with it.
        """
        return at <= max(self.told, self.begun) or (self.ended is not None and at <= self.ended)


class Held:
    """Reads and writes the intervals; what is told is in the database before it is asked to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def standing(self, subjects: Collection[Subject]) -> Iterator[tuple[Subject, Standing]]:
        """What was told last of each subject of these jobs, and the last interval."""
        same = [
            graph_told.c.job == graph_validity.c.job,
            graph_told.c.dataset == graph_validity.c.dataset,
        ]
        told = select(func.max(graph_told.c.at)).where(*same).scalar_subquery()
        other = graph_validity.alias("other")
        last = (
            select(func.max(other.c.valid_from))
            .where(other.c.job == graph_validity.c.job, other.c.dataset == graph_validity.c.dataset)
            .scalar_subquery()
        )
        query = select(graph_validity, told.label("told")).where(
            graph_validity.c.valid_from == last
        )
        for some in chunks(sorted({job for job, _ in subjects})):
            for row in self._connection.execute(query.where(graph_validity.c.job.in_(some))):
                yield (
                    (row.job, row.dataset),
                    # what was told last may have been taken back
                    Standing(
                        told=row.told or row.valid_from,
                        begun=row.valid_from,
                        ended=row.valid_to,
                        lineage=row.lineage,
                    ),
                )

    def hold(
        self,
        come: Mapping[Key, Stated],
        since: Mapping[Subject, datetime],
        late: Collection[Subject],
        standing: Mapping[Subject, Standing],
    ) -> None:
        """Make the intervals of these subjects say what is told."""
        new: dict[Subject, list[Stated]] = {key: [] for key in since}
        for (_, job, dataset, _), said in come.items():
            new[job, dataset].append(said)
        speaking = self._speaking(come.values())
        made: list[dict[str, Any]] = []
        for key, told in new.items():
            held = standing.get(key)
            if key in late:
                told = self._all_told(key)  # noqa: PLW2901 - all of it, not only what came
                self._connection.execute(
                    delete(graph_validity).where(_subject(graph_validity, key))
                )
            elif held and held.ended is None:
                # on top of what holds
                so = Stated(at=held.begun, teller="", state=held.lineage)
                found = intervals([so, *told], self._said(key, told, speaking, since[key]))
                if found[0].valid_to is not None:
                    self._connection.execute(
                        update(graph_validity)
                        .where(
                            _subject(graph_validity, key),
                            graph_validity.c.valid_from == held.begun,
                        )
                        .values(valid_to=found[0].valid_to)
                    )
                made += [_interval(key, item) for item in found[1:]]
                continue
            before = {} if key in late else self._said(key, told, speaking, since[key])
            made += [_interval(key, item) for item in intervals(told, before)]
        if made:
            self._connection.execute(insert(graph_validity), made)

    def _speaking(self, told: Iterable[Stated]) -> dict[str, list[int]]:
        """By the ends that `told` names alone: the lineages in which more was said of them.

        Most jobs that name their ends alone have never said more.
        """
        found: dict[str, list[int]] = {}
        for some in chunks({item.ends for item in told if item.ends_alone}):
            query = select(graph_lineage.c.id, graph_lineage.c.ends).where(
                graph_lineage.c.ends.in_(some), graph_lineage.c.digest != graph_lineage.c.ends
            )
            for row in self._connection.execute(query):
                found.setdefault(row.ends, []).append(row.id)
        return found

    def _said(
        self,
        key: Subject,
        told: Iterable[Stated],
        speaking: Mapping[str, list[int]],
        since: datetime,
    ) -> dict[str, int]:
        """By the ends that `told` names alone: what was said of them last, before `since`."""
        said = {}
        for ends in {item.ends for item in told if item.ends_alone} & speaking.keys():
            last = self._connection.execute(
                select(graph_told.c.lineage)
                .where(
                    _subject(graph_told, key),
                    graph_told.c.lineage.in_(speaking[ends]),
                    graph_told.c.at < since,
                )
                .order_by(graph_told.c.at.desc(), graph_told.c.teller.desc())
                .limit(1)
            ).scalar()
            if last is not None:
                said[ends] = last
        return said

    def _all_told(self, key: Subject) -> list[Stated]:
        query = TELLINGS.where(_subject(graph_told, key))
        return [stated(row) for row in self._connection.execute(query)]


def stated(row: Any) -> Stated:
    """What a row of TELLINGS says."""
    return Stated(
        at=row.at,
        teller=row.teller,
        state=row.lineage,
        ends=row.ends,
        ends_alone=row.ends == row.digest,
        until=row.until,
    )


def _subject(table: Any, key: Subject) -> Any:
    return and_(table.c.job == key[0], table.c.dataset == key[1])


def _interval(key: Subject, item: Any) -> dict[str, Any]:
    return {
        "job": key[0],
        "dataset": key[1],
        "valid_from": item.valid_from,
        "valid_to": item.valid_to,
        "lineage": item.state,
    }
