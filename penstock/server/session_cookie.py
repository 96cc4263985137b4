"""The cookie that a signed-in browser holds: the key of a session, which no script can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from starlette.datastructures import Headers
    from starlette.responses import Response

__all__ = ["cookie_name", "forget_cookie", "session_keys", "set_cookie"]

_NAME = "penstock_session"
_MOST_KEYS = 8


def cookie_name(*, tls: bool) -> str:
    """With TLS the name says that no other host, and no page without TLS, can have set it."""
    return f"__Host-{_NAME}" if tls else _NAME


def session_keys(headers: Headers, *, tls: bool) -> tuple[str, ...]:
    """What the browser holds by this name, whatever it may be; nothing when it is too much.

    Cookies know no ports, and without TLS another server of the host, or of a host above, can set
    one of the same name: their order does not say which is ours. Other cookies are passed over.
    """
    name = cookie_name(tls=tls)
    parts = (part.partition("=") for one in headers.getlist("cookie") for part in one.split(";"))
    found = dict.fromkeys(value.strip() for key, _, value in parts if key.strip() == name)
    found.pop("", None)
    return tuple(found) if len(found) <= _MOST_KEYS else ()


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
