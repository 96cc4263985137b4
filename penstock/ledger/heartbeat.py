"""Says that a run is alive while it is: other hosts cannot ask its process."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from penstock.ledger.ledger import Ledger

__all__ = ["beating"]

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 60.0  # a run is held dead after fifteen minutes without


@contextmanager
def beating(
    ledger: Ledger, run_id: UUID, *, every_seconds: float = _EVERY_SECONDS
) -> Iterator[None]:
    """Tells the ledger every minute that the run is alive, as long as the block lasts.

    The first time is a minute after the block began: its START has just said so. A ledger that
    cannot be written is logged once and asked again; the run never hears of it. When the block is
    left no further heartbeat begins; one that waits for the database does not hold up the run.
    """
    ended = threading.Event()

    def beat() -> None:
        silent = False
        while not ended.wait(every_seconds):
            try:
                ledger.heartbeat(run_id)
                silent = False
            except LedgerError as error:
                if not silent:
                    logger.warning(
                        "no heartbeat in the ledger run=%s reason=%r", run_id, str(error)
                    )
                silent = True

    thread = threading.Thread(target=beat, name=f"heartbeat-{run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=1.0)
