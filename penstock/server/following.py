"""The graph kept close to the events while the server runs, so that no reader waits for it."""

from __future__ import annotations

import logging
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from penstock.errors import PenstockError
from penstock.ledger.graph.projector import catch_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from fastapi import FastAPI

    from penstock.ledger.database import LedgerDatabase

__all__ = ["following"]

logger = logging.getLogger(__name__)
_EVERY_SECONDS = 0.5


def following(database: LedgerDatabase) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The lifespan of an application that projects new events as they come."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        end = threading.Event()
        worker = threading.Thread(target=_follow, args=(database, end), name="penstock-graph")
        worker.daemon = True
        worker.start()
        try:
            yield
        finally:
            end.set()
            worker.join(10)

    return lifespan


def _follow(database: LedgerDatabase, end: threading.Event) -> None:
    while not end.wait(_EVERY_SECONDS):
        try:
            catch_up(database)
        except PenstockError as error:
            # a reader meets it too, and is told
            logger.warning("the graph waits reason=%r", error.what)
