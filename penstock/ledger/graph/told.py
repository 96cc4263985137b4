"""Which lineage each job told of each dataset, and the intervals in which it held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert

from penstock.ledger.graph.held import TELLINGS, Held, stated
from penstock.ledger.graph.lineages import Lineages
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.datasets import Datasets
    from penstock.ledger.graph.held import Subject
    from penstock.ledger.graph.lineages import Key
    from penstock.ledger.graph.rows import Row
    from penstock.ledger.graph.tellings import Teller
    from penstock.ledger.graph.validity import Stated

__all__ = ["Told"]


class Told:
    """Works on what a batch has written of uses and runs."""

    def __init__(
        self,
        connection: Connection,
        datasets: Datasets,
        documents: Mapping[str, str],
        jobs: Mapping[int, Name],
    ) -> None:
        self._connection = connection
        self._lineages = Lineages(connection, datasets, documents, jobs)
        self._held = Held(connection)

    def renew(
        self,
        tellers: Mapping[str, Teller],
        uses: Mapping[str, list[Row]],
        known: Collection[str],
    ) -> None:
        """Each teller has told what its uses say.

        `known` are those that had uses before the batch.
        """
        new = dict(self._lineages.stated(tellers, uses))
        old = dict(self._known(known))
        gone = [key for key, said in old.items() if new.get(key) != said]
        come = {key: said for key, said in new.items() if old.get(key) != said}
        if gone:
            self._connection.execute(
                delete(graph_told).where(
                    *(
                        column == bindparam(f"gone_{column.name}")
                        for column in graph_told.primary_key
                    )
                ),
                [
                    {"gone_teller": t, "gone_job": j, "gone_dataset": d, "gone_at": at}
                    for t, j, d, at in gone
                ],
            )
        since: dict[Subject, datetime] = {}
        for _, job, dataset, at in (*gone, *come):
            since[job, dataset] = min(since.get((job, dataset), at), at)
        standing = {key: held for key, held in self._held.standing(since) if key in since}
        late = {key for key, held in standing.items() if held.is_late(since[key])}
        late |= {(job, dataset) for _, job, dataset, _ in gone}
        # what is so for a time alone may give back what was so before
        late |= {(job, dataset) for (_, job, dataset, _), said in come.items() if said.until}
        if come:
            self._connection.execute(
                insert(graph_told),
                [
                    {"teller": t, "job": j, "dataset": d, "at": at, "until": said.until,
                     "lineage": said.state}
                    for (t, j, d, at), said in come.items()
                ],
            )  # fmt: skip
        self._held.hold(come, since, late, standing)

    def _known(self, tellers: Iterable[str]) -> Iterator[tuple[Key, Stated]]:
        for some in chunks(sorted(tellers)):
            query = TELLINGS.where(graph_told.c.teller.in_(some))
            for row in self._connection.execute(query):
                yield (row.teller, row.job, row.dataset, row.at), stated(row)
