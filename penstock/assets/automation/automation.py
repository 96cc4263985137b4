"""`Automation`: what a deployment does by itself, and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from penstock.assets.automation.catch_up import catch_up_schedule
from penstock.assets.automation.dead_runs import dead_runs_sensor
from penstock.assets.automation.jobs import jobs_of
from penstock.assets.automation.new_files import new_files_sensor
from penstock.assets.automation.slice_schedule import slice_schedule
from penstock.assets.definition import is_cron
from penstock.assets.metadata import asset_key
from penstock.assets.time_zone import check_time_zone
from penstock.compaction.asset import compaction_asset
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.assets.automation.jobs import Jobs
    from penstock.assets.dataset import Dataset
    from penstock.assets.deployment import Deployment
    from penstock.compaction.policy import CompactionPolicy

__all__ = ["Automation", "automated"]

_WHOLE, _MASKING, _UPKEEP = "reference", "daily_masking", "weekly_upkeep"
_HOURLY = "5 * * * *"  # when an hour's files have settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """Jobs of a deployment, and when they run by themselves.

    There are five kinds of job. `nightly` runs one day: datasets by day, what they read and what is
    made of them; where datasets have several ranges of days there is one for each. Datasets that
    are cut otherwise have jobs of their own, such as `hourly_bronze__clicks` (see docs/slices.md).
    `reference` runs what is sent whole, and what is made of that alone. `daily_masking` makes the
    masked copies, `weekly_upkeep` keeps all tables compact, each by its policy in `policies`, else
    by `policy`. A job that would have nothing in it is not there, and datasets with a `schedule` of
    their own are in none.

    `nightly`, `masking` and `upkeep` are cron expressions in `timezone`; None is no schedule. The
    nightly schedule runs each day whose files are new, late, changed, or whose run failed, and
    other slices that have ended when all that they are made of is there (those by the hour five
    minutes past each); of these it makes again what was made before its inputs were. With
    `new_files` a sensor looks every minute for days and slices whose files have all arrived, or
    changed, and for new lists. All are off until they are switched on in the UI, unless `running`.
    What ends the records of runs that died is on.
    """

    nightly: str | None = "0 3 * * *"
    masking: str | None = "0 5 * * *"
    upkeep: str | None = "0 6 * * 0"
    new_files: bool = True
    timezone: str = "UTC"
    running: bool = False
    policies: Mapping[str, CompactionPolicy] = field(default_factory=dict)
    policy: CompactionPolicy | None = None

    def __post_init__(self) -> None:
        """Raise DefinitionError for a time that Dagster could not keep."""
        crons = {name: getattr(self, name) for name in ("nightly", "masking", "upkeep")}
        for name, cron in crons.items():
            if cron is not None and not is_cron(cron):
                raise DefinitionError(
                    f"{name}= is no cron expression",
                    where=f"Automation({name}={cron!r})",
                    expected="five fields: minute, hour, day, month, weekday; or None",
                    found=repr(cron),
                    next_step=f"write Automation({name}='0 4 * * *') for four o'clock",
                )
        check_time_zone(f"Automation(timezone={self.timezone!r})", self.timezone)


def automated(automation: Automation, deployment: Deployment) -> dict[str, list[Any]]:
    """The `assets`, `jobs`, `schedules` and `sensors` of the deployment, to be defined with it.

    Raises DefinitionError for a policy of a dataset that is not there.
    """
    datasets = deployment.datasets
    unknown = sorted(set(automation.policies) - {spec.name for spec in datasets})
    if unknown:
        raise DefinitionError(
            "a policy of upkeep is of no dataset",
            where="Automation(policies=...)",
            expected=f"names of datasets: {', '.join(sorted(spec.name for spec in datasets))}",
            found=", ".join(unknown),
            next_step="correct the name, or drop the policy",
        )
    jobs = jobs_of(datasets)
    made = [
        _job(job.name, "One day, from landing to what is made of it.", job.datasets)
        for job in jobs.by_day
    ]
    made += [
        _job(job.name, f"One slice: {job.partitions.words}.", job.datasets) for job in jobs.by_slice
    ]
    if jobs.whole:
        made.append(_job(_WHOLE, "What is sent whole, and what is made of it alone.", jobs.whole))
    arriving = {_WHOLE} if jobs.arriving else set()
    arriving |= {job.name for job in jobs.by_day if job.arriving}
    arriving |= {job.name for job in jobs.by_slice if job.landing}
    watched = [job for job in made if job.name in arriving]
    if jobs.masked:
        made.append(_job(_MASKING, "The masked copies, made anew.", jobs.masked))
    upkeep = [_upkeep(automation, datasets)] if datasets else []
    if upkeep:
        made.append(
            dg.define_asset_job(
                _UPKEEP,
                selection=dg.AssetSelection.assets(*upkeep[0].keys),
                description="Every table's files measured, and compacted where that pays.",
            )
        )
    running = automation.running
    sensors = [dead_runs_sensor(deployment.runtime)]
    if automation.new_files and watched:
        on, off = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
        sensors.append(new_files_sensor(jobs, _WHOLE, watched, status=on if running else off))
    return {
        "assets": upkeep,
        "jobs": made,
        "schedules": _schedules(automation, jobs, {job.name for job in made}),
        "sensors": sensors,
    }


def _job(name: str, description: str, datasets: Sequence[str]) -> Any:
    selection = dg.AssetSelection.assets(*map(asset_key, datasets))
    return dg.define_asset_job(name, selection=selection, description=description)


def _upkeep(automation: Automation, datasets: Sequence[Dataset]) -> dg.AssetsDefinition:
    clusters = Counter(spec.cluster for spec in datasets)
    return compaction_asset(
        [spec.model for spec in datasets],
        policies=automation.policies,
        default=automation.policy,
        cluster=next((name for name, _ in clusters.most_common(1)), "cluster"),
    )


def _schedules(automation: Automation, jobs: Jobs, made: set[str]) -> list[dg.ScheduleDefinition]:
    zone = automation.timezone
    on, off = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
    status = on if automation.running else off
    night, found = automation.nightly, []
    if night is not None:
        found = [catch_up_schedule(job, night, zone, status) for job in jobs.by_day]
        found += [
            slice_schedule(job, _HOURLY if job.hourly else night, zone, status)
            for job in jobs.by_slice
        ]
    for name, cron in (
        (_WHOLE, night if jobs.unscheduled else None),
        (_MASKING, automation.masking),
        (_UPKEEP, automation.upkeep),
    ):
        if cron is not None and name in made:
            found.append(
                dg.ScheduleDefinition(
                    name=name,
                    job_name=name,
                    cron_schedule=cron,
                    execution_timezone=zone,
                    default_status=status,
                )
            )
    return found
