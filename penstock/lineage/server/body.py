"""The body of a call, whole, unpacked and within bounds."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from penstock.lineage.server.problem import BAD_REQUEST, Problem

if TYPE_CHECKING:
    from fastapi import Request

__all__ = ["body_of"]

TOO_LARGE, UNSUPPORTED = 413, 415
_GZIP = 16 + zlib.MAX_WBITS  # zlib's word for a gzip header and trailer


async def body_of(request: Request, most_bytes: int) -> bytes:
    """What was sent, unpacked if its Content-Encoding is gzip.

    Raises a Problem when it is longer than allowed, packed or unpacked, as soon as that is seen.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Problem(
            UNSUPPORTED,
            "the body is packed in a way that is not known here",
            where="header Content-Encoding",
            next_step="send it as it is, or with gzip",
        )
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
    return bytes(body) if encoding == "identity" else _unpacked(bytes(body), most_bytes)


def _unpacked(body: bytes, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        found = unpacker.decompress(body, most_bytes + 1)
    except zlib.error:
        found, whole = b"", False
    else:
        whole = unpacker.eof and not unpacker.unused_data
    if len(found) > most_bytes:
        raise _too_large(most_bytes)
    if not whole:
        raise Problem(
            BAD_REQUEST,
            "the body is no whole gzip stream",
            where="$",
            next_step="pack one stream, or send the body as it is",
        )
    return found


def _too_large(most_bytes: int) -> Problem:
    return Problem(
        TOO_LARGE,
        f"a body of more than {most_bytes} bytes is too long",
        where="$",
        next_step="send fewer events at once",
    )
