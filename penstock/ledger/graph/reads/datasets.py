"""Datasets and their columns, by name and by id, and what is made of what."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from penstock.events.name import dataset_name
from penstock.ledger.graph.column_edge import ROWS
from penstock.ledger.graph.last_told import LastTold, merged
from penstock.ledger.graph.nodes import DatasetEdge, DatasetNode
from penstock.ledger.graph.reads.reads import Reads, entries_of, filled, holds
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import (
    graph_column,
    graph_dataset,
    graph_lineage,
    graph_source,
    graph_symlink,
    graph_validity,
)
from penstock.ledger.graph.walk import Period, held_at, held_during

if TYPE_CHECKING:
    from collections.abc import Collection

    from penstock.events.name import Name

__all__ = ["DatasetReads", "is_named"]


class DatasetReads(Reads):
    """Questions about datasets."""

    def dataset_id(self, namespace: str, name: str) -> int | None:
        """The dataset of this name, or the one that claims it as another name. None: unknown."""
        namespace, name = dataset_name(namespace, name) or (namespace, name)
        query = select(graph_dataset.c.same_as).where(
            graph_dataset.c.namespace == namespace, graph_dataset.c.name == name
        )
        found = self._connection.execute(query).scalar()
        if found is None:
            claimed = (
                select(graph_dataset.c.same_as)
                .join(graph_symlink, graph_symlink.c.dataset == graph_dataset.c.id)
                .where(graph_symlink.c.namespace == namespace, graph_symlink.c.name == name)
                .order_by(graph_symlink.c.told.desc(), graph_dataset.c.name.desc())
                .limit(1)
            )
            found = self._connection.execute(claimed).scalar()
        return None if found is None else int(found)

    def dataset_ids(
        self, *, text: str = "", namespace: str | None = None, limit: int, offset: int = 0
    ) -> tuple[list[int], int]:
        """Datasets whose name, or another name, holds the text, by name; and how many there are."""
        query = select(graph_dataset.c.id).where(is_named(text))
        if namespace is not None:
            query = query.where(graph_dataset.c.namespace == namespace)
        total = self._connection.execute(select(func.count()).select_from(query.subquery()))
        ordered = query.order_by(graph_dataset.c.namespace, graph_dataset.c.name)
        found = self._connection.execute(ordered.limit(limit).offset(offset)).scalars()
        return [int(i) for i in found], int(total.scalar_one())

    def datasets(
        self, ids: Collection[int], *, facets: Collection[str] | None = None
    ) -> dict[int, DatasetNode]:
        """These datasets; what was told under their other names is told of them."""
        rows: list[Any] = []
        for some in chunks(sorted(ids)):
            query = select(graph_dataset).where(graph_dataset.c.same_as.in_(some))
            rows += self._connection.execute(query).all()
        told: dict[int, LastTold] = {}
        groups: dict[int, list[Any]] = {}
        for row in rows:
            groups.setdefault(row.same_as, []).append(row)
            entries = entries_of(row.facets, facets)
            known = told.get(row.same_as)
            told[row.same_as] = merged(known, entries) if known else entries
        bodies = self._bodies(told.values())
        others = self._other_names([row.id for row in rows])
        found = {}
        for row in rows:
            if row.id != row.same_as:
                continue
            group = groups[row.id]
            found[row.id] = DatasetNode(
                id=row.id,
                namespace=row.namespace,
                name=row.name,
                first_seen=min(r.first_seen for r in group),
                last_seen=max(r.last_seen for r in group),
                facets=filled(told[row.id], bodies),
                told_at={
                    name: datetime.fromisoformat(entry[0]) for name, entry in told[row.id].items()
                },
                other_names=tuple(others.get(row.id, ())),
            )
        return found

    def names(self, ids: Collection[int]) -> dict[int, Name]:
        """The names of these datasets."""
        found: dict[int, Name] = {}
        for some in chunks(sorted(ids)):
            query = select(graph_dataset.c.id, graph_dataset.c.namespace, graph_dataset.c.name)
            rows = self._connection.execute(query.where(graph_dataset.c.id.in_(some)))
            found |= {number: (namespace, name) for number, namespace, name in rows}
        return found

    def columns(self, ids: Collection[int]) -> dict[int, tuple[int, str]]:
        """(dataset, name) of each of these columns."""
        found: dict[int, tuple[int, str]] = {}
        for some in chunks(sorted(ids)):
            query = select(graph_column).where(graph_column.c.id.in_(some))
            found |= {r.id: (r.dataset, r.name) for r in self._connection.execute(query)}
        return found

    def column_ids(self, dataset: int) -> dict[str, int]:
        """The columns of a dataset by name; that of its rows is left out."""
        return {name: column for (_, name), column in self.columns_by_name([dataset]).items()}

    def columns_by_name(self, datasets: Collection[int]) -> dict[tuple[int, str], int]:
        """The columns of these datasets; those of their rows are left out."""
        found: dict[tuple[int, str], int] = {}
        for some in chunks(sorted(datasets)):
            query = select(graph_column).where(graph_column.c.dataset.in_(some))
            rows = self._connection.execute(query.where(graph_column.c.name != ROWS))
            found |= {(row.dataset, row.name): row.same_as for row in rows}
        return found

    def edges(
        self,
        *,
        sources: Collection[int] | None = None,
        targets: Collection[int] | None = None,
        at: datetime | None = None,
        during: Period | None = None,
    ) -> list[DatasetEdge]:
        """What is made of these, and what these are made of, as of an instant. None: all.

        With `during`, what was so at some instant of the period.
        """
        near = graph_dataset.alias("near")
        far = graph_dataset.alias("far")
        query = (
            select(
                graph_validity.c.job,
                near.c.same_as.label("source"),
                far.c.same_as.label("target"),
                graph_validity.c.valid_from,
                graph_validity.c.valid_to,
            )
            .select_from(graph_source)
            .join(graph_lineage, graph_lineage.c.id == graph_source.c.lineage)
            .join(graph_validity, graph_validity.c.lineage == graph_lineage.c.id)
            .join(near, near.c.id == graph_source.c.dataset)
            .outerjoin(far, far.c.id == graph_lineage.c.dataset)
            .where(held_at(at) if during is None else held_during(during))
        )
        asked = [
            query.where(column.in_(some))
            for column, ids in ((near.c.same_as, sources), (far.c.same_as, targets))
            if ids is not None
            for some in chunks(sorted(ids))
        ]
        if sources is None and targets is None:
            asked = [query]
        found = {
            DatasetEdge(
                job=row.job,
                source=row.source,
                target=row.target,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
            )
            for one in asked
            for row in self._connection.execute(one)
        }
        return sorted(found, key=lambda e: (e.source, e.target or 0, e.job, e.valid_from))

    def _other_names(self, ids: Collection[int]) -> dict[int, list[Name]]:
        found: dict[int, list[Name]] = {}
        for some in chunks(sorted(ids)):
            query = select(graph_symlink).where(graph_symlink.c.dataset.in_(some))
            query = query.where(~graph_symlink.c.renamed)
            query = query.order_by(graph_symlink.c.told.desc(), graph_symlink.c.name)
            for row in self._connection.execute(query):
                found.setdefault(row.dataset, []).append((row.namespace, row.name))
        return found


def is_named(text: str) -> Any:
    """The condition that a dataset is none's other name, and has the text in one of its own."""
    same = graph_dataset.c.same_as == graph_dataset.c.id
    if not text:
        return same
    other = select(graph_symlink.c.dataset).where(holds(graph_symlink.c.name, text))
    return and_(same, or_(holds(graph_dataset.c.name, text), graph_dataset.c.id.in_(other)))
