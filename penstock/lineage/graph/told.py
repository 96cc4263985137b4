"""Which lineage each job told of each dataset, and the intervals in which it held."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from penstock.lineage.chain import digest_of
from penstock.lineage.graph.column_edge import ColumnEdge, column_edges, order_of
from penstock.lineage.graph.explicit_lineage import explicit_edges, explicit_sources
from penstock.lineage.graph.rows import Rows, chunks
from penstock.lineage.graph.validity import Stated, intervals
from penstock.lineage.instant import instant
from penstock.lineage.tables import (
    graph_document,
    graph_edge,
    graph_lineage,
    graph_source,
    graph_told,
    graph_validity,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from penstock.lineage.graph.datasets import Datasets
    from penstock.lineage.graph.last_told import Telling
    from penstock.lineage.graph.rows import Row
    from penstock.lineage.name import Name

__all__ = ["TELLS", "USED", "Teller", "Told"]

#: In the history of a use: that there was one.
USED = ""
#: What tells what a dataset is made of.
TELLS = ("columnLineage", "lineage")
#: In place of the dataset's id where a job writes none.
NOTHING = 0
_INSTANT = timedelta(microseconds=1)  # the shortest that both databases keep
_LONGEST_TYPE, _LONGEST_SUBTYPE = 16, 64

Subject = tuple[int, int]  # (job, dataset)
Key = tuple[str, int, int, datetime]  # (teller, job, dataset, at)
Documents = tuple[str | None, ...]
# since when, until when, what is made of what: (dataset, documents) each, sources
_Telling = tuple[datetime, datetime | None, list[tuple[int, Documents]], list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """A run of the job, or an event about it; when what it tells counts is as of a RunState."""

    job: int
    started: datetime
    counts_from: datetime | None
    completed: datetime | None
    broken_off: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A statement of which the lineage is to be found or made."""

    key: Key
    until: datetime | None
    digest: str
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
            for at, until, targets, sources in _told(teller, uses[name]):
                sources.sort(key=names.__getitem__)
                for dataset, documents in targets:
                    told = [
                        *self._jobs[teller.job],
                        names.get(dataset),
                        [names[s] for s in sources],
                        *documents,
                    ]
                    digest = digest_of(json.dumps(told))
                    if last.get(dataset) == digest:
                        continue
                    last[dataset] = digest
                    wanted.append(
                        _Wanted(
                            key=(name, teller.job, dataset, at),
                            until=until,
                            digest=digest,
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
            yield item.key, Stated(at=at, teller=told_by, state=lineage["id"], until=item.until)

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
            told = {"digest": item.digest, "job": job, "dataset": dataset}
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
            query = select(graph_told).where(graph_told.c.teller.in_(some))
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
        since: Collection[Subject],
        late: Collection[Subject],
        standing: Mapping[Subject, _Standing],
    ) -> None:
        """Make the intervals of these subjects say what is told."""
        new: dict[Subject, list[Stated]] = {key: [] for key in since}
        for (_, job, dataset, _), said in come.items():
            new[job, dataset].append(said)
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
                found = intervals([Stated(at=held.begun, teller="", state=held.lineage), *told])
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
            made += [_interval(key, item) for item in intervals(told)]
        if made:
            self._connection.execute(insert(graph_validity), made)

    def _all_told(self, key: Subject) -> list[Stated]:
        query = select(graph_told).where(_subject(graph_told, key))
        return [_stated(row) for row in self._connection.execute(query)]


def _stated(row: Any) -> Stated:
    return Stated(at=row.at, teller=row.teller, state=row.lineage, until=row.until)


def _told(teller: Teller, uses: Iterable[Row]) -> Iterator[_Telling]:
    """What the teller's uses say, each time that they say something new."""
    if teller.counts_from is None:
        yield from _read_in_vain(teller, uses)
        return
    moments = sorted(_moments(teller, uses))
    for number, at in enumerate(moments):
        all_of_it = at == teller.completed
        bound = instant(at)
        so = [
            (row, _documents(row["history"], None if all_of_it else bound))
            for row in uses
            if all_of_it or row["history"][USED][""][0][0] <= bound
        ]
        sources = [row["dataset"] for row, _ in so if row["role"] == "IN"]
        targets = [(row["dataset"], documents) for row, documents in so if row["role"] == "OUT"]
        until = teller.broken_off
        if not targets and sources:
            targets = [(NOTHING, (None,))]
            if any(row["role"] == "OUT" for row in uses) and number + 1 < len(moments):
                until = moments[number + 1]
        yield at, until, targets, sources


def _read_in_vain(teller: Teller, uses: Iterable[Row]) -> Iterator[_Telling]:
    """What a run read that has moved nothing: it did read it, until it failed."""
    assert teller.broken_off
    sources = [row["dataset"] for row in uses if row["role"] == "IN"]
    if sources:
        begun = min(teller.started, teller.broken_off)
        ended = max(teller.broken_off, begun + _INSTANT)
        yield begun, ended, [(NOTHING, (None,))], sources


def _moments(teller: Teller, uses: Iterable[Row]) -> set[datetime]:
    """At which what the uses say counts, and may change."""
    assert teller.counts_from
    told = {
        entry[0]
        for row in uses
        for telling in row["history"].values()
        for entries in telling.values()
        for entry in entries
    }
    found = set()
    for moment in map(datetime.fromisoformat, told):
        at = max(moment, teller.counts_from)
        if teller.completed:
            at = min(at, teller.completed)
        if teller.broken_off is None or at < teller.broken_off:
            found.add(at)
    return found


def _documents(history: Mapping[str, Telling], until: str | None) -> Documents:
    """The digests of what tells what a dataset is made of: columnLineage or None, then lineage.

    As told last until a moment, that included; None: until now.
    """
    lineage = _last(history.get("lineage", {}), until)
    return (
        _last(history.get("columnLineage", {}), until),
        *([lineage] if lineage else ()),
    )


def _last(told: Telling, until: str | None) -> str | None:
    found = [
        (entry, digest)
        for digest, entries in told.items()
        for entry in entries
        if until is None or entry[0] <= until
    ]
    # what was withdrawn is no document
    return max(found)[1] or None if found else None


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
