"""What Dagster loads: the deployment's datasets, their upkeep, jobs, schedules and sensors."""

from __future__ import annotations

import dagster as dg

from compaction.policies import DEFAULT, POLICIES
from penstock.compaction.asset import compaction_asset
from pipelines.deployment import deployment
from pipelines.jobs import JOBS
from pipelines.schedules import SCHEDULES
from pipelines.sensors import SENSORS

defs = deployment.definitions(
    assets=[
        compaction_asset(
            [spec.model for spec in deployment.datasets], policies=POLICIES, default=DEFAULT
        )
    ],
    jobs=JOBS,
    schedules=SCHEDULES,
    sensors=SENSORS,
    # all steps of a run in one process: one Spark session, not one for each step
    executor=dg.in_process_executor,
)
