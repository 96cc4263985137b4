"""Which lineage each job told of each dataset, and the intervals in which it held."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from penstock.lineage.chain import digest_of
from penstock.lineage.graph.column_edge import ColumnEdge, column_edges, order_of
from penstock.lineage.graph.explicit_lineage import explicit_edges, explicit_sources
from penstock.lineage.graph.rows import Rows, chunks
from penstock.lineage.graph.validity import intervals
from penstock.lineage.tables import (
    graph_document,
    graph_edge,
    graph_lineage,
    graph_source,
    graph_told,
    graph_validity,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.lineage.graph.datasets import Datasets
    from penstock.lineage.graph.rows import Row
    from penstock.lineage.name import Name

__all__ = ["Told"]

#: In place of the dataset's id where a job writes none.
NOTHING = 0
_LONGEST_TYPE, _LONGEST_SUBTYPE = 16, 64

Subject = tuple[int, int]  # (job, dataset)
Documents = tuple[str | None, ...]


class Told:
    """Works on what a batch has written of uses and runs."""

    def __init__(
        self,
        connection: Connection,
        datasets: Datasets,
        documents: Mapping[str, str],
        jobs: Mapping[int, Name],
    ) -> None:
        self._connection, self._jobs = connection, jobs
        self._datasets = datasets
        self._documents = dict(documents)
        self._lineages = Rows(connection, graph_lineage, ("digest",), numbered=True)

    def renew(
        self,
        tellers: Mapping[str, tuple[int, datetime | None]],
        uses: Mapping[str, list[Row]],
        known: Collection[str],
    ) -> None:
        """Each teller has told what its uses say, as of the moment given, or (None) nothing yet.

        `known` are those that had uses before the batch.
        """
        new = dict(self._statements(tellers, uses))
        old = dict(self._known(known))
        gone = {key: at for key, (at, lineage) in old.items() if new.get(key) != (at, lineage)}
        come = {key: value for key, value in new.items() if old.get(key) != value}
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
                    for (t, j, d), at in gone.items()
                ],
            )
        since: dict[Subject, datetime] = {}
        for (_, job, dataset), at in [*gone.items(), *((k, v[0]) for k, v in come.items())]:
            since[job, dataset] = min(since.get((job, dataset), at), at)
        standing = dict(self._standing(since))
        late = {key for key, at in since.items() if key in standing and at <= standing[key][0]}
        if come:
            self._connection.execute(
                insert(graph_told),
                [
                    {"teller": t, "job": j, "dataset": d, "at": at, "lineage": lineage}
                    for (t, j, d), (at, lineage) in come.items()
                ],
            )
        late |= {(j, d) for _, j, d in gone}
        self._hold(since, come, late, {key: held for key, (_, *held) in standing.items()})

    def _statements(
        self,
        tellers: Mapping[str, tuple[int, datetime | None]],
        uses: Mapping[str, list[Row]],
    ) -> Iterator[tuple[tuple[str, int, int], tuple[datetime, int]]]:
        counted = {teller: at for teller, (_, at) in tellers.items() if at is not None}
        names = self._datasets.names(row["dataset"] for teller in counted for row in uses[teller])
        wanted = []
        for teller in counted:
            job, rows = tellers[teller][0], uses[teller]
            sources = sorted(
                {row["dataset"] for row in rows if row["role"] == "IN"}, key=names.__getitem__
            )
            targets = [
                (row["dataset"], _documents(row["facets"])) for row in rows if row["role"] == "OUT"
            ]
            if not targets and sources:
                targets = [(NOTHING, (None,))]
            for dataset, documents in targets:
                named = [
                    *self._jobs[job],
                    names.get(dataset),
                    [names[s] for s in sources],
                    *documents,
                ]
                digest = digest_of(json.dumps(named))
                wanted.append((teller, job, dataset, digest, sources, documents))
        self._lineages.load("digest", (item[3] for item in wanted))
        self._make([item for item in wanted if self._lineages.get(item[3]) is None], counted)
        for teller, job, dataset, digest, _, _ in wanted:
            lineage = self._lineages.get(digest)
            assert lineage
            yield (teller, job, dataset), (counted[teller], lineage["id"])

    def _make(
        self,
        wanted: list[tuple[str, int, int, str, list[int], Documents]],
        counted: Mapping[str, datetime],
    ) -> None:
        """The lineages that nobody told before."""
        every = {item[5] for item in wanted}
        self._read_documents(
            {document for documents in every for document in documents if document}
        )
        read = {documents: self._read(documents) for documents in every}
        self._datasets.load(name for edges, named in read.values() for name in _names(edges, named))
        self._datasets.load_columns_of(
            name for edges, named in read.values() for name in _names(edges, named)
        )
        self._datasets.load_columns(item[2] for item in wanted)
        sources, rows = [], []
        for teller, job, dataset, digest, inputs, documents in wanted:
            if self._lineages.get(digest) is not None:
                continue
            lineage = self._lineages.add({"digest": digest, "job": job, "dataset": dataset})["id"]
            edges, named = read[documents]
            at = counted[teller]
            ids = {name: self._datasets.see(name, at, {}) for name in _names(edges, named)}
            # who tells what a dataset is made of tells that it is made of nothing else
            made_of = {*ids.values()} if named is not None else {*inputs, *ids.values()}
            sources += [{"lineage": lineage, "dataset": each} for each in sorted(made_of)]
            rows += [
                self._row(lineage, number, dataset, ids[edge.source], edge)
                for number, edge in enumerate(edges)
            ]
        self._lineages.flush()
        if sources:
            self._connection.execute(insert(graph_source), sources)
        if rows:
            self._connection.execute(insert(graph_edge), rows)

    def _row(
        self, lineage: int, number: int, dataset: int, source: int, edge: ColumnEdge
    ) -> dict[str, Any]:
        return {
            "lineage": lineage,
            "number": number,
            "source": self._datasets.column(source, edge.source_column),
            "target": self._datasets.column(dataset, edge.target_column),
            "type": edge.type and edge.type[:_LONGEST_TYPE],
            "subtype": edge.subtype and edge.subtype[:_LONGEST_SUBTYPE],
            "masking": edge.masking,
            "description": edge.description,
        }

    def _read(self, documents: Documents) -> tuple[tuple[ColumnEdge, ...], frozenset[Name] | None]:
        edges: set[ColumnEdge] = set()
        named: frozenset[Name] | None = None
        column_lineage, *explicit = documents
        if column_lineage:
            edges |= set(column_edges(json.loads(self._documents[column_lineage])))
        for document in explicit:
            facet = json.loads(self._documents[document or ""])
            edges |= explicit_edges(facet)
            named = explicit_sources(facet)
        return tuple(sorted(edges, key=order_of)), named

    def _read_documents(self, digests: Iterable[str]) -> None:
        for some in chunks(set(digests) - self._documents.keys()):
            query = select(graph_document).where(graph_document.c.digest.in_(some))
            self._documents.update(
                (row.digest, row.body) for row in self._connection.execute(query)
            )

    def _known(
        self, tellers: Iterable[str]
    ) -> Iterator[tuple[tuple[str, int, int], tuple[datetime, int]]]:
        for some in chunks(sorted(tellers)):
            query = select(graph_told).where(graph_told.c.teller.in_(some))
            for row in self._connection.execute(query):
                yield (row.teller, row.job, row.dataset), (row.at, row.lineage)

    def _standing(
        self, subjects: Collection[Subject]
    ) -> Iterator[tuple[Subject, tuple[datetime, datetime, int]]]:
        """For when each subject was told last, and since when which lineage holds."""
        last = (
            select(func.max(graph_told.c.at))
            .where(
                graph_told.c.job == graph_validity.c.job,
                graph_told.c.dataset == graph_validity.c.dataset,
            )
            .scalar_subquery()
        )
        query = select(graph_validity, last.label("told")).where(
            graph_validity.c.valid_to.is_(None)
        )
        for some in chunks(sorted({job for job, _ in subjects})):
            for row in self._connection.execute(query.where(graph_validity.c.job.in_(some))):
                # what was told last may have been taken back
                yield (
                    (row.job, row.dataset),
                    (row.told or row.valid_from, row.valid_from, row.lineage),
                )

    def _hold(
        self,
        since: Mapping[Subject, datetime],
        come: Mapping[tuple[str, int, int], tuple[datetime, int]],
        late: set[Subject],
        open_ones: Mapping[Subject, Sequence[Any]],
    ) -> None:
        """Make the intervals of these subjects say what is told."""
        new: dict[Subject, list[tuple[datetime, str, int]]] = {key: [] for key in since}
        for (teller, job, dataset), (at, lineage) in come.items():
            new[job, dataset].append((at, teller, lineage))
        made: list[dict[str, Any]] = []
        for key, told in new.items():
            if key in late:
                told = self._all_told(key)  # noqa: PLW2901 - all of it, not only what came
                self._connection.execute(
                    delete(graph_validity).where(_subject(graph_validity, key))
                )
            elif key in open_ones:
                begun, lineage = open_ones[key]
                told = [(begun, "", lineage), *told]  # noqa: PLW2901 - on top of what holds
                found = intervals(told)
                if found[0].valid_to is not None:
                    self._connection.execute(
                        update(graph_validity)
                        .where(_subject(graph_validity, key), graph_validity.c.valid_from == begun)
                        .values(valid_to=found[0].valid_to)
                    )
                made += [_interval(key, item) for item in found[1:]]
                continue
            made += [_interval(key, item) for item in intervals(told)]
        if made:
            self._connection.execute(insert(graph_validity), made)

    def _all_told(self, key: Subject) -> list[tuple[datetime, str, int]]:
        query = select(graph_told).where(_subject(graph_told, key))
        return [(row.at, row.teller, row.lineage) for row in self._connection.execute(query)]


def _documents(facets: Mapping[str, Any]) -> Documents:
    """The digests of what tells what a dataset is made of: columnLineage or None, then lineage."""
    lineage = facets.get("lineage")
    return (facets.get("columnLineage", (None,))[-1], *([lineage[-1]] if lineage else ()))


def _names(edges: Iterable[ColumnEdge], named: Iterable[Name] | None) -> list[Name]:
    return sorted({*(edge.source for edge in edges), *(named or ())})


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
