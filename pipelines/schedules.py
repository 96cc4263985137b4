"""When the jobs run by themselves. Each is off until it is switched on in the UI."""

from __future__ import annotations

import dagster as dg

from penstock.resources.lake import Lake  # noqa: TC001 - dagster reads the annotation
from pipelines.arrivals import arrivals, landed
from pipelines.deployment import deployment
from pipelines.jobs import DAILY_MASKING, LANDED, NIGHTLY, WEEKLY_UPKEEP
from pipelines.requests import in_range, run_requests

_UNDER_WAY_OR_DONE = [
    status
    for status in dg.DagsterRunStatus
    if status not in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
]


@dg.schedule(
    name="nightly",
    job=NIGHTLY,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
)
def nightly(
    context: dg.ScheduleEvaluationContext, lake: Lake
) -> list[dg.RunRequest] | dg.SkipReason:
    """Every day whose files are new or changed since a run took them: late ones and failed ones.

    A day that lacks a file runs too, and fails saying which: nobody waits in silence. What looks
    back at a late day is made anew for the days after it.
    """
    files = landed(deployment.datasets, lake)
    new, taken = [], []
    for arrival in filter(in_range, arrivals(files, now=context.scheduled_execution_time)):
        runs = dg.RunsFilter(tags={LANDED: arrival.key}, statuses=_UNDER_WAY_OR_DONE)
        (taken if context.instance.get_runs_count(runs) else new).append(arrival)
    return run_requests(new, taken) or dg.SkipReason("Every day that has arrived was taken.")


daily_masking = dg.ScheduleDefinition(
    name="daily_masking", job=DAILY_MASKING, cron_schedule="0 5 * * *", execution_timezone="UTC"
)

weekly_upkeep = dg.ScheduleDefinition(
    name="weekly_upkeep", job=WEEKLY_UPKEEP, cron_schedule="0 6 * * 0", execution_timezone="UTC"
)

SCHEDULES = (nightly, daily_masking, weekly_upkeep)
