"""An OpenLineage HTTP endpoint, and what its answer means for the event it was sent."""

from __future__ import annotations

import http
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

import requests
from openlineage.client.transport.http import (
    ApiKeyTokenProvider,
    HttpConfig,
    HttpTransport,
    TokenProvider,
)

from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlineage.client.event_v2 import RunEvent

__all__ = ["Answer", "Endpoint", "OutboxConfig"]

CLIENT_ERROR = 4  # hundred
# These speak of the endpoint and not of the event: a token that ran out, a path that moved, a
# gateway's limit. Parking on them would set every event aside until somebody notices.
ENDPOINT_FAULTS = frozenset({401, 403, 404, 405, 407, 408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxConfig:
    """Where events are relayed to. The token is in no repr, log, event or ledger.

    `name` keeps the destination's place when its URL changes; by default the URL is the name.
    Raises DefinitionError when the URL is not one of HTTP or the timeout is not positive.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    endpoint: str = "api/v1/lineage"
    timeout_seconds: float = 5.0
    name: str | None = None
    first_backoff_seconds: float = 1.0
    longest_backoff_seconds: float = 300.0
    poll_seconds: float = 1.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise DefinitionError(
                "the outbox's URL cannot be sent to",
                where="outbox",
                expected="http://host:port or https://host:port",
                next_step="correct the URL of the OpenLineage endpoint",
            )
        if parts.username or parts.password:
            raise DefinitionError(
                "the outbox's URL holds a credential",
                where="outbox",
                expected="the token as `token`, apart from the URL",
                next_step="take user and password out of the URL",
            )
        if self.timeout_seconds <= 0:
            raise DefinitionError(
                "the outbox would never get an answer",
                where="outbox",
                expected="timeout_seconds above 0",
                found=str(self.timeout_seconds),
                next_step="give it at least a second",
            )

    @property
    def destination(self) -> str:
        """The name the ledger keeps the cursor under."""
        parts = urlsplit(self.url)
        return self.name or f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`accepted`; `refused`, this event for good; or `failed`, to be tried again."""

    verdict: Literal["accepted", "refused", "failed"]
    error: str = ""
    retry_after_seconds: float = 0.0


class Endpoint:
    """Sends one event at a time through openlineage-python's HTTP transport."""

    def __init__(self, config: OutboxConfig) -> None:
        token = config.token
        session = requests.Session()
        # a redirected POST arrives as an empty GET, often on a login page that answers 200
        session.max_redirects = 0
        self._transport = HttpTransport(
            HttpConfig(
                url=config.url if config.url.endswith("/") else f"{config.url}/",
                endpoint=config.endpoint,
                timeout=config.timeout_seconds,
                auth=ApiKeyTokenProvider({"apiKey": token}) if token else TokenProvider({}),
                session=session,
                retry={"total": 0},  # the outbox retries, with the cursor in view
            )
        )

    def send(self, payload: Mapping[str, Any]) -> Answer:
        """Sends an event; never raises. The answer's body is not kept: it may echo the event."""
        try:
            # the transport takes an event's dictionary as well as the event
            self._transport.emit(cast("RunEvent", dict(payload)))
        except Exception as error:  # noqa: BLE001  # whatever went wrong, the event waits
            if isinstance(error, requests.HTTPError) and error.response is not None:
                return _answer(error.response)
            # the text may hold the token (InvalidHeader quotes the header), so the type must do
            return Answer(verdict="failed", error=type(error).__name__)
        return Answer(verdict="accepted")

    def close(self) -> None:
        """Closes the connection."""
        self._transport.close()


def _answer(response: requests.Response) -> Answer:
    status = response.status_code
    try:
        error = f"HTTP {status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        error = f"HTTP {status}"
    if status // 100 == CLIENT_ERROR and status not in ENDPOINT_FAULTS:
        return Answer(verdict="refused", error=error)
    wait = response.headers.get("Retry-After", "")
    return Answer(
        verdict="failed",
        error=error,
        retry_after_seconds=float(wait) if wait.isdecimal() else 0.0,
    )
