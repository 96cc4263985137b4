"""Structs that an expression builds or changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lineage.column_lineage import Subtype
from penstock.lineage.plan.scope import Scope, Steps, each
from penstock.lineage.plan.traces import Value

if TYPE_CHECKING:
    from penstock.lineage.plan.tree import Expression

__all__ = ["struct", "update_fields"]


def struct(children: tuple[Expression, ...], scope: Scope) -> Steps:
    """A struct of alternating names and values."""
    if len(children) % 2 or any(name.kind != "literal" for name in children[::2]):
        values = yield from each(children, scope)
        return Value.merge([Value(value.flat) for value in values]).then(Subtype.TRANSFORMATION)
    values = yield from each(children[1::2], scope)
    return Value.struct(
        (name.name or "", value) for name, value in zip(children[::2], values, strict=True)
    )


def update_fields(children: tuple[Expression, ...], scope: Scope) -> Steps:
    """A struct with fields replaced, added or dropped."""
    if any(change.kind == "opaque" for change in children[1:]):
        values = yield from each(children, scope)
        return Value.merge([Value(part.flat) for part in values]).then(Subtype.TRANSFORMATION)
    value = yield children[0], scope
    fields = value.fields()
    known = dict(fields or value.parts or ())
    for change in children[1:]:
        name = next((k for k in known if k.lower() == (change.name or "").lower()), None)
        if change.kind == "dropfield":
            if name is not None:
                del known[name]
        else:
            known[name or change.name or ""] = yield change.children[0], scope
    # without all names, the others are the changed struct's own
    return Value.struct(known.items(), None if fields is not None else value)
