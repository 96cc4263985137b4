"""A line of the access log: which calls have one, and what stands in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from penstock.ledger.tokens import without_tokens

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.types import Scope

    from penstock.ledger.tokens import Caller

__all__ = [
    "LONGEST_ADDRESS_BYTES",
    "SESSION",
    "access_line",
    "is_too_long",
    "is_written_down",
    "on_one_line",
    "sought",
    "written",
]

SESSION = "/api/penstock/v1/session"
_READS = {"GET", "HEAD"}
_REFUSED = {401, 403, 414}
#: Of path and query. Two datasets and two columns of the longest names, in escapes, take 23,100.
LONGEST_ADDRESS_BYTES = 32_768
_LONGEST_REFUSED_TEXT = 8192
_LINE_BREAK = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
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


def is_too_long(scope: Scope) -> bool:
    """Whether the log would not hold the whole of what is asked: such a call is refused."""
    path = scope.get("raw_path") or scope["path"].encode()
    return len(path) + len(scope.get("query_string", b"")) > LONGEST_ADDRESS_BYTES


def access_line(scope: Scope, caller: Caller, status: int, at: datetime) -> dict[str, Any]:
    """The columns of the table; texts are cut where the call is too long to be answered."""
    path: str = scope["path"]
    # as the application reads it
    query = scope.get("query_string", b"").decode("latin-1")
    most = _LONGEST_REFUSED_TEXT if is_too_long(scope) else None
    return {
        "at": at,
        "who": caller.name,
        "role": caller.role.value,
        "client": str((scope.get("client") or ("?", 0))[0]),
        "method": scope["method"],
        "path": without_tokens(_storable(path))[:most],
        "query": without_tokens(_storable(query), escaped=True)[:most],
        "sought": sought(path, query)[:most],
        "status": status,
    }


def sought(path: str, query: str) -> str:
    r"""What was asked as a person writes it: the path and each parameter, decoded, on a line each.

    >>> sought("/dataset", "id=file%7C%2Flake%2Fb&at=")
    '/dataset\\nid=file|/lake/b\\nat=\\n'
    """
    parts = (path, *(unquote_plus(part) for part in query.split("&") if part))
    return "".join(f"{written(part)}\n" for part in parts)


def written(text: str) -> str:
    """How a line of `sought` holds this text: on one line, and without tokens."""
    return without_tokens(on_one_line(text))


def on_one_line(text: str) -> str:
    """The text with a space for each line break."""
    return _LINE_BREAK.sub(" ", _storable(text))


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
