"""Aggregate and window functions, and which functions mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lineage.column_lineage import Subtype
from penstock.lineage.plan.function import (
    AGGREGATES_KEEPING_VALUES,
    MASKING,
    PICKED_BY_ORDER,
    RANKS,
)
from penstock.lineage.plan.scope import Scope, Steps, each
from penstock.lineage.plan.traces import NOTHING, Value

if TYPE_CHECKING:
    from penstock.lineage.plan.tree import Expression

__all__ = ["aggregate", "masks", "window"]


def aggregate(function: Expression, filters: tuple[Expression, ...], scope: Scope) -> Steps:
    """An aggregate function with its FILTER clauses."""
    inputs, deciding = function.children, ()
    if function.kind in PICKED_BY_ORDER:
        inputs, deciding = inputs[:1], inputs[1:]  # type: ignore[assignment]
    if function.kind == "pivotfirst":
        return (yield from _pivoted(function, scope))
    masking, whole = masks(function), function.kind in AGGREGATES_KEEPING_VALUES
    values = yield from each(inputs, scope)
    result = Value.merge(values if whole else [Value(value.flat) for value in values])
    result = result.then(Subtype.AGGREGATION, masking=masking, whole=whole)
    ordering = yield from each(deciding, scope)
    filtering = yield from each(filters, scope)
    return Value.merge(
        (
            result,
            *(value.indirect(Subtype.SORT) for value in ordering),
            *(value.indirect(Subtype.FILTER) for value in filtering),
        )
    )


def _pivoted(function: Expression, scope: Scope) -> Steps:
    """The values of one pivoted column, each in the place that another column says."""
    deciding, *pivoted = function.children
    place = yield deciding, scope
    values = yield from each(pivoted, scope)
    result = Value.merge(values).then(Subtype.AGGREGATION, whole=True)
    return Value.merge((result, place.indirect(Subtype.CONDITIONAL)))


def window(children: tuple[Expression, ...], scope: Scope) -> Steps:
    """A function over a window: what it computes, and what places the rows."""
    function, *specifications = children
    computed = NOTHING if function.kind in RANKS else (yield function, scope)
    frames = [part for spec in specifications for part in spec.children]
    placing = yield from each(frames, scope)
    return Value.merge((computed, *(value.indirect(Subtype.WINDOW) for value in placing)))


def masks(expression: Expression) -> bool:
    """Whether the function hides what it is given: OpenLineage's list, of mask() all characters."""
    if expression.kind == "mask":
        # mask() leaves a class of characters as it is where its replacement is NULL: so is that of
        # others unless it is given, and all letters without case are others (Han, Arabic, Thai)
        return all(
            child.kind == "literal" and child.name not in (None, "null")
            for child in expression.children[1:5]
        )
    return expression.kind in MASKING
