"""What stands before every call: who calls, how often, how much; and what is written down of it."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders

from penstock.errors import LedgerError
from penstock.lineage.server.problem import UNAVAILABLE, problem
from penstock.lineage.server.settings import LOOPBACK_HOSTS, ServerSettings
from penstock.lineage.tables import access
from penstock.lineage.tokens import Caller, Role, Tokens

if TYPE_CHECKING:
    from fastapi.responses import JSONResponse
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from penstock.lineage.ledger import Ledger

__all__ = ["COOKIE", "Guard"]

COOKIE = "penstock_token"
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
_MOST_CALLERS = 10_000
_LONGEST_TEXT = 8192
_LOCAL = Caller(name="local", role=Role.ADMIN)
_NOBODY = Caller(name="", role=Role.READER)


class Guard:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, ledger: Ledger, settings: ServerSettings) -> None:
        self._app, self._ledger, self._settings = app, ledger, settings
        self._tokens = Tokens(ledger.database)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the call through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        caller, refused = await self._admitted(scope, headers)
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    told.setdefault(name, value)
                if _is_read(scope):
                    await self._write_down(caller or _NOBODY, scope, status)
            await send(message)

        if refused is not None:
            await refused(scope, receive, sending)
            return
        scope.setdefault("state", {})["caller"] = (caller or _NOBODY).name
        limited = _Limited(receive, self._settings.most_body_bytes)
        try:
            await self._app(scope, limited, sending)
        except _TooLongError:
            if not status:
                await self._too_long()(scope, receive, sending)
        except LedgerError as error:
            if not status:
                answer = problem(
                    UNAVAILABLE, error.what, where="access log", next_step=error.next_step
                )
                await answer(scope, receive, send)

    async def _admitted(
        self, scope: Scope, headers: Headers
    ) -> tuple[Caller | None, JSONResponse | None]:
        client = (scope.get("client") or ("?", 0))[0]
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._settings.most_body_bytes:
            return None, self._too_long()
        if not self._settings.tokens_required:
            if _host(headers) not in LOOPBACK_HOSTS:
                return None, _refusal(
                    421, "this server answers to its own machine alone", "call it by 127.0.0.1"
                )
            caller: Caller | None = _LOCAL
        else:
            given = _token(headers)
            caller = await run_in_threadpool(self._tokens.caller, given) if given else None
        if not self._within_rate(caller.name if caller else client):
            return None, _refusal(429, "too many calls", "wait a minute, or send events in lists")
        if not _is_api(scope):
            return caller, None
        if caller is None:
            return None, _refusal(
                401,
                "a token is needed",
                "send `Authorization: Bearer <token>`; `penstock token add` makes one",
            )
        if not _may(caller.role, scope):
            return None, _refusal(
                403, f"a token of the role {caller.role} may not do this", "use another token"
            )
        return caller, None

    def _within_rate(self, name: str) -> bool:
        # a bucket that fills at the rate and holds a minute's worth
        most, now = float(self._settings.calls_per_minute), time.monotonic()
        left, at = self._buckets.pop(name, (most, now))
        left = min(most, left + (now - at) * most / 60.0)
        self._buckets[name] = (max(left - 1.0, 0.0), now)
        while len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        return left >= 1.0

    async def _write_down(self, caller: Caller, scope: Scope, status: int) -> None:
        """Before the answer goes out: what nobody wrote down nobody is told."""
        client = (scope.get("client") or ("?", 0))[0]
        values = {
            "at": datetime.now(UTC),
            "who": caller.name,
            "role": caller.role.value,
            "client": str(client),
            "method": scope["method"],
            "path": _storable(scope["path"]),
            "query": _storable(scope.get("query_string", b"").decode("ascii", "replace")),
            "status": status,
        }
        await run_in_threadpool(self._insert, values)

    def _insert(self, values: dict[str, Any]) -> None:
        with self._ledger.database.write() as connection:
            connection.execute(insert(access).values(values))

    def _too_long(self) -> JSONResponse:
        most = self._settings.most_body_bytes
        return _refusal(413, f"a body of more than {most} bytes is not taken", "send fewer events")


class _TooLongError(Exception):
    """More came than the headers said, or the headers said nothing."""


class _Limited:
    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._left = receive, most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _TooLongError
        return message


def _refusal(status: int, what: str, next_step: str) -> JSONResponse:
    return problem(status, what, where="server", next_step=next_step)


def _is_api(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith("/api/") or path == "/openapi.json"


def _is_read(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith("/api/") and scope["method"] in {"GET", "HEAD"}


def _may(role: Role, scope: Scope) -> bool:
    path, method = scope["path"], scope["method"]
    if method not in {"GET", "HEAD"}:
        return role.sends
    if path.startswith(("/api/penstock/v1/access", "/api/penstock/v1/evidence")):
        return role.audits
    return role.reads


def _token(headers: Headers) -> str | None:
    kind, _, given = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and given.strip():
        return given.strip()
    cookie = SimpleCookie()
    try:
        cookie.load(headers.get("cookie", ""))
    except Exception:  # noqa: BLE001 - whatever a browser may hold, it is then no token
        return None
    return cookie[COOKIE].value if COOKIE in cookie else None


def _host(headers: Headers) -> str:
    host = headers.get("host", "")
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


def _storable(text: str) -> str:
    return (
        text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")[:8192]
    )
