"""The sensor that keeps the freshness check of each dataset true while nothing runs."""
# no postponed annotations: dagster looks at the type of `context` itself

import json
from collections.abc import Sequence
from typing import Any

import dagster as dg

from penstock.assets.asset_checks import Verdict, freshness_verdict
from penstock.assets.dataset import Dataset
from penstock.assets.freshness import FRESHNESS_CHECK, freshness_of
from penstock.assets.metadata import asset_key
from penstock.errors import LakeError
from penstock.ledger import utc_now
from penstock.resources.lake import Lake

__all__ = ["freshness_sensor"]

_SECONDS = 300


def freshness_sensor(datasets: Sequence[Dataset]) -> dg.SensorDefinition:
    """A sensor that tells Dagster when a dataset becomes late or fresh; it is on.

    A check is as true as its last result, and data becomes late while nothing runs. It reads the
    logs of the tables and starts no run. `datasets`: at least one.
    """
    names = sorted(spec.name for spec in datasets)

    @dg.sensor(
        # one deployment is merged with others: their sensors must not have one name
        name=f"freshness_{names[0].replace('.', '_')}",
        minimum_interval_seconds=_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Judges whether the newest rows are as fresh as promised: {', '.join(names)}.",
    )
    def freshness(
        context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]
    ) -> dg.SensorResult:
        told: dict[str, Any] = json.loads(context.cursor or "{}")
        now: dict[str, Any] = {}
        events = []
        for spec in datasets:
            verdict, as_of = _verdict(spec, lake)
            now[spec.name] = [verdict.passed, as_of]
            # with the instant: between two looks a run may have told another verdict itself
            if now[spec.name] != told.get(spec.name):
                events.append(verdict.evaluation(asset_key(spec.name), None))
        return dg.SensorResult(
            asset_events=events,
            cursor=json.dumps(now),
            skip_reason=f"{len(events)} of {len(now)} datasets are fresh or late anew.",
        )

    return freshness


def _verdict(spec: Dataset, lake: Lake) -> tuple[Verdict, str | None]:
    try:
        judged = freshness_of(lake.table(spec.name), spec.model, utc_now())
    except LakeError as error:
        unknown = Verdict(
            check=FRESHNESS_CHECK,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"not known: {error}",
            metadata={"verdict": "unknown"},
        )
        return unknown, "unknown"
    assert judged is not None
    return freshness_verdict(judged), judged["as_of"]
