"""What one expression of an analyzed plan makes of the columns below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lineage.column_lineage import Subtype
from penstock.lineage.plan.aggregate import aggregate, masks, window
from penstock.lineage.plan.function import (
    AGGREGATES,
    ELEMENT_PICKS,
    FOLDS,
    NO_ORIGIN,
    SAME_VALUE,
    VALUES_OF_ROWS,
)
from penstock.lineage.plan.lambdas import decide, fold, shared_values, transform
from penstock.lineage.plan.scope import SHARED, Scope, Steps, each, unknown
from penstock.lineage.plan.structs import struct, update_fields
from penstock.lineage.plan.traces import NOTHING, Value
from penstock.lineage.plan.tree import Expression, Node

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["evaluate"]


def evaluate(expression: Expression, scope: Scope) -> Value:
    """Where the expression's value comes from. Needs no recursion, however deep it is."""
    if expression.kind == "attributereference":
        return scope.find(expression)
    pending = [_steps(expression, scope)]
    answer: Value | None = None
    while pending:
        try:
            wanted, inner = pending[-1].send(answer)  # type: ignore[arg-type]  # None starts it
        except StopIteration as done:
            pending.pop()
            answer = done.value
        else:
            answer = inner.find(wanted) if wanted.kind == "attributereference" else None
            if answer is None:
                pending.append(_steps(wanted, inner))
    return answer or NOTHING


def _steps(  # noqa: C901, PLR0911, PLR0912 - one case for each form
    expression: Expression, scope: Scope
) -> Steps:
    kind, children = expression.kind, expression.children
    if kind in SAME_VALUE and children:
        return (yield children[0], scope)
    if expression.plan is not None:
        return _subquery(expression, expression.plan, scope)
    if kind == "opaque":
        read = yield from each(children, scope)
        return Value.merge((*read, unknown(expression.name or "an unreadable expression")))
    if kind == "namedlambdavariable":
        return scope.find(expression)
    if kind == "commonexpressionref":
        return scope.find(Expression(kind=kind, id=SHARED))
    if not children:
        return NOTHING if kind in NO_ORIGIN else unknown(f"the expression {kind}")
    match kind:
        case "getstructfield" | "getarraystructfields":
            value = yield children[0], scope
            return value.field(expression.name, expression.ordinal)
        case "createnamedstruct" | "named_struct" | "struct":
            return (yield from struct(children, scope))
        case "updatefields" | "update_fields":
            return (yield from update_fields(children, scope))
        case "createarray" | "array" | "concat" | "arrays_union" | "arrayunion":
            merged = Value.merge((yield from each(children, scope)))
            return merged.then(Subtype.TRANSFORMATION, whole=True)
        case "casewhen":
            return (yield from _case(children, scope))
        case "if":
            return (yield from _choose(children[:1], children[1:], scope))
        case "coalesce" | "nvl" | "ifnull":
            return (yield from _choose(children[:-1], children, scope))
        case "nullif":
            return (yield from _choose(children, children[:1], scope))
        case "nvl2":
            return (yield from _choose(children[:1], children[1:], scope))
        case "aggregateexpression":
            return (yield from aggregate(children[0], children[1:], scope))
        case "decode" if len(children) > 2:  # noqa: PLR2004
            paired = [*children[2::2], *([] if len(children) % 2 else children[-1:])]
            return (yield from _choose((children[0], *children[1:-1:2]), paired, scope))
        case "with":
            return (yield from shared_values(children, scope))
        case "windowexpression":
            return (yield from window(children, scope))
        case "arraytransform" | "transform":
            return (yield from transform(children, scope, second=NOTHING))
        case "transformvalues" | "transform_values":
            return (yield from transform(children, scope))
        case "arrayexists" | "exists" | "arrayforall" | "forall":
            answer = yield from transform(children, scope, second=NOTHING)
            return Value(answer.flat)
        case "arrayfilter" | "filter" | "mapfilter" | "map_filter":
            return (yield from decide(children, Subtype.FILTER, scope))
        case "arraysort" | "array_sort" | "sort_array" | "sortarray":
            return (yield from decide(children, Subtype.SORT, scope))
    if kind in FOLDS:
        return (yield from fold(children, scope))
    if kind in AGGREGATES:
        return (yield from aggregate(expression, (), scope))
    if kind in ELEMENT_PICKS or kind in VALUES_OF_ROWS:
        return (yield from _pick(children, scope))
    return (yield from _any(expression, scope))


def _any(expression: Expression, scope: Scope) -> Steps:
    """An expression without a rule of its own: made of all its children."""
    plain = [child for child in expression.children if child.kind != "lambdafunction"]
    values = yield from each(plain, scope)
    for function in expression.children:
        if function.kind == "lambdafunction":
            element = Value.merge(values)
            variables = {v.id: element for v in function.children[1:] if v.id is not None}
            values.append((yield function.children[0], scope.bind(variables)))
    return Value.merge([Value(value.flat) for value in values]).then(
        Subtype.TRANSFORMATION, masking=masks(expression)
    )


def _case(children: tuple[Expression, ...], scope: Scope) -> Steps:
    paired = len(children) - len(children) % 2
    values = [*children[1:paired:2], *children[paired:]]
    return (yield from _choose(children[0:paired:2], values, scope))


def _choose(
    deciding: Iterable[Expression], candidates: Iterable[Expression], scope: Scope
) -> Steps:
    decided = yield from each(deciding, scope)
    values = yield from each(candidates, scope)
    chosen = Value.merge(values).then(Subtype.TRANSFORMATION, whole=True)
    return Value.merge((chosen, *(value.indirect(Subtype.CONDITIONAL) for value in decided)))


def _pick(children: tuple[Expression, ...], scope: Scope) -> Steps:
    value = yield children[0], scope
    places = yield from each(children[1:], scope)
    picked = value.then(Subtype.TRANSFORMATION, whole=True)
    return Value.merge((picked, *(place.indirect(Subtype.CONDITIONAL) for place in places)))


def _subquery(expression: Expression, plan: Node, scope: Scope) -> Value:
    columns, rows = scope.subquery(plan, scope)
    match expression.kind:
        case "exists":
            return rows
        case "scalarsubquery":
            return Value.merge((*columns[:1], rows))
        case _:
            compared = Value.merge([Value(column.flat) for column in columns])
            return Value.merge((compared.then(Subtype.TRANSFORMATION), rows))
