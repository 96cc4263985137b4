"""Who reads which column, by the lineage of all datasets of a deployment."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from penstock.lineage.column_lineage import Influence
from penstock.schemas.evolution import Reach, Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.lineage.column_lineage import ColumnLineage
    from penstock.schemas.evolution import Operation

__all__ = ["ROWS", "Readers"]

#: Stands for the choice and order of a dataset's rows.
ROWS = "which rows"
_PARTS = frozenset({"element", "key", "value"})

_Reading = tuple[str, str, bool]  # who reads, which column of it, whether values are carried


class Readers:
    """Answers who reads what. `lineages` are by the reader's name.

    `reads` says by the reader's name which datasets it reads, whatever of them. `unknown` says by
    dataset who reads it of whom nobody knows which columns.
    """

    def __init__(
        self,
        lineages: Mapping[str, ColumnLineage],
        reads: Mapping[str, Iterable[str]] = {},
        unknown: Mapping[str, Iterable[str]] = {},
    ) -> None:
        self._by_column: dict[str, dict[str, set[_Reading]]] = defaultdict(dict)
        self._by_dataset: dict[str, set[str]] = defaultdict(set)
        self._unknown = {name: frozenset(readers) for name, readers in unknown.items()}
        for name, datasets in reads.items():
            for dataset in datasets:
                self._by_dataset[dataset].add(name)
        for name, lineage in lineages.items():
            for column, origins in (*lineage.fields.items(), (ROWS, lineage.dataset)):
                for origin in origins:
                    direct = column != ROWS and origin.type is Influence.DIRECT
                    known = self._by_column[origin.dataset].setdefault(origin.column, set())
                    known.add((name, column, direct))
                    self._by_dataset[origin.dataset].add(name)

    def of(self, dataset: str, operation: Operation) -> tuple[Reader, ...]:
        """Who reads what the operation reaches, through others too; none twice."""
        match operation.meaning.reach:
            case Reach.NOBODY:
                return ()
            case Reach.DATASET:
                left = self._reading_any(dataset)
            case Reach.COLUMN:
                left = self._reading(dataset, operation.path)
        found: dict[tuple[str, str], Reader] = {}
        followed: set[tuple[str, str]] = set()
        passed = {dataset: 1}
        depth = 1
        while left:
            following: set[_Reading] = set()
            for name, column, direct in left:
                if name == dataset:  # what it was made of itself before
                    continue
                at = (name, column)
                found.setdefault(at, Reader(depth=depth, dataset=name, column=column))
                # an influence on rows is told, not followed: nearly everything is behind it
                if direct and at not in followed:
                    followed.add(at)
                    passed.setdefault(name, depth + 1)
                    following |= self._reading(name, column)
            left, depth = following, depth + 1
        doubtful = {
            name: Reader(depth=at, dataset=name, column="", unknown=True)
            for one, at in sorted(passed.items(), key=lambda item: -item[1])
            for name in self._unknown.get(one, ())
            if name != dataset
        }
        return tuple(sorted([*found.values(), *doubtful.values()]))

    def _reading(self, dataset: str, path: str) -> set[_Reading]:
        """Who reads the column at the path, what it is part of, or a part of it."""
        wanted = _within_structs(path.lower())
        return {
            reader
            for column, found in self._by_column[dataset].items()
            if _overlap(wanted, tuple(column.lower().split(".")))
            for reader in found
        }

    def _reading_any(self, dataset: str) -> set[_Reading]:
        """Who reads it, and which columns are made of which of its own; of others the rows."""
        columns = {reader for found in self._by_column[dataset].values() for reader in found}
        known = {name for name, _, _ in columns}
        return columns | {(name, ROWS, False) for name in self._by_dataset[dataset] - known}


def _within_structs(path: str) -> tuple[str, ...]:
    """The names of the path down to a list or a map: lineage tells no parts of those apart."""
    first, *rest = path.split(".")
    end = next((n for n, name in enumerate(rest) if name in _PARTS), len(rest))
    return (first, *rest[:end])


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(a == b for a, b in zip(one, other, strict=False))
