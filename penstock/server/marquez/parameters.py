"""The parameters that many calls share, each within bounds."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator

__all__ = ["Depth", "Limit", "Offset", "Text"]

_MOST = 1000
_LONGEST = 16_384


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a name holds no NUL character")
    return text


Limit = Annotated[int, Query(ge=1, le=_MOST)]
Offset = Annotated[int, Query(ge=0, le=10**9)]
Depth = Annotated[int, Query(ge=0, le=_MOST)]
Text = Annotated[str, Query(max_length=_LONGEST), AfterValidator(_storable)]
