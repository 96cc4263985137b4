"""What Dagster loads: the deployment's datasets, their upkeep, jobs, schedules and sensors."""

from __future__ import annotations

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
)
