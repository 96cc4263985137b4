"""Which lineage each job told of each dataset, and the intervals in which it held."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from penstock.ledger.chain import digest_of
from penstock.ledger.graph.column_edge import ColumnEdge, column_edges, order_of
from penstock.ledger.graph.explicit_lineage import explicit_edges, explicit_sources
from penstock.ledger.graph.rows import Rows, chunks
from penstock.ledger.graph.tables import (
    graph_document,
    graph_edge,
    graph_lineage,
    graph_source,
    graph_told,
    graph_validity,
)
from penstock.ledger.graph.tellings import UNTOLD, tellings
from penstock.ledger.graph.validity import Stated, intervals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.datasets import Datasets
    from penstock.ledger.graph.rows import Row
    from penstock.ledger.graph.tellings import Documents, Teller

__all__ = ["Told"]

_LONGEST_TYPE, _LONGEST_SUBTYPE = 16, 64

_TELLINGS = select(graph_told, graph_lineage.c.digest, graph_lineage.c.ends).join(
    graph_lineage, graph_lineage.c.id == graph_told.c.lineage
)

Subject = tuple[int, int]  # (job, dataset)
Key = tuple[str, int, int, datetime]  # (teller, job, dataset, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A statement of which the lineage is to be found or made."""

    key: Key
    until: datetime | None
    digest: str
    ends: str
    sources: list[int]
    documents: Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """When a subject was told last, and the last interval of it."""

    told: datetime
    begun: datetime
    ended: datetime | None
    lineage: int

    def is_late(self, at: datetime) -> bool:
        """Whether what is so from `at` on does not only come after all that was told."""
        return at <= max(self.told, self.begun) or (self.ended is not None and at < self.ended)


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
        tellers: Mapping[str, Teller],
        uses: Mapping[str, list[Row]],
        known: Collection[str],
    ) -> None:
        """Each teller has told what its uses say.

        `known` are those that had uses before the batch.
        """
        new = dict(self._statements(tellers, uses))
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
        standing = {key: held for key, held in self._standing(since) if key in since}
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
        self._hold(come, since, late, standing)

    def _statements(
        self, tellers: Mapping[str, Teller], uses: Mapping[str, list[Row]]
    ) -> Iterator[tuple[Key, Stated]]:
        counted = {
            name: each for name, each in tellers.items() if each.counts_from or each.broken_off
        }
        names = self._datasets.names(row["dataset"] for name in counted for row in uses[name])
        wanted = []
        for name, teller in counted.items():
            last: dict[int, str] = {}
            for at, until, targets, sources in tellings(teller, uses[name]):
                sources.sort(key=names.__getitem__)
                for dataset, documents in targets:
                    ends = [
                        *self._jobs[teller.job],
                        names.get(dataset),
                        [names[s] for s in sources],
                    ]
                    digest = digest_of(json.dumps([*ends, *documents]))
                    if last.get(dataset) == digest:
                        continue
                    last[dataset] = digest
                    wanted.append(
                        _Wanted(
                            key=(name, teller.job, dataset, at),
                            until=until,
                            digest=digest,
                            ends=digest_of(json.dumps([*ends, *UNTOLD])),
                            sources=sources,
                            documents=documents,
                        )
                    )
        self._lineages.load("digest", (item.digest for item in wanted))
        self._make([item for item in wanted if self._lineages.get(item.digest) is None])
        for item in wanted:
            lineage = self._lineages.get(item.digest)
            assert lineage
            told_by, _, _, at = item.key
            yield (
                item.key,
                Stated(
                    at=at,
                    teller=told_by,
                    state=lineage["id"],
                    ends=item.ends,
                    ends_alone=item.ends == item.digest,
                    until=item.until,
                ),
            )

    def _make(self, wanted: list[_Wanted]) -> None:
        """The lineages that nobody told before."""
        every = {item.documents for item in wanted}
        self._read_documents(
            {document for documents in every for document in documents if document}
        )
        read = {documents: self._read(documents) for documents in every}
        self._datasets.load(name for edges, named in read.values() for name in _names(edges, named))
        self._datasets.load_columns_of(
            name for edges, named in read.values() for name in _names(edges, named)
        )
        self._datasets.load_columns(item.key[2] for item in wanted)
        sources, rows = [], []
        for item in wanted:
            if self._lineages.get(item.digest) is not None:
                continue
            _, job, dataset, at = item.key
            told = {"digest": item.digest, "ends": item.ends, "job": job, "dataset": dataset}
            lineage = self._lineages.add(told)["id"]
            edges, named = read[item.documents]
            ids = {name: self._datasets.see(name, at, {}) for name in _names(edges, named)}
            # who tells what a dataset is made of tells that it is made of nothing else
            made_of = {*ids.values()} if named is not None else {*item.sources, *ids.values()}
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

    def _known(self, tellers: Iterable[str]) -> Iterator[tuple[Key, Stated]]:
        for some in chunks(sorted(tellers)):
            query = _TELLINGS.where(graph_told.c.teller.in_(some))
            for row in self._connection.execute(query):
                yield (row.teller, row.job, row.dataset, row.at), _stated(row)

    def _standing(self, subjects: Collection[Subject]) -> Iterator[tuple[Subject, _Standing]]:
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
                    _Standing(
                        told=row.told or row.valid_from,
                        begun=row.valid_from,
                        ended=row.valid_to,
                        lineage=row.lineage,
                    ),
                )

    def _hold(
        self,
        come: Mapping[Key, Stated],
        since: Mapping[Subject, datetime],
        late: Collection[Subject],
        standing: Mapping[Subject, _Standing],
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
        query = _TELLINGS.where(_subject(graph_told, key))
        return [_stated(row) for row in self._connection.execute(query)]


def _stated(row: Any) -> Stated:
    return Stated(
        at=row.at,
        teller=row.teller,
        state=row.lineage,
        ends=row.ends,
        ends_alone=row.ends == row.digest,
        until=row.until,
    )


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
