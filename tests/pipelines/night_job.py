"""The jobs of the reference deployment in an environment, for Dagster to find by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.assets.deployment import Deployment
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from pipelines.deployment import deployment
from resources.environments import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dagster as dg

__all__ = ["deployed", "job"]


def deployed(variables: Mapping[str, str], conf: Mapping[str, str]) -> Deployment:
    """The deployment there, on the session that the suite shares; `conf` is Spark's."""
    resources = environment(variables).resources()
    resources["cluster"] = LocalCluster(profile=Profile.SMALL, cores=2, extra_conf=dict(conf))
    return Deployment(datasets=deployment.datasets, resources=resources)


def job(
    name: str, variables: Mapping[str, str], conf: Mapping[str, str] | None = None
) -> dg.JobDefinition:
    """A job of it, with upkeep; its steps run in threads where Dagster lets them."""
    here = deployed(variables, conf or {})
    return here.definitions().resolve_job_def(name)
