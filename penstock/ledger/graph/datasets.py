"""Datasets and their columns by name, and which names mean the same dataset.

A dataset that says it has another name (its symlinks facet) claims that name: whoever is told
under it is the claimant. Of several claimants the one that said it last has it. Two that claim
each other are one, by the name that sorts first.

One that was renamed claims its former name, unless that is written again later: what is made then
is another dataset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, select

from penstock.ledger.graph.labels import FACETS, renew_labels
from penstock.ledger.graph.last_told import LastTold, merged
from penstock.ledger.graph.rows import Rows, chunks
from penstock.ledger.graph.tables import graph_column, graph_dataset, graph_symlink

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.rows import Row

__all__ = ["Datasets"]


class Datasets:
    """Those that a batch touches."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        key = ("namespace", "name")
        self._rows = Rows(connection, graph_dataset, key, numbered=True, parsed=("facets",))
        self._columns = Rows(connection, graph_column, ("dataset", "name"), numbered=True)
        self._claims = Rows(connection, graph_symlink, ("namespace", "name", "dataset", "renamed"))
        self._with_columns: set[int] = set()
        self._names: dict[int, Name] = {}
        self._claimed: set[Name] = set()
        self._seen: dict[int, Row] = {}
        self._claimants: set[int] = set()
        self._renamed = False
        self._relabelled: set[int] = set()

    def load(self, names: Iterable[Name]) -> None:
        """Read what is known of these, before they are seen."""
        wanted = [name for _, name in names]
        self._rows.load("name", wanted)
        self._claims.load("name", wanted)
        self._claimed |= {(row["namespace"], row["name"]) for row in self._claims}
        self._names |= {row["id"]: (row["namespace"], row["name"]) for row in self._rows}

    def see(self, name: Name, at: datetime, facets: LastTold) -> int:
        """The dataset was told of; gives its id."""
        row = self._rows.get(*name)
        if row is None:
            row = self._rows.add(
                {
                    "namespace": name[0],
                    "name": name[1],
                    "same_as": 0,
                    "facets": {},
                    "first_seen": at,
                    "last_seen": at,
                    "last_written": None,
                    "names_withdrawn": None,
                }
            )
            row["same_as"] = row["id"]
            self._names[row["id"]] = name
            self._with_columns.add(row["id"])
            self._renamed |= name in self._claimed
        self._rows.change(
            row,
            facets=merged(row["facets"], facets) if facets else row["facets"],
            first_seen=min(row["first_seen"], at),
            last_seen=max(row["last_seen"], at),
        )
        if not FACETS.isdisjoint(facets):
            self._relabelled.add(row["same_as"])
        number: int = row["id"]
        self._seen[number] = row
        return number

    def write(self, dataset: int, at: datetime) -> None:
        """The dataset was written."""
        row = self._seen[dataset]
        self._rows.change(row, last_written=max(row["last_written"] or at, at))

    def withdraw_names(self, dataset: int, at: datetime) -> None:
        """The dataset says that it has no other names, whatever it said before."""
        row = self._seen[dataset]
        self._rows.change(row, names_withdrawn=max(row["names_withdrawn"] or at, at))
        self._claimants.add(dataset)

    def claim(self, dataset: int, name: Name, at: datetime, *, renamed: bool = False) -> None:
        """The dataset says that this is another name of it, or was its name until then."""
        self._claimants.add(dataset)
        row = self._claims.get(*name, dataset, renamed)
        if row is None:
            self._claims.add(
                {
                    "namespace": name[0],
                    "name": name[1],
                    "dataset": dataset,
                    "renamed": renamed,
                    "told": at,
                }
            )
            self._claimed.add(name)
            self._renamed = True
        elif row["told"] < at:
            self._claims.change(row, told=at)
            self._renamed = True

    def column(self, dataset: int, name: str) -> int:
        """The id of a column of it; made when it is new. Its dataset's columns are loaded."""
        row = self._columns.get(dataset, name)
        if row is None:
            row = self._columns.add({"dataset": dataset, "name": name, "same_as": 0})
            row["same_as"] = row["id"]
            # a column of another name's is a column of the dataset itself
            self._renamed |= self._is_other_name(dataset)
        number: int = row["id"]
        return number

    def name_columns(self, dataset: int, names: Iterable[str]) -> None:
        """It has these columns."""
        self.load_columns([dataset])
        for name in names:
            self.column(dataset, name)

    def load_columns_of(self, names: Iterable[Name]) -> None:
        """Read the columns of those of these that are known."""
        rows = (self._rows.get(*name) for name in set(names))
        self.load_columns(row["id"] for row in rows if row)

    def load_columns(self, datasets: Iterable[int]) -> None:
        """Read the columns of these, unless that was done."""
        missing = set(datasets) - self._with_columns
        if missing:
            self._columns.load("dataset", missing)
            self._with_columns |= missing

    def names(self, datasets: Iterable[int]) -> Mapping[int, Name]:
        """The names of these."""
        known, wanted = self._names, set(datasets)
        missing = wanted - known.keys()
        for some in chunks(missing):
            query = select(graph_dataset.c.id, graph_dataset.c.namespace, graph_dataset.c.name)
            for row in self._connection.execute(query.where(graph_dataset.c.id.in_(some))):
                known[row.id] = (row.namespace, row.name)
        return {number: known[number] for number in wanted if number in known}

    def flush(self) -> None:
        """Write what changed; names that mean the same are brought together."""
        for rows in (self._rows, self._claims, self._columns):
            rows.flush()
        self._drop_claims()
        if self._renamed:
            self._bring_together()
        renew_labels(self._connection, self._relabelled)

    def _drop_claims(self) -> None:
        """Those that were withdrawn since, or of a former name that was written since."""
        for claim in self._claims:
            alias = self._rows.get(claim["namespace"], claim["name"])
            written = alias["last_written"] if alias and claim["renamed"] else None
            if written is not None and claim["told"] < written:
                self._drop(
                    graph_symlink.c.namespace == claim["namespace"],
                    graph_symlink.c.name == claim["name"],
                    graph_symlink.c.dataset == claim["dataset"],
                    graph_symlink.c.renamed,
                )
        for dataset in self._claimants:
            withdrawn = self._seen[dataset]["names_withdrawn"]
            if withdrawn is not None:
                self._drop(
                    graph_symlink.c.dataset == dataset,
                    ~graph_symlink.c.renamed,
                    graph_symlink.c.told <= withdrawn,
                )

    def _drop(self, *where: Any) -> None:
        dropped = self._connection.execute(delete(graph_symlink).where(*where))
        self._renamed |= dropped.rowcount > 0

    def _is_other_name(self, dataset: int) -> bool:
        return bool(self._claimed) and self.names([dataset])[dataset] in self._claimed

    def _bring_together(self) -> None:
        """Give every dataset that is another's name that dataset as `same_as`, and its columns."""
        named = select(graph_symlink.c.dataset, graph_symlink.c.told, graph_dataset.c.id).join(
            graph_dataset,
            and_(
                graph_dataset.c.namespace == graph_symlink.c.namespace,
                graph_dataset.c.name == graph_symlink.c.name,
            ),
        )
        claims = [tuple(row) for row in self._connection.execute(named)]
        claimed = {alias for _, _, alias in claims}
        moved = select(graph_dataset.c.id).where(graph_dataset.c.same_as != graph_dataset.c.id)
        concerned = claimed | set(self._connection.execute(moved).scalars())
        names = self.names(concerned | {dataset for dataset, _, _ in claims})
        last: dict[int, tuple[datetime, Name, int]] = {}
        for dataset, told, alias in claims:
            one = (told, names[dataset], dataset)
            last[alias] = max(last.get(alias, one), one)
        after = {alias: dataset for alias, (_, _, dataset) in last.items()}
        self._rows.load("id", concerned)
        by_id = {row["id"]: row for row in self._rows}
        roots = {dataset: _root(dataset, after, names) for dataset in sorted(concerned)}
        self._columns.load("dataset", concerned | set(roots.values()))
        columns: dict[int, list[dict[str, Any]]] = {}
        for column in self._columns:
            columns.setdefault(column["dataset"], []).append(column)
        for dataset, same_as in roots.items():
            if by_id[dataset]["same_as"] != same_as:
                self._relabelled |= {by_id[dataset]["same_as"], same_as}
            self._rows.change(by_id[dataset], same_as=same_as)
            self._join_columns(columns.get(dataset, ()), dataset, same_as)
        self._rows.flush()
        self._columns.flush()

    def _join_columns(self, columns: Iterable[dict[str, Any]], dataset: int, same_as: int) -> None:
        for row in columns:
            column = row["id"]
            if same_as != dataset:
                column = (self._columns.get(same_as, row["name"]) or self._new(same_as, row))["id"]
            self._columns.change(row, same_as=column)

    def _new(self, dataset: int, like: Mapping[str, Any]) -> dict[str, Any]:
        row = self._columns.add({"dataset": dataset, "name": like["name"], "same_as": 0})
        row["same_as"] = row["id"]
        return row


def _root(dataset: int, after: Mapping[int, int], names: Mapping[int, Name]) -> int:
    """Whom the names lead to; in a ring, the one whose name sorts first."""
    path = [dataset]
    while (following := after.get(path[-1])) is not None:
        if following in path:
            ring = path[path.index(following) :]
            return min(ring, key=lambda one: names[one])
        path.append(following)
    return path[-1]
