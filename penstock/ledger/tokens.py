"""Who may call the server: tokens of a role, of which the ledger keeps a hash alone."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from sqlalchemy import insert, select, update

from penstock.errors import InputError
from penstock.ledger.tables import token

if TYPE_CHECKING:
    from datetime import datetime

    from penstock.ledger.database import LedgerDatabase

__all__ = ["Caller", "Role", "TokenEntry", "Tokens", "without_tokens"]

_BYTES = 32
_PREFIX = "pst_"  # so that a scanner for secrets knows one when it sees one
# A token, or the key of a session, also one of which the end is missing. Names may begin alike
# (pst_orders_by_day): a secret is long, and 43 random characters hold a capital.
_SECRET = re.compile(
    r"pst_(?:(?=[a-z\d_-]*[A-Z])[\w-]{20,}|[\w-]{43,})|pss_[\da-fA-F]{24}\.[\w-]+", re.ASCII
)
_RUN = re.compile(r"[\w%.-]+")  # what a secret may stand in, in escapes or not
_MOST_ESCAPES = 8
_LONGEST_NAME = 128


class Role(StrEnum):
    """What a token may do: send events; read; read the access log and take evidence; all."""

    EMITTER = "emitter"
    READER = "reader"
    AUDITOR = "auditor"
    ADMIN = "admin"

    @property
    def sends(self) -> bool:
        """Whether it may send events."""
        return self in {Role.EMITTER, Role.ADMIN}

    @property
    def reads(self) -> bool:
        """Whether it may read the graph."""
        return self is not Role.EMITTER

    @property
    def audits(self) -> bool:
        """Whether it may read who read."""
        return self in {Role.AUDITOR, Role.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, by the name of the token."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEntry:
    """A token as the ledger knows it."""

    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None


class Tokens:
    """The tokens of a ledger. All methods raise LedgerError when it cannot be used."""

    def __init__(self, database: LedgerDatabase) -> None:
        self._database = database

    def add(self, name: str, role: Role, *, at: datetime) -> str:
        """Makes a token of this name and gives it: it can never be shown again.

        Raises InputError when the name is taken or no name.
        """
        if not 0 < len(name.strip()) <= _LONGEST_NAME or any(e.name == name for e in self.all()):
            raise InputError(
                "this name cannot be given to a token",
                where="token",
                expected=f"a name of 1 to {_LONGEST_NAME} characters that no token has had",
                next_step="choose another name; those of revoked tokens stay taken, for the log",
            )
        made = f"{_PREFIX}{secrets.token_urlsafe(_BYTES)}"
        values = {"name": name, "role": role.value, "digest": _digest(made), "created_at": at}
        with self._database.write() as connection:
            connection.execute(insert(token).values(values))
        return made

    def revoke(self, name: str, *, at: datetime) -> bool:
        """Ends a token; False when there is none of this name that is not ended."""
        statement = update(token).where(token.c.name == name, token.c.revoked_at.is_(None))
        with self._database.write() as connection:
            return connection.execute(statement.values(revoked_at=at)).rowcount == 1

    def all(self) -> tuple[TokenEntry, ...]:
        """Every token there ever was, by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(token).order_by(token.c.name)).all()
        return tuple(
            TokenEntry(
                name=row.name,
                role=Role(row.role),
                created_at=row.created_at,
                revoked_at=row.revoked_at,
            )
            for row in rows
        )

    def caller(self, given: str) -> Caller | None:
        """Whose token this is; None for one that is unknown or ended."""
        digest = _digest(given)
        with self._database.read() as connection:
            rows = connection.execute(select(token).where(token.c.revoked_at.is_(None))).all()
        found = None
        # every one is compared in constant time: how long it takes tells nothing of any
        for row in rows:
            if hmac.compare_digest(row.digest, digest):
                found = Caller(name=row.name, role=Role(row.role))
        return found


def without_tokens(text: str, *, escaped: bool = False) -> str:
    """The text for a log: a token that somebody sent where none belongs does not stand in it.

    Nor does one in percent escapes, of any of its characters, or in escapes of escapes. An
    `escaped` text stays one: what had to be decoded is in escapes again.
    """
    return _RUN.sub(lambda run: _without_secrets(run[0], escaped=escaped), text)


def _without_secrets(run: str, *, escaped: bool) -> str:
    plain, left = run, _MOST_ESCAPES
    while (decoded := unquote(plain)) != plain:
        plain, left = decoded, left - 1
        if not left:
            return "..."
    masked = _SECRET.sub(lambda found: f"{found[0][:4]}...", plain)
    if masked == plain:
        return run
    return quote(masked, safe="/:") if escaped else masked


def _digest(given: str) -> str:
    # a token is 32 random bytes: nobody finds it by trying, so a slow hash would guard nothing
    return hashlib.sha256(given.encode("utf-8", "replace")).hexdigest()
