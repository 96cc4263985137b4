"""The outbox: events of the ledger, delivered to OpenLineage endpoints in order."""

from __future__ import annotations

from penstock.outbox.delivery import DeliveryStatus, deliveries
from penstock.outbox.endpoint import OutboxConfig
from penstock.outbox.relay import Relay, RelayReport

__all__ = [
    "DeliveryStatus",
    "OutboxConfig",
    "Relay",
    "RelayReport",
    "deliveries",
]
