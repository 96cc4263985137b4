"""The ledger: every event, kept in one database, in a chain that shows what is missing."""

from __future__ import annotations

from penstock.ledger.ledger import Clock, Ledger, utc_now
from penstock.ledger.run_record import RunRecord
from penstock.ledger.runner import Runner
from penstock.ledger.stored_event import StoredEvent

__all__ = [
    "Clock",
    "Ledger",
    "RunRecord",
    "Runner",
    "StoredEvent",
    "utc_now",
]
