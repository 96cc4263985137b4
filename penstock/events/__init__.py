"""What happened, as OpenLineage has it: a run's facts, their facets, the event, its shape."""

from __future__ import annotations

from penstock.events.event import (
    abort_event,
    abort_payload,
    complete_event,
    event_payload,
    fail_event,
    start_event,
)
from penstock.events.run_facts import (
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

__all__ = [
    "Assertion",
    "ColumnMetric",
    "DatasetRef",
    "JobKind",
    "ParentRun",
    "ProcessingEngine",
    "RunError",
    "RunFacts",
    "RunIdentity",
    "SourceLocation",
    "TableFiles",
    "Upkeep",
    "abort_event",
    "abort_payload",
    "complete_event",
    "event_payload",
    "fail_event",
    "physical_name",
    "run_id",
    "start_event",
]
