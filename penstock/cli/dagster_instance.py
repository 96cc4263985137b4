"""The Dagster instance that runs of the command line are told to, where there is one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.dataset import Dataset
    from penstock.assets.deployment import Deployment
    from penstock.assets.outcome import Outcome
    from penstock.assets.slice import Slice
    from penstock.cli.command import Call
    from penstock.errors import ValidationError

__all__ = ["DagsterInstance"]


class DagsterInstance:
    """Is told of each run that ended. It never changes how one ends: it says what it could not."""

    def __init__(
        self, call: Call, deployment: Deployment, environment: Mapping[str, str] = os.environ
    ) -> None:
        """That of DAGSTER_HOME, else the one that `penstock up` made."""
        from penstock.resources.home import home

        named = environment.get("DAGSTER_HOME")
        self._folder = Path(named) if named else home() / "dagster"
        self._call = call
        self._deployment = deployment
        # one that nobody set up is not made here: its databases would be those of no Dagster
        self._there = (self._folder / "dagster.yaml").is_file()
        if not self._there:
            call.say(f"Dagster is not told: there is no instance in {self._folder}")

    def told(self, spec: Dataset, slice_: Slice, ended: Outcome | ValidationError) -> None:
        """Tell it of a run."""
        if not self._there:
            return
        from dagster import DagsterInstance as Instance

        from penstock.assets.dagster_report import report_run

        page = self._deployment.resources["ledger"].page(spec.name)
        try:
            with Instance.from_config(str(self._folder)) as instance:
                report_run(instance, spec, slice_, ended, self._deployment.runtime(), page)
        except Exception as error:  # noqa: BLE001 - the run has ended, whatever Dagster can keep of it
            what = f"{spec.name} {slice_.key}: {type(error).__name__} in {self._folder}"
            self._call.say(f"Dagster could not be told of {what}", style="yellow")
