"""Lineage: column lineage, OpenLineage events, the ledger that keeps them, the outbox."""

from __future__ import annotations

from penstock.lineage.delivery import DeliveryStatus, deliveries
from penstock.lineage.endpoint import OutboxConfig
from penstock.lineage.events import (
    abort_event,
    abort_payload,
    complete_event,
    event_payload,
    fail_event,
    start_event,
)
from penstock.lineage.ledger import Clock, Ledger, utc_now
from penstock.lineage.ledger_row import StoredEvent
from penstock.lineage.outbox import Relay, RelayReport
from penstock.lineage.run_facts import (
    Assertion,
    ColumnMetric,
    DatasetRef,
    JobKind,
    ParentRun,
    ProcessingEngine,
    RunError,
    RunFacts,
    RunIdentity,
    SourceLocation,
    TableFiles,
    Upkeep,
    physical_name,
    run_id,
)
from penstock.lineage.run_record import RunRecord
from penstock.lineage.runner import Runner

__all__ = [
    "Assertion",
    "Clock",
    "ColumnMetric",
    "DatasetRef",
    "DeliveryStatus",
    "JobKind",
    "Ledger",
    "OutboxConfig",
    "ParentRun",
    "ProcessingEngine",
    "Relay",
    "RelayReport",
    "RunError",
    "RunFacts",
    "RunIdentity",
    "RunRecord",
    "Runner",
    "SourceLocation",
    "StoredEvent",
    "TableFiles",
    "Upkeep",
    "abort_event",
    "abort_payload",
    "complete_event",
    "deliveries",
    "event_payload",
    "fail_event",
    "physical_name",
    "run_id",
    "start_event",
    "utc_now",
]
