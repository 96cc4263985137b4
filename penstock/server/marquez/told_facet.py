"""What single facets tell. A facet may hold anything, so what makes no sense is told as nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.ledger.graph.column_edge import schema_columns
from penstock.ledger.graph.labels import tag_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from penstock.ledger.graph.nodes import Facets

__all__ = ["Tag", "fields", "tag_names", "tags", "text_of"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Tag:
    """`field` is empty when the whole dataset, job or run has it."""

    name: str
    field: str = ""


def text_of(facets: Facets, facet: str, part: str) -> str | None:
    """A text of a facet, None when there is none."""
    return _text(facets.get(facet), part)


def tags(facets: Facets) -> list[Tag]:
    """The tags of the tags facet, sorted. A value that says something is part of the name."""
    found = set()
    for item in _dicts(facets.get("tags", {}).get("tags")):
        key, value = _text(item, "key"), _text(item, "value")
        if key:
            found.add(Tag(name=tag_name(key, value), field=_text(item, "field") or ""))
    return sorted(found)


def tag_names(facets: Facets) -> list[str]:
    """The tags of the whole."""
    return [tag.name for tag in tags(facets) if not tag.field]


def fields(facets: Facets) -> list[dict[str, Any]]:
    """The columns of the schema facet as Marquez has them, those inside structs as `a.b`."""
    schema = facets.get("schema", {})
    details = dict(_details(schema.get("fields"), ""))
    tagged: dict[str, list[str]] = {}
    for tag in tags(facets):
        tagged.setdefault(tag.field, []).append(tag.name)
    return [
        {
            "name": name,
            "type": _text(details.get(name), "type"),
            "tags": tagged.get(name, []),
            "description": _text(details.get(name), "description"),
        }
        for name in dict.fromkeys(schema_columns(schema))
    ]


def _details(found: Any, above: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    waiting = [(above, item) for item in _dicts(found)]
    while waiting:
        prefix, item = waiting.pop()
        name = f"{prefix}{item.get('name')}"
        yield name, item
        waiting += [(f"{name}.", inner) for inner in _dicts(item.get("fields"))]


def _text(body: Any, part: str) -> str | None:
    value = body.get(part) if isinstance(body, dict) else None
    return value if isinstance(value, str) and value else None


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
