"""A run as its events tell it: the projection of events onto one row. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from penstock.events.instant import told_moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from penstock.ledger.runner import Runner

__all__ = ["RunRecord", "RunStateName", "project"]

RunStateName = Literal["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"]
ENDED = frozenset({"COMPLETE", "FAIL", "ABORT"})
SAID_BY_THE_RUN = frozenset({"COMPLETE", "FAIL"})
LONGEST_ID = 64  # characters, of Dagster's
MOST_ATTEMPTS = 2**31 - 1  # that every database keeps as an integer
OUTCOME = {
    "committed": "committed",
    "contractVersion": "contract_version",
    "inputVersions": "input_versions",
    "outputVersion": "output_version",
    "quarantinedByRule": "quarantined_by_rule",
    "rowsCommitted": "rows_committed",
    "rowsIn": "rows_in",
    "rowsQuarantined": "rows_quarantined",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run. `outcome` holds counts, versions and the error's message, as far as known."""

    run_id: UUID
    namespace: str
    dataset: str
    slice: str | None
    dagster_run_id: str | None
    attempt: int
    state: RunStateName
    started: datetime
    ended: datetime | None
    last_event_time: datetime
    runner: Runner | None
    heartbeat: datetime | None
    outcome: Mapping[str, Any]

    @property
    def is_open(self) -> bool:
        """Whether no event has ended the run."""
        return self.state not in ENDED


def project(
    record: RunRecord | None,
    payload: Mapping[str, Any],
    *,
    runner: Runner | None,
    recorded_at: datetime,
) -> RunRecord:
    """The run after one more of its events.

    What the run said itself (COMPLETE, FAIL) stands above an ABORT that others said of it,
    whichever came first: the commit is the truth, and its record may be completed after a crash.
    Otherwise the later event counts, so that events may arrive out of order.
    """
    at = told_moment(payload["eventTime"])
    kind = payload.get("eventType")
    if record is None:
        facets = _part(payload["run"], "facets")
        facet, parent = _part(facets, "penstock_run"), _part(_part(facets, "parent"), "run")
        record = RunRecord(
            run_id=UUID(payload["run"]["runId"]),
            namespace=payload["job"]["namespace"],
            dataset=_text(facet, "dataset") or payload["job"]["name"],
            slice=_text(facet, "slice"),
            dagster_run_id=_id(facet, "dagsterRunId") or _id(parent, "runId"),
            attempt=_attempt(facet),
            state="START",
            started=at,
            ended=None,
            last_event_time=at,
            runner=None,
            heartbeat=None,
            outcome={},
        )
    state = _state(record, kind, at)
    reopened = kind == "START" and state == "START"
    taken = state == kind and kind in ENDED
    return replace(
        record,
        state=state,
        started=min(record.started, at),
        ended=None if state not in ENDED else at if taken else record.ended,
        last_event_time=max(record.last_event_time, at),
        runner=(runner or record.runner) if reopened else record.runner or runner,
        heartbeat=recorded_at if reopened and runner else record.heartbeat,
        outcome={**({} if reopened else record.outcome), **_outcome(payload)},
    )


def _state(record: RunRecord, kind: str | None, at: datetime) -> RunStateName:
    late = at < record.last_event_time
    match kind:
        case "COMPLETE" | "FAIL":
            return record.state if late and record.state in SAID_BY_THE_RUN else kind
        case "ABORT":
            return record.state if record.state in SAID_BY_THE_RUN else "ABORT"
        case "START" | "RUNNING":
            return record.state if late else kind
        case _:
            return record.state


def _outcome(payload: Mapping[str, Any]) -> dict[str, Any]:
    facets = _part(payload["run"], "facets")
    facet = _part(facets, "penstock_run")
    outcome = {name: facet[key] for key, name in OUTCOME.items() if key in facet}
    for output in payload.get("outputs") or ():
        statistics = _part(_part(output, "outputFacets"), "outputStatistics")
        for name, told in (("bytes", "size"), ("files", "fileCount")):
            count = _count(statistics, told)
            if count is not None:
                outcome[name] = count
    error = _part(facets, "errorMessage")
    if error:
        outcome["error"] = _text(error, "message")
    return outcome


# A facet of another producer may hold anything; what makes no sense in it is passed.


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = whole.get(name)
    return value if isinstance(value, dict) else {}


def _text(facet: Mapping[str, Any], name: str) -> str | None:
    value = facet.get(name)
    return value if isinstance(value, str) and "\0" not in value else None


def _id(facet: Mapping[str, Any], name: str) -> str | None:
    value = _text(facet, name)
    return value if value and len(value) <= LONGEST_ID else None


def _attempt(facet: Mapping[str, Any]) -> int:
    told = _count(facet, "attempt") or 1
    return told if told <= MOST_ATTEMPTS else 1


def _count(facet: Mapping[str, Any], name: str) -> int | None:
    value = facet.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value >= 0 else None
