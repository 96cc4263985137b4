"""Dagster jobs that nightly_side.py runs, one step at a time or in threads; loaded by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from nightly_modes import ALIKE, SOURCE

from penstock.assets.asset import definitions
from penstock.assets.automation.jobs import jobs_of
from penstock.assets.metadata import asset_key
from penstock.assets.threaded_executor import threaded_executor
from penstock.resources.lake import Lake
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.secrets import SecretsResource
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock import Dataset

__all__ = ["Executed", "alike", "night"]

_EXECUTORS = {"in turn": dg.in_process_executor, "at once": threaded_executor}


def alike(folder: str, how: str) -> dg.JobDefinition:
    """Six datasets of one source."""
    return _job(folder, how, ALIKE, dg.define_asset_job("alike"))


def night(folder: str, how: str) -> dg.JobDefinition:
    """The nightly job of the reference deployment."""
    from pipelines.deployment import deployment

    [nightly] = jobs_of(deployment.datasets).by_day
    selection = dg.AssetSelection.assets(*map(asset_key, nightly.datasets))
    return _job(folder, how, deployment.datasets, dg.define_asset_job("nightly", selection))


def _job(folder: str, how: str, datasets: Iterable[Dataset], job: Any) -> dg.JobDefinition:
    here = Path(folder)
    resources = {
        "lake": Lake(root=str(here / "lake"), landing=str(here / "landing")),
        "ledger": LedgerResource(url=f"sqlite:///{here / 'ledger.db'}"),
        "secrets": SecretsResource(folder=str(here / "secrets")),
        "cluster": LocalCluster(profile=Profile.SMALL),
    }
    defs = definitions(
        datasets, resources=resources, external=(SOURCE,), jobs=[job], executor=_EXECUTORS[how]
    )
    return defs.resolve_job_def(job.name)


class Executed:
    """Runs of these jobs in this process and its session, as a run's own process has them."""

    def __init__(self, folder: Path, job: str) -> None:
        self._folder = folder
        self._job = job
        (folder / "dagster").mkdir()
        self._instance = dg.DagsterInstance.local_temp(str(folder / "dagster"))

    def run(self, how: str, **tags: str) -> None:
        """One run; every step has succeeded."""
        job = dg.build_reconstructable_job(
            __name__, self._job, reconstructable_kwargs={"folder": str(self._folder), "how": how}
        )
        labels = {f"dagster/{name}": value for name, value in tags.items()}
        assert dg.execute_job(job, self._instance, tags=labels).success
