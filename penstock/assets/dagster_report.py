"""A run that Dagster did not start, told to a Dagster instance as if it had."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import dagster as dg

from penstock.assets.asset_checks import failed_contract, freshness_verdict, row_verdicts
from penstock.assets.freshness import freshness_of
from penstock.assets.metadata import asset_key, outcome_metadata
from penstock.assets.partitions.dagster import keys_of
from penstock.assets.partitions.grid import values_of
from penstock.assets.partitions.values import Dynamic
from penstock.errors import ValidationError

if TYPE_CHECKING:
    from penstock.assets.dataset import Dataset
    from penstock.assets.outcome import Outcome
    from penstock.assets.runtime import Runtime
    from penstock.assets.slice import Slice

__all__ = ["report_run"]

_NO_JOB = ""  # as in `report_runless_asset_event`


def report_run(
    instance: dg.DagsterInstance,
    spec: Dataset,
    slice_: Slice,
    ended: Outcome | ValidationError,
    runtime: Runtime,
    page: str | None = None,
) -> None:
    """Tell what a step would have told: a materialization of each slice, and the checks.

    `ended`: the outcome, or the error of a run that wrote nothing for its bad rows, of which the
    failed check alone is told. Raises whatever the instance does, and LakeError.
    """
    key = asset_key(spec.name)
    keys: list[str | None] = [*keys_of(spec.partitions, slice_)] or [None]
    if isinstance(values := values_of(spec.partitions), Dynamic):
        instance.add_dynamic_partitions(values.name, list(slice_.values))
    if isinstance(ended, ValidationError):
        verdicts = [failed_contract(ended)]
    else:
        verdicts = list(row_verdicts(spec, ended))
        tags = {
            "dagster/data_version": str(ended.version),
            "dagster/code_version": spec.code_version,
        }
        for name in keys:
            instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    key, partition=name, metadata=outcome_metadata(ended, page), tags=tags
                )
            )
    of = str(uuid.uuid4() if isinstance(ended, ValidationError) else ended.run_id)
    for verdict in verdicts:
        for name in keys:
            _report_check(instance, verdict.evaluation(key, name), of)
    judged = freshness_of(runtime.lake.table(spec.name), spec.model, runtime.clock())
    if judged:
        _report_check(instance, freshness_verdict(judged).evaluation(key, None), of)


def _report_check(
    instance: dg.DagsterInstance, evaluation: dg.AssetCheckEvaluation, run_id: str
) -> None:
    if evaluation.partition is None:
        instance.report_runless_asset_event(evaluation)
        return
    # Dagster keeps one evaluation of a slice for each run, so also for all that name none
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
        event_specific_data=evaluation,
        job_name=_NO_JOB,
    )
    instance.report_dagster_event(event, run_id=run_id)
