"""Rows of the ledger as the values they hold, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from penstock.ledger.run_record import RunRecord
from penstock.ledger.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import RowMapping

__all__ = ["StoredEvent", "run_record", "run_row", "stored_event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as the ledger holds it. `payload_hash` is the SHA-256 of its canonical JSON.

    A job event has no run, a dataset event no job either. `position` and `link` are its place in
    its namespace's chain.
    """

    sequence: int
    namespace: str
    job: str | None
    run_id: UUID | None
    event_type: str | None
    event_time: datetime
    recorded_at: datetime
    payload: Mapping[str, Any]
    payload_hash: str
    position: int
    link: str


def stored_event(row: RowMapping | Mapping[str, Any]) -> StoredEvent:
    """The event in a row of the event table."""
    facts = {
        **row,
        "run_id": row["run_id"] and UUID(row["run_id"]),
        "payload": json.loads(row["payload"]),
    }
    return StoredEvent(**facts)


def run_record(row: RowMapping) -> RunRecord:
    """The run in a row of the run table."""
    facts = dict(row)
    host, pid, started = facts.pop("host"), facts.pop("pid"), facts.pop("process_started")
    runner = None if host is None else Runner(host=host, pid=pid, started=started or "")
    facts |= {"run_id": UUID(facts["run_id"]), "outcome": json.loads(facts["outcome"])}
    return RunRecord(**facts, runner=runner)


def run_row(record: RunRecord) -> dict[str, Any]:
    """The row that holds `record`."""
    runner = record.runner
    return {
        "run_id": str(record.run_id),
        "namespace": record.namespace,
        "dataset": record.dataset,
        "slice": record.slice,
        "dagster_run_id": record.dagster_run_id,
        "attempt": record.attempt,
        "state": record.state,
        "started": record.started,
        "ended": record.ended,
        "last_event_time": record.last_event_time,
        "host": runner.host if runner else None,
        "pid": runner.pid if runner else None,
        "process_started": runner.started if runner else None,
        "heartbeat": record.heartbeat,
        "outcome": json.dumps(record.outcome, sort_keys=True),
    }
