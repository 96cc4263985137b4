"""A line of the access log: which calls have one, and what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

from penstock.lineage.tokens import without_tokens

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.types import Scope

    from penstock.lineage.tokens import Caller

__all__ = ["SESSION", "access_line", "is_written_down", "sought"]

SESSION = "/api/penstock/v1/session"
_READS = {"GET", "HEAD"}
_REFUSED = {401, 403}
_LONGEST_TEXT = 8192
_OK = 200


def is_written_down(scope: Scope, status: int) -> bool:
    """Every call that reads, signs in or out, or is refused.

    Who asks for their own name alone is told nothing of the ledger, and is not written down.
    """
    path: str = scope["path"]
    if not path.startswith("/api/"):
        return False
    reads = scope["method"] in _READS
    if path == SESSION:
        return not (reads and status == _OK)
    return reads or status in _REFUSED


def access_line(scope: Scope, caller: Caller, status: int, at: datetime) -> dict[str, Any]:
    """The columns of the table."""
    path = _storable(scope["path"])
    query = _query(scope.get("query_string", b"").decode("ascii", "replace"))
    return {
        "at": at,
        "who": caller.name,
        "role": caller.role.value,
        "client": str((scope.get("client") or ("?", 0))[0]),
        "method": scope["method"],
        "path": path,
        "query": query,
        "sought": sought(path, query),
        "status": status,
    }


def sought(path: str, query: str) -> str:
    r"""What was asked as a person writes it: the path and each parameter, decoded, on a line each.

    >>> sought("/dataset", "id=file%7C%2Flake%2Fb&at=")
    '/dataset\\nid=file|/lake/b\\nat=\\n'
    """
    parts = (path, *(unquote_plus(part) for part in query.split("&") if part))
    return "".join(f"{_storable(' '.join(part.splitlines()))}\n" for part in parts)


def _query(text: str) -> str:
    decoded = unquote_plus(text)
    # a token does not stand in the log either when it was written in escapes
    if without_tokens(decoded) != decoded and without_tokens(text) == text:
        text = quote(without_tokens(decoded), safe="=&|/:.-")
    return _storable(text)


def _storable(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return without_tokens(whole[:_LONGEST_TEXT])
