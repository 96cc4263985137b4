"""A call's body as JSON: of the one type that no page of the web can send unasked, unpacked."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from penstock.server.problem import BAD_REQUEST, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TOO_LARGE", "UNSUPPORTED", "json_of", "too_large"]

TOO_LARGE, UNSUPPORTED = 413, 415
_JSON = "application/json"
_GZIP = 16 + zlib.MAX_WBITS


def json_of(body: bytes, headers: Mapping[str, str], *, most_bytes: int) -> Any:
    """What the body says. Raises Problem.

    A browser asks before it sends JSON to another site, and is answered no; forms and text it
    sends unasked.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise Problem(
            UNSUPPORTED,
            "the body is not said to be JSON",
            where="content-type",
            next_step=f"send the header `content-type: {_JSON}`",
        )
    match headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            told = body
        case "gzip" | "x-gzip":
            told = _unpacked(body, most_bytes)
        case _:
            raise Problem(
                UNSUPPORTED,
                "the body is packed in a way that is not known here",
                where="content-encoding",
                next_step="send it packed by gzip, or as it is",
            )
    try:
        return json.loads(told, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _no_json(type(error).__name__) from None


def too_large(most_bytes: int) -> Problem:
    """The body is above the limit."""
    what = f"a body of more than {most_bytes} bytes is not taken"
    return Problem(TOO_LARGE, what, where="$", next_step="send fewer events")


def _unpacked(body: bytes, most_bytes: int) -> bytes:
    parts, left = [], most_bytes
    try:
        while body:
            unpacker = zlib.decompressobj(_GZIP)
            parts.append(unpacker.decompress(body, left + 1))
            left -= len(parts[-1])
            if left < 0:
                raise too_large(most_bytes)
            if not unpacker.eof:
                raise _no_json("its gzip ends early")
            body = unpacker.unused_data
    except zlib.error:
        raise _no_json("it is no gzip") from None
    return b"".join(parts)


def _no_json(why: str) -> Problem:
    return Problem(
        BAD_REQUEST,
        f"the body is no JSON: {why}",
        where="$",
        next_step="send what the call takes as JSON in UTF-8: see /openapi.json",
    )


def _no_number(name: str) -> Any:
    raise ValueError(name)
