"""The schedule that runs every day which is new, late or failed."""
# no postponed annotations: dagster looks at the type of `context` itself

from datetime import timedelta

import dagster as dg

from penstock.assets.automation.arrivals import Arrival, arrivals, landed
from penstock.assets.automation.jobs import DayJob
from penstock.assets.automation.requests import LANDED, landed_as, run_requests
from penstock.assets.partitions.grain import local
from penstock.resources.lake import Lake

__all__ = ["catch_up_schedule"]

_UNDER_WAY_OR_DONE = [
    status
    for status in dg.DagsterRunStatus
    if status not in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
]


def catch_up_schedule(
    job: DayJob,
    cron: str,
    timezone: str,
    status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.STOPPED,
) -> dg.ScheduleDefinition:
    """Every day whose files are new or changed since a run took them: late ones and failed ones.

    A day that lacks a file runs too, and fails saying which: nobody waits in silence. What looks
    back at a late day is made anew for the days after it. A job to which no files are sent by day
    runs the last day that has ended.
    """

    @dg.schedule(
        name=job.name,
        job_name=job.name,
        cron_schedule=cron,
        execution_timezone=timezone,
        default_status=status,
        description="Runs every day that has arrived, or has changed, since a run took it.",
    )
    def nightly(
        context: dg.ScheduleEvaluationContext, lake: dg.ResourceParam[Lake]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        now = context.scheduled_execution_time
        if not job.arriving:
            day = local(now, job.time_zone).date() - timedelta(days=1)
            if not job.has(day, now):
                return dg.SkipReason(f"{day} is no day of the datasets.")
            return [dg.RunRequest(run_key=f"{job.name}:{day}", partition_key=day.isoformat())]
        new: list[Arrival] = []
        taken: list[Arrival] = []
        for arrival in arrivals(landed(job.arriving, lake), now=now, due=job.due):
            if not job.has(arrival.day, now):
                continue
            runs = dg.RunsFilter(
                tags={LANDED: landed_as(job, arrival)}, statuses=_UNDER_WAY_OR_DONE
            )
            (taken if context.instance.get_runs_count(runs) else new).append(arrival)
        return run_requests(job, new, taken) or dg.SkipReason(
            "Every day that has arrived was taken."
        )

    return nightly
