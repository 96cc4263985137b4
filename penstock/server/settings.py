"""What the server allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["ServerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """`tokens_required`: every call needs a token of the ledger, of a role that may do it.

    Without it only calls to this machine's own name are answered, so that no page of the web that
    a browser shows can reach the server by a name of its own.

    `calls_per_minute`: of one token, or of one client that shows none. `sign_ins_per_minute`: how
    often one client may show a wrong token; one that is right counts for nothing. A person stays
    signed in for `session_lifetime`. `lenient` takes events that Marquez takes and the
    specification does not (`penstock.events.lenient`), and marks them.
    """

    tokens_required: bool = False
    lenient: bool = False
    most_body_bytes: int = 16 * 1024 * 1024
    most_events: int = 5000
    calls_per_minute: int = 30_000
    sign_ins_per_minute: int = 10
    session_lifetime: timedelta = timedelta(hours=12)
    dagster_url: str | None = None
