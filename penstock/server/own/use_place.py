"""A place in a list of uses, newest first: where a page ended and the next one begins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from pydantic import AfterValidator

from penstock.events.instant import instant, told_moment

if TYPE_CHECKING:
    from penstock.ledger.graph.nodes import UseNode

__all__ = ["Before", "place_of", "read_place"]

_LONGEST = 200


def place_of(use: UseNode) -> str:
    """The place after this use."""
    # without a plus sign, which an address that is not escaped turns into a space
    return f"{instant(use.at).removesuffix('+00:00')}Z/{use.teller}"


def read_place(text: str | None) -> tuple[datetime, str] | None:
    """The moment and the teller of the use before it. Raises ValueError for what is no place."""
    if not text:
        return None
    at, _, teller = text.partition("/")
    if not teller or "\0" in teller:
        raise ValueError("is no place that a page of runs has given")
    return told_moment(at).astimezone(UTC), teller


def _readable(text: str | None) -> str | None:
    read_place(text)
    return text


Before = Annotated[
    str | None,
    Query(max_length=_LONGEST, description="`before` of the answer whose next page this is"),
    AfterValidator(_readable),
]
