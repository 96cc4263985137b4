"""An analyzed Spark plan as a small tree: what both readers give and the walk takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Expression", "Node", "Shape"]

# Names of a struct's fields with their own shapes; arrays and maps are seen through; None if
# the type has no struct in it or is not known.
Shape: TypeAlias = "tuple[tuple[str, Shape], ...] | None"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expression:
    """One expression. `kind` is Spark's function or class name in lower case without marks.

    `id` is the expression id of attributes, aliases and lambda variables. `name` is the column,
    alias, struct field or function name, or the text of a literal (None for NULL).
    """

    kind: str
    children: tuple[Expression, ...] = ()
    name: str | None = None
    id: int | None = None
    ordinal: int | None = None
    shape: Shape = None
    plan: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """One plan node. `kind` is Spark's class name; `groups` are its expression arguments."""

    kind: str
    children: tuple[Node, ...] = ()
    groups: dict[str, tuple[Expression, ...]] = field(default_factory=dict)
    output: tuple[Expression, ...] | None = None
    projections: tuple[tuple[Expression, ...], ...] | None = None
    name: str | None = None
    number: int | None = None
    join_type: str | None = None
    key_counts: tuple[int, int] = (0, 0)
    unreadable: str | None = None
