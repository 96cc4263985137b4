"""What comes in and goes out: no body is above the limit, every answer has the headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from penstock.server.body import too_large

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Send

__all__ = ["Answer", "Limited"]

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Answer:
    """The way out: every answer has the headers, that to HEAD no body; closed, it takes no more."""

    def __init__(self, send: Send, *, head: bool) -> None:
        self._send, self._head = send, head
        self.begun = self.closed = False

    async def __call__(self, message: Message) -> None:
        """Send it on."""
        if self.closed:
            return
        if message["type"] == "http.response.start":
            self.begun = True
            told = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                told.setdefault(name, value)
        elif self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


class Limited:
    """The way in: more than the headers said, where they said anything, is not taken."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most, self._left = receive, most, most

    async def __call__(self) -> Message:
        """The next part."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise too_large(self._most)
        return message
