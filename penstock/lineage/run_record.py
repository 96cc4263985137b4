"""A run as its events tell it: the projection of events onto one row. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from penstock.lineage.name import is_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.lineage.runner import Runner

__all__ = ["RunRecord", "RunStateName", "project"]

RunStateName = Literal["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"]
ENDED = frozenset({"COMPLETE", "FAIL", "ABORT"})
SAID_BY_THE_RUN = frozenset({"COMPLETE", "FAIL"})
LONGEST_ID, MOST_ATTEMPTS = 64, 2**31
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
    at = datetime.fromisoformat(payload["eventTime"])
    kind = payload.get("eventType")
    facets = payload["run"].get("facets") or {}
    facet = facets.get("penstock_run") or {}
    if record is None:
        parent = (facets.get("parent") or {}).get("run")
        parent_id = parent.get("runId") if isinstance(parent, dict) else None
        record = RunRecord(
            run_id=UUID(payload["run"]["runId"]),
            namespace=payload["job"]["namespace"],
            dataset=_word(facet.get("dataset")) or payload["job"]["name"],
            slice=_word(facet.get("slice")),
            dagster_run_id=_id(facet.get("dagsterRunId", parent_id)),
            attempt=_number(facet.get("attempt")),
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
    facets = payload["run"].get("facets") or {}
    facet = facets.get("penstock_run") or {}
    outcome = {name: facet[key] for key, name in OUTCOME.items() if key in facet}
    for output in payload.get("outputs") or ():
        statistics = (output.get("outputFacets") or {}).get("outputStatistics") or {}
        if "size" in statistics:
            outcome["bytes"] = statistics["size"]
        if "fileCount" in statistics:
            outcome["files"] = statistics["fileCount"]
    if facets.get("errorMessage"):
        outcome["error"] = facets["errorMessage"].get("message")
    return outcome


# anybody may send a facet by these names: what makes no sense in it is passed


def _word(value: Any) -> str | None:
    return value if is_name(value) else None


def _id(value: Any) -> str | None:
    return value if is_name(value) and len(value) <= LONGEST_ID else None


def _number(value: Any) -> int:
    counts = isinstance(value, int) and not isinstance(value, bool) and 0 < value < MOST_ATTEMPTS
    return value if counts else 1
