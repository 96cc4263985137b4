"""What Dagster loads: the deployment's datasets, and what it does by itself."""

from __future__ import annotations

from compaction.policies import DEFAULT, POLICIES
from penstock import Automation
from pipelines.deployment import deployment

AUTOMATION = Automation(policies=POLICIES, policy=DEFAULT)

defs = deployment.definitions(AUTOMATION)
