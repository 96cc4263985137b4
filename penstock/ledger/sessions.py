"""Who is signed in: sessions that a token began, of which the ledger keeps a hash alone.

A session is what a browser holds instead of the token. It ends with its time, with its token, and
when it is signed out, and each of these at once: all are asked at every call.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from penstock.ledger.tables import session, token
from penstock.ledger.tokens import Caller, Role, Tokens

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from penstock.ledger.database import LedgerDatabase

__all__ = ["Sessions"]

_ID_BYTES, _SECRET_BYTES = 12, 32
_PREFIX = "pss_"


class Sessions:
    """The sessions of a ledger. All methods raise LedgerError when it cannot be used."""

    def __init__(self, database: LedgerDatabase) -> None:
        self._database, self._tokens = database, Tokens(database)

    def begin(self, given: str, *, at: datetime, lifetime: timedelta) -> tuple[str, Caller] | None:
        """Makes a session of a token and gives its key, which can never be shown again.

        None for a token that is unknown or ended.
        """
        caller = self._tokens.caller(given)
        if caller is None:
            return None
        # the row is found by a name that is no secret, so that the secret is compared and not
        # looked for
        name, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
        values = {
            "id": name,
            "digest": _digest(secret),
            "token": caller.name,
            "begun_at": at,
            "expires_at": at + lifetime,
        }
        with self._database.write() as connection:
            connection.execute(delete(session).where(session.c.expires_at <= at))
            connection.execute(insert(session).values(values))
        return f"{_PREFIX}{name}.{secret}", caller

    def caller(self, key: str, *, at: datetime) -> Caller | None:
        """Whose session this is; None when it is none, is over, or its token was ended."""
        name, digest = _parts(key)
        query = (
            select(session.c.digest, token.c.name, token.c.role)
            .join(token, token.c.name == session.c.token)
            .where(session.c.id == name, session.c.expires_at > at, token.c.revoked_at.is_(None))
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None or not hmac.compare_digest(row.digest, digest):
            return None
        return Caller(name=row.name, role=Role(row.role))

    def end(self, key: str) -> None:
        """Ends a session, if it is one."""
        name, digest = _parts(key)
        statement = delete(session).where(session.c.id == name, session.c.digest == digest)
        with self._database.write() as connection:
            connection.execute(statement)


def _parts(key: str) -> tuple[str, str]:
    name, _, secret = key.removeprefix(_PREFIX).partition(".")
    return name.replace("\0", ""), _digest(secret)


def _digest(secret: str) -> str:
    # 32 random bytes, as a token: a slow hash would guard nothing
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
