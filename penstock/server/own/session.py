"""Signing in at a browser: a token is shown once, and the browser holds a session from then on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from penstock.ledger.sessions import Sessions
from penstock.ledger.tokens import Caller
from penstock.server.body import json_of
from penstock.server.problem import UNPROCESSABLE, Problem, documented
from penstock.server.reading import ledger_of
from penstock.server.session_cookie import forget_cookie, session_keys, set_cookie
from penstock.server.settings import ServerSettings

__all__ = ["router"]

router = APIRouter()

_UNAUTHORIZED, _CONFLICT, _NO_CONTENT = 401, 409, 204
_TOKEN = {"token": {"type": "string", "writeOnly": True}}
_SCHEMA = {"type": "object", "required": ["token"], "properties": _TOKEN}
_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}},
}


class SignedIn(BaseModel):
    """Who one is; `name` and `role` are null for nobody."""

    name: str | None
    role: str | None
    tokens_required: bool


@router.get("/session", response_model=SignedIn)
def who(request: Request) -> dict[str, Any]:
    """Who one is here, and whether the server asks for tokens. It is not written down."""
    return _said(request.state.caller, required=_settings(request).tokens_required)


@router.post(
    "/session",
    openapi_extra=_BODY,
    response_model=SignedIn,
    responses=documented(
        {
            400: "the body is no JSON",
            401: "the token is unknown or was ended",
            409: "the server asks for no tokens",
            413: "the body is too long",
            415: "the body is not application/json, or packed otherwise than by gzip",
        }
    ),
)
async def sign_in(request: Request) -> JSONResponse:
    """Sign in with a token: the answer sets a cookie, which holds a session and not the token."""
    return await run_in_threadpool(_sign_in, request, await request.body())


@router.delete("/session", status_code=_NO_CONTENT, response_class=Response)
def sign_out(request: Request) -> Response:
    """End the session of the cookie, if there is one."""
    tls = _tls(request)
    for key in session_keys(request.headers, tls=tls):
        Sessions(ledger_of(request).database).end(key)
    answer = Response(status_code=_NO_CONTENT)
    forget_cookie(answer, tls=tls)
    return answer


def _sign_in(request: Request, body: bytes) -> JSONResponse:
    settings, ledger = _settings(request), ledger_of(request)
    given = _given(json_of(body, request.headers, most_bytes=settings.most_body_bytes))
    if not settings.tokens_required:
        raise Problem(
            _CONFLICT,
            "this server asks for no tokens",
            where="server",
            next_step="call it as you are",
        )
    sessions, tls = Sessions(ledger.database), _tls(request)
    begun = sessions.begin(given, at=ledger.now(), lifetime=settings.session_lifetime)
    if begun is None:
        raise Problem(
            _UNAUTHORIZED,
            "this is no token of this server, or it was revoked",
            where="token",
            next_step="look whether all of it was copied, or ask who runs the server for another",
        )
    for before in session_keys(request.headers, tls=tls):
        sessions.end(before)
    key, caller = begun
    request.state.caller = caller
    answer = JSONResponse(_said(caller, required=True))
    set_cookie(answer, key, settings.session_lifetime, tls=tls)
    return answer


def _given(told: Any) -> str:
    given = told.get("token") if isinstance(told, dict) else None
    if not isinstance(given, str) or not given.strip():
        raise Problem(
            UNPROCESSABLE,
            "no token was given",
            where="$.token",
            next_step='send {"token": "..."}',
        )
    return given.strip()


def _said(caller: Caller | None, *, required: bool) -> dict[str, Any]:
    name, role = (caller.name, caller.role.value) if caller else (None, None)
    return {"name": name, "role": role, "tokens_required": required}


def _settings(request: Request) -> ServerSettings:
    found: ServerSettings = request.app.state.settings
    return found


def _tls(request: Request) -> bool:
    return request.url.scheme == "https"
