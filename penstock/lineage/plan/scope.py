"""What attributes mean at one place in a plan."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from penstock.lineage.plan.traces import Source, Value
from penstock.lineage.plan.tree import Expression, Node

__all__ = ["SHARED", "Scope", "Steps", "each", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """What attributes mean at one place: by id, by name where a node prints no ids, outwards.

    `subquery` gives the columns of a plan met inside an expression, and what decides its rows.
    """

    columns: Mapping[int, Value]
    unprinted: Mapping[str, Value] = field(default_factory=dict)
    outer: Scope | None = None
    subquery: Callable[[Node, Scope], tuple[tuple[Value, ...], Value]]

    def bind(self, variables: Mapping[int, Value]) -> Scope:
        """A scope inside this one, with these variables."""
        return Scope(columns=variables, outer=self, subquery=self.subquery)

    def find(self, attribute: Expression) -> Value:
        """What the attribute or variable holds; an unknown value where nothing says."""
        scope: Scope | None = self
        while scope is not None:
            if attribute.id is not None and attribute.id in scope.columns:
                return scope.columns[attribute.id]
            scope = scope.outer
        scope = self
        while scope is not None:
            if attribute.name is not None and attribute.name in scope.unprinted:
                return scope.unprinted[attribute.name]
            scope = scope.outer
        return unknown("a column that no understood part of the plan produces")


# Stands for the id of a reference to a `With`, which the plan does not print.
SHARED = -1

Steps: TypeAlias = Generator[tuple[Expression, Scope], Value, Value]


def unknown(reason: str) -> Value:
    """A value of which only the reason for not knowing is known."""
    return Value.of(Source(None, reason))


def each(
    children: Iterable[Expression], scope: Scope
) -> Generator[tuple[Expression, Scope], Value, list[Value]]:
    """The values of all the expressions, in order."""
    values: list[Value] = []
    for child in children:
        value = yield child, scope
        values.append(value)
    return values
