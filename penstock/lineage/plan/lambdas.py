"""Expressions that bind variables of their own: lambdas and shared values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lineage.column_lineage import Subtype
from penstock.lineage.plan.scope import SHARED, Scope, Steps, each
from penstock.lineage.plan.traces import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.lineage.plan.tree import Expression

__all__ = ["decide", "fold", "shared_values", "transform"]


def transform(
    children: tuple[Expression, ...], scope: Scope, *, second: Value | None = None
) -> Steps:
    """Every element made anew. `second` is the lambda's second variable, if not an element."""
    value = yield children[0], scope
    if len(children) == 1 or children[1].kind != "lambdafunction":
        return value.then(Subtype.TRANSFORMATION)
    # the second variable is an array's position but a map's value
    body = yield from _lambda(children[1], (value, second or value), scope)
    return body.then(Subtype.TRANSFORMATION, whole=True)


def decide(children: tuple[Expression, ...], subtype: Subtype, scope: Scope) -> Steps:
    """The first child's elements, chosen or ordered by a lambda over them."""
    value = yield children[0], scope
    kept = value.then(Subtype.TRANSFORMATION, whole=True)
    if len(children) == 1 or children[1].kind != "lambdafunction":
        return kept
    deciding = yield from _lambda(children[1], (value, value), scope)
    return Value.merge((kept, deciding.indirect(subtype)))


def fold(children: tuple[Expression, ...], scope: Scope) -> Steps:
    """One value out of an array: a start, a merging lambda, perhaps a finishing one."""
    value = yield children[0], scope
    start = yield children[1], scope
    folded = start
    for function in children[2:]:
        if function.kind == "lambdafunction":
            step = yield from _lambda(function, (folded, value), scope)
            folded = Value.merge((folded, step))
    return Value(folded.flat).then(Subtype.TRANSFORMATION)


def shared_values(children: tuple[Expression, ...], scope: Scope) -> Steps:
    """`With`: a body, then the expressions that it shares.

    The plan does not say which reference means which, so each means all of them, and all those
    of a `With` around this one.
    """
    values = yield from each((definition.children[0] for definition in children[1:]), scope)
    around = scope.columns.get(SHARED) or (scope.outer and scope.outer.columns.get(SHARED))
    shared = Value.merge((*values, around) if around else values)
    return (yield children[0], scope.bind({SHARED: shared}))


def _lambda(function: Expression, arguments: Iterable[Value], scope: Scope) -> Steps:
    variables = [variable.id for variable in function.children[1:]]
    bound = {v: a for v, a in zip(variables, arguments, strict=False) if v is not None}
    return (yield function.children[0], scope.bind(bound))
