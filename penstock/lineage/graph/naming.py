"""What datasets are called, and what their facets say of owners and columns. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.lineage.graph.catalog import DatasetNode, JobNode

__all__ = ["columns_of", "id_of", "label_of", "owners_of"]


def id_of(node: DatasetNode | JobNode) -> str:
    """The API's id of a dataset or job."""
    return f"{node.namespace}|{node.name}"


def label_of(node: DatasetNode) -> str:
    """What a person calls it: its other name when it has one that is no path."""
    named = [name for _, name in node.other_names if "/" not in name]
    return named[0] if named else node.name


def owners_of(node: DatasetNode) -> list[str]:
    """Who answers for it."""
    told = _dicts(node.facets.get("ownership", {}).get("owners"))
    return [str(owner["name"]) for owner in told if owner.get("name")]


def columns_of(node: DatasetNode) -> list[dict[str, Any]]:
    """The columns that its schema tells, with what its tags say of them."""
    tags: dict[str, dict[str, str]] = {}
    for tag in _dicts(node.facets.get("tags", {}).get("tags")):
        if isinstance(tag.get("field"), str) and isinstance(tag.get("key"), str):
            tags.setdefault(tag["field"], {})[tag["key"]] = str(tag.get("value"))
    found = []
    for field in _dicts(node.facets.get("schema", {}).get("fields")):
        own = tags.get(str(field.get("name")), {})
        found.append(
            {
                "name": str(field.get("name")),
                "type": field.get("type"),
                "description": field.get("description"),
                "pii": own["pii"].upper() if "pii" in own else None,
                "masked": own.get("masked") == "true",
                "key": own.get("key") == "true",
                "unit": own.get("unit"),
            }
        )
    return found


def _dicts(values: Any) -> list[Mapping[str, Any]]:
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
