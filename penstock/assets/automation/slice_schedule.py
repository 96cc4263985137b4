"""The schedule that runs every slice that is due, of datasets that are not cut into days."""
# no postponed annotations: dagster looks at the type of `context` itself

import dagster as dg

from penstock.assets.automation.arrivals import landed
from penstock.assets.automation.due_slices import due_slices, misnamed, new_values, ready_slices
from penstock.assets.automation.requests import slice_request
from penstock.assets.automation.slice_jobs import SliceJob
from penstock.assets.partitions.grid import values_of
from penstock.assets.partitions.values import Dynamic
from penstock.resources.lake import Lake

__all__ = ["slice_schedule"]


def slice_schedule(
    job: SliceJob,
    cron: str,
    timezone: str,
    status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.STOPPED,
) -> dg.ScheduleDefinition:
    """Every slice that has ended and was not made, or is made of what was made anew since.

    One whose files or slices of other datasets are not all there waits, which the log says. A
    thousand are asked for at a time, those that were never made first, oldest first.
    """

    @dg.schedule(
        name=job.name,
        job_name=job.name,
        cron_schedule=cron,
        execution_timezone=timezone,
        default_status=status,
        description="Runs every slice that has ended, whose inputs are there, and is not made yet.",
    )
    def slices(
        context: dg.ScheduleEvaluationContext, lake: dg.ResourceParam[Lake]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        now, files = context.scheduled_execution_time, landed(job.landing, lake)
        values = values_of(job.partitions)
        if isinstance(values, Dynamic) and (new := new_values(job, context.instance, files)):
            context.instance.add_dynamic_partitions(values.name, sorted(new))
        ready = ready_slices(job, context.instance, files, now=now, night=f"{now:%Y-%m-%d}")
        due = due_slices(job, context.instance, ready, again=True)
        no_name = misnamed(job, files)
        why = due.words + (f" {no_name} values in names of files are none." if no_name else "")
        if why:
            context.log.warning("%s", why.strip())
        return [slice_request(job, slice_, now) for slice_ in due.slices] or dg.SkipReason(
            f"Every slice whose inputs are there was made.{why}"
        )

    return slices
