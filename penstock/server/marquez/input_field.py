"""A column that takes part in another, as Marquez has it, with all that was told of how. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.ledger.graph.walk import FoundEdge

__all__ = ["how", "summary"]


def how(edges: Iterable[FoundEdge]) -> dict[str, Any]:
    """What the edges between two columns say of how the one becomes the other.

    `transformations` is OpenLineage's list, each once. `transformationType` is Marquez's one word:
    MASKED when values only pass masked, else the subtype, or the type, of the first that carries
    values. None and an empty list: nobody told.
    """
    steps = sorted({_key(edge) for edge in edges})
    told = [step for step in steps if any(step)]
    carrying = [step for step in told if step[0] in ("", "DIRECT")] or told
    word = None
    if carrying:
        masked = all(masking for _, _, masking, _ in carrying)
        type_, subtype, _, _ = carrying[0]
        word = "MASKED" if masked else subtype or type_ or None
    return {
        "transformationDescription": "; ".join(_sentence(step) for step in told) or None,
        "transformationType": word,
        "transformations": [
            {
                "type": type_ or None,
                "subtype": subtype or None,
                "description": description,
                "masking": masking,
            }
            for type_, subtype, masking, description in told
        ],
    }


def summary(fields: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Marquez's one type and description of a column: those of its first input that has one."""
    first = next((f for f in fields if f["transformationType"]), {})
    return {name: first.get(name) for name in ("transformationDescription", "transformationType")}


def _key(edge: FoundEdge) -> tuple[str, str, bool, str]:
    return edge.type or "", edge.subtype or "", edge.masking, edge.description


def _sentence(step: tuple[str, str, bool, str]) -> str:
    type_, subtype, masking, description = step
    return description or " ".join(
        word for word in (type_, subtype, "masking" if masking else "") if word
    )
