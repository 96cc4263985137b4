"""The column edges that a columnLineage facet tells, of any version of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.events.name import dataset_name, is_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from penstock.events.name import Name

__all__ = ["ROWS", "ColumnEdge", "column_edges", "input_edges", "order_of", "schema_columns"]

#: The name of the column that stands for which rows there are, and in what order.
ROWS = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ColumnEdge:
    """One column that takes part in another. Type and subtype are None when they were not told."""

    source: Name
    source_column: str
    target_column: str
    type: str | None
    subtype: str | None
    masking: bool
    description: str


def column_edges(facet: Mapping[str, Any]) -> tuple[ColumnEdge, ...]:
    """Each edge once, sorted. A part of the facet that makes no sense is passed."""
    fields = facet.get("fields")
    found = set()
    for column, field in fields.items() if isinstance(fields, dict) else ():
        if is_name(column) and isinstance(field, dict):
            found |= set(input_edges(field.get("inputFields"), column, _old_step(field)))
    found |= set(input_edges(facet.get("dataset"), ROWS))
    return tuple(sorted(found, key=order_of))


def order_of(edge: ColumnEdge) -> tuple[Any, ...]:
    """By what edges are sorted."""
    return (
        edge.target_column,
        edge.source,
        edge.source_column,
        edge.type or "",
        edge.subtype or "",
        edge.masking,
        edge.description,
    )


def input_edges(
    inputs: Any, target: str, otherwise: dict[str, Any] | None = None
) -> Iterator[ColumnEdge]:
    """The edges from a list of input columns; `otherwise` is the step of one that tells none."""
    for item in inputs if isinstance(inputs, list) else ():
        if not isinstance(item, dict):
            continue
        source = dataset_name(item.get("namespace"), item.get("name"))
        column = item.get("field")
        if source is None or not is_name(column):
            continue
        told = item.get("transformations")
        steps = [step for step in told if isinstance(step, dict)] if isinstance(told, list) else []
        for step in steps or [otherwise or {}]:
            yield ColumnEdge(
                source=source,
                source_column=column,
                target_column=target,
                type=_text(step.get("type")) or None,
                subtype=_text(step.get("subtype")) or None,
                masking=step.get("masking") is True,
                description=_text(step.get("description")) or "",
            )


def _old_step(field: Mapping[str, Any]) -> dict[str, Any]:
    # before version 1-1-0 a field had one word for all its inputs: IDENTITY or MASKED
    word = _text(field.get("transformationType"))
    if not word:
        return {}
    return {
        "type": "DIRECT",
        "subtype": "IDENTITY" if word == "IDENTITY" else "TRANSFORMATION",
        "masking": word == "MASKED",
        "description": field.get("transformationDescription"),
    }


def _text(value: Any) -> str | None:
    # PostgreSQL keeps no NUL
    return (value.replace("\0", "") or None) if isinstance(value, str) else None


def schema_columns(facet: Mapping[str, Any]) -> Iterator[str]:
    """The columns that a schema facet tells, those inside structs as `a.b`."""
    fields = facet.get("fields")
    waiting = [("", field) for field in reversed(fields if isinstance(fields, list) else [])]
    while waiting:
        above, field = waiting.pop()
        if not isinstance(field, dict) or not is_name(field.get("name")):
            continue
        name = f"{above}{field['name']}"
        if not is_name(name):
            continue
        yield name
        inner = field.get("fields")
        if isinstance(inner, list):
            waiting.extend((f"{name}.", part) for part in reversed(inner))
