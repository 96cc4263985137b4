"""The application: its routes, and what surrounds each call."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from penstock.ledger.group_commit import GroupCommit
from penstock.server import browser, ingest, marquez, own
from penstock.server.following import following
from penstock.server.guard import Guard
from penstock.server.path_names import EscapedSlashes
from penstock.server.problem import add_problems, documented
from penstock.server.settings import ServerSettings
from penstock.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import BaseRoute

    from penstock.evidence.signing_key import SigningKey
    from penstock.evidence.table_histories import Histories
    from penstock.ledger.ledger import Ledger

__all__ = ["create_app"]


def create_app(
    ledger: Ledger,
    settings: ServerSettings | None = None,
    *,
    histories: Histories | None = None,
    signing_key: Callable[[], SigningKey] | None = None,
    seconds: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The server of one ledger, whose clock is the server's. The caller opens and closes it.

    `histories` are the tables of a lake: without them nothing is said of coverage. `signing_key`
    signs evidence: without it none is given. `seconds` counts on by itself, for how often a
    caller may call.
    """
    app = FastAPI(
        title="Penstock lineage",
        version=VERSION,
        description="OpenLineage events in, Marquez's read API and Penstock's own out.",
        # their pages are fetched from elsewhere, and no request may leave the machine
        lifespan=following(ledger.database),
        docs_url=None,
        redoc_url=None,
    )
    allowed = settings or ServerSettings()
    app.state.ledger, app.state.settings = ledger, allowed
    app.state.histories, app.state.signing_key = histories, signing_key
    app.state.appender = GroupCommit(ledger)
    add_problems(app)
    app.router.routes.extend(_calls())
    browser.add_pages(app)
    app.add_middleware(EscapedSlashes)
    app.add_middleware(Guard, ledger=ledger, settings=allowed, seconds=seconds)
    return app


@cache
def _calls() -> list[BaseRoute]:
    """Once for all applications of the process: FastAPI reads each call's signature anew."""
    calls = APIRouter()
    usual = documented({400: "a name or a body cannot be read", 404: "there is no such thing"})
    for part in (ingest, marquez, own):
        calls.include_router(part.router, responses=usual)
    return calls.routes
