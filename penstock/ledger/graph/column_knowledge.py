"""Whether an output tells where each of its columns comes from, and what decides its rows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.events.name import is_name
from penstock.events.producer import PRODUCER

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["tells_every_origin"]

_NAMED = ("namespace", "name", "field")


def tells_every_origin(facet: Mapping[str, Any], own: Mapping[str, Any] | None) -> bool:
    """Whether nothing of a columnLineage facet is left unknown; `own`: the run's `penstock_run`.

    Penstock says in `lineageUnknown` what it does not know, and a column of its without an input is
    a literal. Of another producer's nobody knows that: such a column may come from anywhere.
    """
    if own is not None and own.get("lineageUnknown", []) not in ([], None):
        return False
    literals = own is not None and facet.get("_producer") == PRODUCER
    fields = facet.get("fields")
    return (
        isinstance(fields, dict)
        and bool(fields)
        and all(
            is_name(name)
            and isinstance(field, dict)
            and _sound(inputs := field.get("inputFields"))
            and (literals or bool(inputs))
            for name, field in fields.items()
        )
        and _sound(facet.get("dataset", []))
    )


def _sound(inputs: Any) -> bool:
    return isinstance(inputs, list) and all(
        isinstance(item, dict) and all(is_name(item.get(part)) for part in _NAMED)
        for item in inputs
    )
