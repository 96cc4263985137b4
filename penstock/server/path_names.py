"""Names in a path: a dataset's may hold slashes, which clients send as %2F.

The server would take them for borders of the path. They are kept escaped while the route is found,
and `Named` gives the name as it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

from fastapi import Path
from pydantic import AfterValidator

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["EscapedSlashes", "Named"]


def _name(text: str) -> str:
    name = unquote(text)
    if "\0" in name:
        raise ValueError("a name holds no NUL character")
    return name


Named = Annotated[str, Path(), AfterValidator(_name)]


class EscapedSlashes:
    """Lets %2F and %25 in a path stay as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the call on, its path escaped where a border or an escape was meant as text."""
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw and b"%" in raw:
            text = raw.partition(b"?")[0].decode("ascii", "replace")
            kept = text.replace("%25", "%2525").replace("%2F", "%252F").replace("%2f", "%252F")
            scope = {**scope, "path": unquote(kept)}
        await self._app(scope, receive, send)
