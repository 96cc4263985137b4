"""The cookie that a signed-in browser holds: the key of a session, which no script can read."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from starlette.responses import Response

__all__ = ["cookie_name", "forget_cookie", "session_key", "set_cookie"]

_NAME = "penstock_session"


def cookie_name(*, tls: bool) -> str:
    """With TLS the name says that no other host, and no page without TLS, can have set it."""
    return f"__Host-{_NAME}" if tls else _NAME


def session_key(headers: Mapping[str, str], *, tls: bool) -> str | None:
    """What the browser holds, whatever it may be."""
    name, cookie = cookie_name(tls=tls), SimpleCookie()
    try:
        cookie.load(headers.get("cookie", ""))
    except Exception:  # noqa: BLE001 - whatever a browser may hold, it is then no session
        return None
    return cookie[name].value if name in cookie else None


def set_cookie(answer: Response, key: str, lifetime: timedelta, *, tls: bool) -> None:
    """Let the browser hold the key until the session ends."""
    answer.set_cookie(
        cookie_name(tls=tls),
        key,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=tls,
        httponly=True,
        samesite="strict",
    )


def forget_cookie(answer: Response, *, tls: bool) -> None:
    """Let the browser hold it no more."""
    answer.delete_cookie(
        cookie_name(tls=tls), path="/", secure=tls, httponly=True, samesite="strict"
    )
