"""What differs between two schemas, as small operations that each know what they break.

First form of the gate's rules: additions of nullable columns are compatible, all else is not. The
whole matrix (modes, approvals, readers known from lineage) takes its place in `verdict`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Added",
    "Change",
    "Dropped",
    "Recased",
    "Retyped",
    "compare",
    "incompatible",
    "mismatches",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A column the old schema does not have."""

    column: str
    type: str
    nullable: bool

    @property
    def compatible(self) -> bool:
        """Whether the table may make it: rows that are there get NULL."""
        return self.nullable

    def __str__(self) -> str:
        if self.nullable:
            return f"{self.column}: new column {self.type}"
        return (
            f"{self.column}: new column {self.type} that may not be NULL; rows already in the "
            "table have none. Add it nullable, backfill, then require it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A column the new schema does not have."""

    column: str
    type: str
    near: str | None = None

    compatible: ClassVar[bool] = False

    def __str__(self) -> str:
        hint = f" (renamed to {self.near}?)" if self.near else ""
        return (
            f"{self.column}: {self.type} is gone{hint}. Keep the column in the contract, or write "
            "a new dataset and move its readers"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyped:
    """A column whose type differs."""

    column: str
    old: str
    new: str

    compatible: ClassVar[bool] = False

    def __str__(self) -> str:
        return (
            f"{self.column}: old {self.old}, new {self.new}. Cast it to {self.old}, or add a new "
            "column of the new type"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recased:
    """A column whose name differs only in case, which Delta would take for the same."""

    column: str
    new: str

    compatible: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"{self.column}: spelled {self.new} now. Spell it {self.column}"


Change = Added | Dropped | Retyped | Recased


def compare(
    old: Mapping[str, str], new: Mapping[str, str], required: Sequence[str] = ()
) -> tuple[Change, ...]:
    """The operations that lead from `old` to `new` (column name to Spark simple string).

    `required` are columns of `new` that may not be NULL. Order of columns is no difference.
    """
    changes: list[Change] = []
    spelled = {name.lower(): name for name in old}
    gone = {name for name in old if name.lower() not in {n.lower() for n in new}}
    for name, kind in new.items():
        known = spelled.get(name.lower())
        if known is None:
            changes.append(Added(column=name, type=kind, nullable=name not in required))
        elif known != name:
            changes.append(Recased(column=known, new=name))
        elif old[known] != kind:
            changes.append(Retyped(column=name, old=old[known], new=kind))
    added = [c.column for c in changes if isinstance(c, Added)]
    for name in old:
        if name in gone:
            near = difflib.get_close_matches(name, added, 1)
            changes.append(Dropped(column=name, type=old[name], near=near[0] if near else None))
    return tuple(changes)


def incompatible(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Those of the changes that the table must not make."""
    return tuple(change for change in changes if not change.compatible)


def mismatches(expected: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """How a frame's columns differ from the contract's, one sentence for each column."""
    sentences = []
    spelled = {name.lower(): name for name in found}
    for name, kind in expected.items():
        actual = spelled.get(name.lower())
        if actual is None:
            near = difflib.get_close_matches(name, [n for n in found if n not in expected], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            sentences.append(f"{name}: expected {kind}, the function does not return it{hint}")
        elif actual != name:
            sentences.append(f"{name}: the function spells it {actual}")
        elif found[actual] != kind:
            sentences.append(f"{name}: expected {kind}, found {found[actual]}")
    lowered = {name.lower() for name in expected}
    sentences += [
        f"{name}: not in the contract (found {kind})"
        for name, kind in found.items()
        if name.lower() not in lowered
    ]
    return tuple(sentences)
