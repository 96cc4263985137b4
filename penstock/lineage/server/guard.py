"""What stands before every call: who calls, how often, how much; and what is written down of it."""

from __future__ import annotations

import logging
import time
import traceback
from collections import OrderedDict
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from penstock.errors import LedgerError
from penstock.lineage.server.body import too_large
from penstock.lineage.server.problem import UNAVAILABLE, Problem, problem
from penstock.lineage.server.settings import ServerSettings
from penstock.lineage.tables import access
from penstock.lineage.tokens import Caller, Role, Tokens, without_tokens

if TYPE_CHECKING:
    from fastapi.responses import JSONResponse
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from penstock.lineage.ledger import Ledger

__all__ = ["COOKIE", "Guard"]

logger = logging.getLogger(__name__)

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
        try:
            caller, refused = await self._admitted(scope, headers)
        except LedgerError as error:
            caller, refused = None, _unavailable(error)
        out = _Answer(send, head=scope["method"] == "HEAD")

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_read(scope):
                try:
                    await self._write_down(caller or _NOBODY, scope, message["status"])
                except LedgerError as error:
                    await _unavailable(error)(scope, receive, out)
                    out.closed = True
            await out(message)

        if refused is not None:
            await refused(scope, receive, sending)
            return
        scope.setdefault("state", {})["caller"] = (caller or _NOBODY).name
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, _Limited(receive, self._settings.most_body_bytes), sending)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - no stack and no value of an event is told
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.error(  # noqa: TRY400 - the message may quote what an event holds
                "%s at %s:%s", type(error).__name__, Path(place.filename).name, place.lineno
            )
            if not out.begun:
                await _broken()(scope, receive, sending)

    async def _admitted(
        self, scope: Scope, headers: Headers
    ) -> tuple[Caller | None, JSONResponse | None]:
        client = (scope.get("client") or ("?", 0))[0]
        length = headers.get("content-length", "0")
        if (
            not (length.isascii() and length.isdigit())
            or int(length) > self._settings.most_body_bytes
        ):
            return None, _refused(too_large(self._settings.most_body_bytes))
        if not self._settings.tokens_required:
            if not _is_loopback(headers.get("host", "")):
                return None, _refusal(
                    421, "this server answers to its own machine alone", "call it by 127.0.0.1"
                )
            caller: Caller | None = _LOCAL
        else:
            given = _token(headers)
            caller = await run_in_threadpool(self._tokens.caller, given) if given else None
        if not self._within_rate(f"token {caller.name}" if caller else f"client {client}"):
            return caller, _refusal(
                429, "too many calls", "wait a minute, or send events in lists", retry_after="60"
            )
        if not _is_api(scope):
            return caller, None
        if caller is None:
            return None, _refusal(
                401,
                "a token is needed",
                "send `Authorization: Bearer <token>`; `penstock token add` makes one",
                www_authenticate="Bearer",
            )
        if not _may(caller.role, scope):
            return caller, _refusal(
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


class _Answer:
    """The way out: every answer has the headers, that to HEAD no body; closed, it takes no more."""

    def __init__(self, send: Send, *, head: bool) -> None:
        self._send, self._head = send, head
        self.begun = self.closed = False

    async def __call__(self, message: Message) -> None:
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


class _Limited:
    """The way in: more than the headers said, where they said anything, is not taken."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most, self._left = receive, most, most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise too_large(self._most)
        return message


def _refusal(status: int, what: str, next_step: str, **headers: str) -> JSONResponse:
    answer = problem(status, what, where="server", next_step=next_step)
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return answer


def _refused(told: Problem) -> JSONResponse:
    return problem(told.status, told.what, where=told.where, next_step=told.next_step)


def _unavailable(error: LedgerError) -> JSONResponse:
    where = error.where or "ledger"
    return problem(UNAVAILABLE, error.what, where=where, next_step=error.next_step)


def _broken() -> JSONResponse:
    return _refusal(500, "the server failed at this call", "see the server's log, and report it")


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


def _is_loopback(host: str) -> bool:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _storable(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return without_tokens(whole[:_LONGEST_TEXT])
