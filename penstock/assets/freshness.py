"""Whether a dataset is as fresh as its contract promises, by the log of its table.

The judgement is `penstock.events.freshness`, which the lineage browser asks about events.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from penstock.assets.slice import Slice
from penstock.events import Assertion
from penstock.events.freshness import freshness
from penstock.events.writing import Writing
from penstock.schemas.model import Severity

if TYPE_CHECKING:
    from penstock.resources.lake import Table
    from penstock.resources.table_commit import Commit
    from penstock.resources.table_log import TableLog
    from penstock.schemas.model import ContractModel

__all__ = [
    "FRESHNESS_CHECK",
    "duration_words",
    "freshness_assertions",
    "freshness_of",
    "freshness_words",
]

FRESHNESS_CHECK = "freshness"


def freshness_of(table: Table, model: ContractModel, at: datetime) -> dict[str, Any] | None:
    """The verdict as of `at` and what it is judged from; None when the contract promises nothing.

    Of commits that a RESTORE has undone, and of those of other writers, nothing counts. The log is
    read where something is promised. Raises LakeError.
    """
    return _judged(table.read(), model, model.freshness, at) if model.freshness else None


def freshness_assertions(
    log: TableLog | None, model: ContractModel, at: datetime
) -> tuple[Assertion, ...]:
    """What a run tells of it in its event; nothing without a promise. Raises LakeError."""
    if model.freshness is None:
        return ()
    fresh = _judged(log, model, model.freshness, at)["verdict"] == "fresh"
    name = FRESHNESS_CHECK
    return (Assertion(check_id=name, name=name, success=fresh, severity=Severity.WARN),)


def freshness_words(judged: dict[str, Any]) -> str:
    """The verdict in one line: of which instant the rows are, and what is promised."""
    promise = timedelta(seconds=judged["promise_seconds"])
    promised = f"the contract promises none older than {duration_words(promise)}"
    if judged["as_of"] is None:
        return f"no run has written rows; {promised}"
    newest = judged["newest_slice"]
    slice_ = f" (slice {newest['slice']})" if newest else ""
    late = judged["late_by_seconds"]
    verdict = "fresh" if late is None else f"late by {duration_words(timedelta(seconds=late))}"
    as_of = datetime.fromisoformat(judged["as_of"])
    return f"{verdict}: the newest rows are of {as_of:%Y-%m-%d %H:%M} UTC{slice_}; {promised}"


def duration_words(duration: timedelta) -> str:
    """`3 days` or `26 hours`.

    >>> duration_words(timedelta(hours=26))
    '26 hours'
    """
    if duration.days > 1:
        return f"{round(duration / timedelta(days=1), 2):g} days"
    return f"{round(duration / timedelta(hours=1), 2):g} hours"


def _judged(
    log: TableLog | None, model: ContractModel, promise: timedelta, at: datetime
) -> dict[str, Any]:
    commits = log.commits_in_force() if log else ()
    made = (_writing(c, model.name) for c in commits if c.by_run)
    # commits come in the order they were made: the first that cannot be newer ends it
    return freshness(made, promise=promise, at=at, limit=sys.maxsize, enough=1)


def _writing(commit: Commit, dataset: str) -> Writing:
    facts = commit.facts or {}
    slice_ = Slice.from_document(facts.get("slice"))
    return Writing(
        run_id=facts["run_id"],
        job=dataset,
        state="COMPLETE",
        at=commit.at,
        ended=commit.at,
        outcome="nothing" if commit.changed_rows == 0 else "rows",
        slice=None if slice_.whole else slice_.key,
        covers_until=slice_.end,
        rows=commit.changed_rows,
        version=str(commit.version),
    )
