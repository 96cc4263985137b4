"""What datasets are called, and what their facets say of owners and columns. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from penstock.events.name import is_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.ledger.graph.nodes import DatasetNode, JobNode

__all__ = ["columns_of", "id_of", "label_of", "layer_of", "owners_of"]


def id_of(node: DatasetNode | JobNode) -> str:
    """The API's id of a dataset or job."""
    return f"{node.namespace}|{node.name}"


def label_of(node: DatasetNode) -> str:
    """What a person calls it: its other name when it has one that is no place."""
    named = [n for _, n in node.other_names if not n.startswith("/") and "://" not in n]
    return named[0] if named else node.name


def layer_of(node: DatasetNode) -> str:
    """`silver` of silver.bookings, `landing` of landing/bookings, otherwise the namespace."""
    label = label_of(node)
    layer = re.split(r"[./]", label)[0]
    return layer if layer not in ("", label) and label != node.name else node.namespace


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
        # the others are no columns of the graph
        if not is_name(field.get("name")):
            continue
        own = tags.get(field["name"], {})
        found.append(
            {
                "name": field["name"],
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
