"""What stands before every call: who calls, how often, how much; and what is written down of it."""

from __future__ import annotations

import logging
import time
import traceback
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from penstock.errors import LedgerError
from penstock.ledger.sessions import Sessions
from penstock.ledger.tables import access
from penstock.ledger.tokens import Caller, Role, Tokens
from penstock.server.access_line import (
    LONGEST_ADDRESS_BYTES,
    SESSION,
    access_line,
    is_too_long,
    is_written_down,
)
from penstock.server.body import too_large
from penstock.server.buckets import Buckets
from penstock.server.message import Answer, Limited
from penstock.server.page_origin import PageOrigin, page_origin
from penstock.server.problem import UNAVAILABLE, Problem, problem
from penstock.server.session_cookie import session_keys
from penstock.server.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi.responses import JSONResponse
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from penstock.ledger.ledger import Ledger

__all__ = ["Guard"]

logger = logging.getLogger(__name__)

_LOCAL = Caller(name="local", role=Role.ADMIN)
_NOBODY = Caller(name="", role=Role.READER)
_READS = {"GET", "HEAD"}
_OK, _UNAUTHORIZED = 200, 401


class Guard:
    """The outermost part of the application. `seconds` is the clock of how often one may call."""

    def __init__(
        self,
        app: ASGIApp,
        ledger: Ledger,
        settings: ServerSettings,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._ledger, self._settings = app, ledger, settings
        self._tokens, self._sessions = Tokens(ledger.database), Sessions(ledger.database)
        self._calls = Buckets(settings.calls_per_minute, seconds)
        self._sign_ins = Buckets(settings.sign_ins_per_minute, seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the call through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # whoever signs in becomes the caller meanwhile
        told = scope.setdefault("state", {})
        told["caller"] = None
        try:
            refused = await self._refusal(scope, Headers(scope=scope), told)
        except LedgerError as error:
            refused = _unavailable(error)
        out = Answer(send, head=scope["method"] == "HEAD")

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                if _signs_in(scope) and status != _UNAUTHORIZED and refused is None:
                    self._sign_ins.give_back(_client(scope))
                if is_written_down(scope, status):
                    try:
                        await self._write_down(told["caller"] or _NOBODY, scope, status)
                    except LedgerError as error:
                        await _unavailable(error)(scope, receive, out)
                        out.closed = True
            await out(message)

        if refused is not None:
            await refused(scope, receive, sending)
            return
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, Limited(receive, self._settings.most_body_bytes), sending)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - no stack and no value of an event is told
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.error(  # noqa: TRY400 - the message may quote what an event holds
                "%s at %s:%s", type(error).__name__, Path(place.filename).name, place.lineno
            )
            if not out.begun:
                await _broken()(scope, receive, sending)

    async def _refusal(
        self, scope: Scope, headers: Headers, told: dict[str, Any]
    ) -> JSONResponse | None:
        length = headers.get("content-length", "0")
        if (
            not (length.isascii() and length.isdigit())
            or int(length) > self._settings.most_body_bytes
        ):
            return _refused(too_large(self._settings.most_body_bytes))
        bearer, strange = None, False
        if not self._settings.tokens_required:
            if not _is_loopback(headers.get("host", "")):
                return _refusal(
                    421, "this server answers to its own machine alone", "call it by 127.0.0.1"
                )
            caller: Caller | None = _LOCAL
        else:
            bearer = _bearer(headers)
            keys = () if bearer else session_keys(headers, tls=scope["scheme"] == "https")
            caller = await run_in_threadpool(self._caller, bearer, keys)
            strange = bool(keys and caller) and _is_strange(scope, headers)
        # what a page that is not ours asks for is asked by nobody: it stands under no name
        caller = None if strange else caller
        told["caller"] = caller
        if not self._calls.take(f"token {caller.name}" if caller else f"client {_client(scope)}"):
            return _too_often("wait a minute, or send events in lists")
        if is_too_long(scope):
            return _too_long()
        if not _is_api(scope):
            return None
        if _is_session(scope):
            return self._refused_session(scope, headers, caller, bearer)
        if strange:
            return _foreign()
        if caller is None:
            return _no_token()
        if not _may(caller.role, scope):
            return _refusal(
                403, f"a token of the role {caller.role} may not do this", "use another token"
            )
        return None

    def _refused_session(
        self, scope: Scope, headers: Headers, caller: Caller | None, bearer: str | None
    ) -> JSONResponse | None:
        """Signing in and out is anybody's, from a page of ours or from no page at all."""
        if bearer and caller is None:
            return _no_token()
        if scope["method"] not in _READS and page_origin(headers) is PageOrigin.FOREIGN:
            return _foreign()
        if _signs_in(scope) and not self._sign_ins.take(_client(scope)):
            return _too_often("wait a minute, then sign in again")
        return None

    def _caller(self, bearer: str | None, keys: tuple[str, ...]) -> Caller | None:
        if bearer:
            return self._tokens.caller(bearer)
        now = self._ledger.now()
        found = {caller for key in keys if (caller := self._sessions.caller(key, at=now))}
        # sessions of two people in one browser: another server of the host may have set one
        return found.pop() if len(found) == 1 else None

    async def _write_down(self, caller: Caller, scope: Scope, status: int) -> None:
        """Before the answer goes out: what nobody wrote down nobody is told."""
        values = access_line(scope, caller, status, self._ledger.now())
        await run_in_threadpool(self._insert, values)

    def _insert(self, values: dict[str, Any]) -> None:
        with self._ledger.database.write() as connection:
            connection.execute(insert(access).values(values))


def _is_strange(scope: Scope, headers: Headers) -> bool:
    """Whether a browser signed this call in by its cookie for a page that is not ours.

    What changes something must say that a page of ours asks for it; signing out need not.
    """
    origin = page_origin(headers)
    if origin is PageOrigin.UNSAID:
        return scope["method"] not in _READS and not _is_session(scope)
    return origin is PageOrigin.FOREIGN


def _foreign() -> JSONResponse:
    return _refusal(
        403,
        "the call was made for a page that is not this server's",
        "call it from its own pages, or with `Authorization: Bearer <token>`; a proxy before it "
        "hands on the header Host",
    )


def _no_token() -> JSONResponse:
    return _refusal(
        401,
        "a token is needed",
        "sign in, or send `Authorization: Bearer <token>`; `penstock token add` makes one",
        www_authenticate="Bearer",
    )


def _too_often(next_step: str) -> JSONResponse:
    return _refusal(429, "too many calls", next_step, retry_after="60")


def _too_long() -> JSONResponse:
    return _refusal(
        414,
        f"a path and query of more than {LONGEST_ADDRESS_BYTES} bytes are not taken",
        "leave out what the call does not need: see /openapi.json",
    )


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


def _is_session(scope: Scope) -> bool:
    # written in escapes it might mean another call to the application than here
    return scope["path"] == SESSION and b"%" not in (scope.get("raw_path") or b"")


def _signs_in(scope: Scope) -> bool:
    return scope["method"] == "POST" and _is_session(scope)


def _client(scope: Scope) -> str:
    return str((scope.get("client") or ("?", 0))[0])


def _may(role: Role, scope: Scope) -> bool:
    path, method = scope["path"], scope["method"]
    if method not in _READS:
        return role.sends
    if path.startswith(("/api/penstock/v1/access", "/api/penstock/v1/evidence")):
        return role.audits
    return role.reads


def _bearer(headers: Headers) -> str | None:
    kind, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() or None if kind.lower() == "bearer" else None


def _is_loopback(host: str) -> bool:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
