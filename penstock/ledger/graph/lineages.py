"""The lineages that statements tell, found by their content or made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from penstock.ledger.chain import digest_of
from penstock.ledger.graph.column_edge import ColumnEdge, column_edges, order_of
from penstock.ledger.graph.explicit_lineage import explicit_edges, explicit_sources
from penstock.ledger.graph.rows import Rows, chunks
from penstock.ledger.graph.tables import graph_document, graph_edge, graph_lineage, graph_source
from penstock.ledger.graph.tellings import UNTOLD, tellings
from penstock.ledger.graph.validity import Stated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.datasets import Datasets
    from penstock.ledger.graph.rows import Row
    from penstock.ledger.graph.tellings import Documents, Teller

__all__ = ["Key", "Lineages"]

_LONGEST_TYPE, _LONGEST_SUBTYPE = 16, 64

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


class Lineages:
    """Each is kept once, however often it is told."""

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

    def stated(
        self, tellers: Mapping[str, Teller], uses: Mapping[str, list[Row]]
    ) -> Iterator[tuple[Key, Stated]]:
        """What each teller says by its uses, one after the other."""
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


def _names(edges: Iterable[ColumnEdge], named: Iterable[Name] | None) -> list[Name]:
    return sorted({*(edge.source for edge in edges), *(named or ())})
