"""What a question is about: the datasets and columns on the way to what is asked, and from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from penstock.errors import InputError
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.column_edge import ROWS
from penstock.ledger.graph.labels import PII
from penstock.ledger.graph.naming import columns_of
from penstock.ledger.graph.tables import graph_dataset, graph_label, graph_symlink, graph_use
from penstock.ledger.graph.walk import FoundEdge, Period, Walk

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from penstock.evidence.question import Question
    from penstock.ledger.graph.nodes import DatasetEdge

__all__ = ["Scope", "scope_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """By the graph's ids. `asked` is the dataset, `column` the column that was asked about."""

    asked: int | None
    column: int | None
    datasets: frozenset[int]
    edges: tuple[DatasetEdge, ...]
    column_edges: tuple[FoundEdge, ...]


def scope_of(connection: Connection, question: Question) -> Scope:
    """Every edge that held in the period counts. Raises InputError for what is not known."""
    catalog = Catalog(connection)
    walk = Walk(connection, during=question.period)
    if question.pii is not None:
        tagged = _tagged(connection, question.pii)
        found = [*_edges(catalog, walk, tagged)]
        datasets = set(tagged.values())
        datasets |= {d for e in found for d in (e.source_dataset, e.target_dataset)}
        return _scope(catalog, question, None, None, datasets, found)
    if question.dataset is None:
        datasets = _used(connection, question.period)
        columns = walk.columns_of(datasets)
        found = [e for e in walk.step(columns, "upstream") if e.source_dataset in datasets]
        return _scope(catalog, question, None, None, datasets, found)
    asked = _dataset(connection, question.dataset)
    if question.column is None:
        datasets = _around(catalog, asked, question.period)
        column, start = None, walk.columns_of([asked])
    else:
        column = catalog.column_ids(asked).get(question.column)
        if column is None:
            raise _unknown("column", f"{question.dataset}.{question.column}")
        datasets, start = {asked}, [column]
    found = [*_edges(catalog, walk, start)]
    datasets |= {d for e in found for d in (e.source_dataset, e.target_dataset)}
    return _scope(catalog, question, asked, column, datasets, found)


def _scope(
    catalog: Catalog,
    question: Question,
    asked: int | None,
    column: int | None,
    datasets: Collection[int],
    found: Collection[FoundEdge],
) -> Scope:
    between = catalog.edges(targets=datasets, during=question.period)
    return Scope(
        asked=asked,
        column=column,
        datasets=frozenset(datasets),
        edges=tuple(e for e in between if e.source in datasets),
        column_edges=tuple(dict.fromkeys(found)),
    )


def _edges(catalog: Catalog, walk: Walk, start: Collection[int]) -> list[FoundEdge]:
    """The edges on every way up from the columns, and on every way down from them."""
    above = {*start, *(item.column for item in walk.reached(start, "upstream"))}
    below = {*start, *(item.column for item in walk.reached(start, "downstream"))}
    near = walk.columns_of({dataset for dataset, _ in catalog.columns(above).values()})
    rows = {i for i, (_, name) in catalog.columns(near).items() if name == ROWS}
    return [*walk.step(above | rows, "upstream"), *walk.step(below, "downstream")]


def _around(catalog: Catalog, start: int, period: Period) -> set[int]:
    """The datasets it was made of, however far, and those that were made of it."""
    shown = {start}
    for upward in (True, False):
        frontier, seen = {start}, {start}
        while frontier:
            edges = (
                catalog.edges(targets=frontier, during=period)
                if upward
                else catalog.edges(sources=frontier, during=period)
            )
            ends = {e.source for e in edges} if upward else {e.target for e in edges if e.target}
            frontier = ends - seen
            seen |= frontier
        shown |= seen
    return shown


def _used(connection: Connection, period: Period) -> set[int]:
    """The datasets that somebody read or wrote in the period."""
    query = select(graph_dataset.c.same_as).distinct()
    query = query.join(graph_use, graph_use.c.dataset == graph_dataset.c.id)
    if period.since is not None:
        query = query.where(graph_use.c.at >= period.since)
    if period.until is not None:
        query = query.where(graph_use.c.at <= period.until)
    return {int(number) for number in connection.execute(query).scalars()}


def _tagged(connection: Connection, pii: str) -> dict[int, int]:
    """The columns that are tagged with the class, each with its dataset."""
    catalog = Catalog(connection)
    labelled = select(graph_label.c.dataset).distinct()
    labelled = labelled.where(graph_label.c.key == PII, graph_label.c.field != "")
    ids = connection.execute(labelled).scalars().all()
    nodes = catalog.datasets(ids, facets=("schema", "tags"))
    numbers = catalog.columns_by_name(nodes)
    found = {
        numbers[number, column["name"]]: number
        for number, node in nodes.items()
        for column in columns_of(node)
        if column["pii"] == pii.upper()
    }
    if not found:
        raise _unknown("class of personal data", pii)
    return found


def _dataset(connection: Connection, text: str) -> int:
    namespace, bar, name = text.partition("|")
    if bar:
        found = Catalog(connection).dataset_id(namespace, name)
        if found is None:
            raise _unknown("dataset", text)
        return found
    called = select(graph_symlink.c.dataset).where(graph_symlink.c.name == text)
    query = select(graph_dataset.c.same_as).distinct()
    query = query.where(or_(graph_dataset.c.name == text, graph_dataset.c.id.in_(called)))
    several = sorted(connection.execute(query).scalars())
    if not several:
        raise _unknown("dataset", text)
    if len(several) > 1:
        nodes = Catalog(connection).datasets(several)
        raise InputError(
            "more than one dataset is called this",
            where=text,
            found=", ".join(f"{n.namespace}|{n.name}" for n in nodes.values()),
            next_step="name it by NAMESPACE|NAME",
        )
    return int(several[0])


def _unknown(kind: str, where: str) -> InputError:
    return InputError(
        f"the ledger knows no such {kind}",
        where=where,
        next_step="check the name, and that a run has told of it: penstock status",
    )
