"""The sensor that ends the records of runs whose process died."""
# no postponed annotations: dagster looks at the type of `context` itself

from collections.abc import Callable

import dagster as dg

from penstock.assets.recovery import settle_dead_runs
from penstock.assets.runtime import Runtime

__all__ = ["dead_runs_sensor"]


def dead_runs_sensor(runtime: Callable[[], Runtime], *, seconds: int = 60) -> dg.SensorDefinition:
    """A sensor that every `seconds` completes or aborts the records of dead runs; it is on.

    The next run of any dataset does the same. The sensor is for the night nothing runs after.
    """

    @dg.sensor(
        name="dead_runs",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Completes the record of a run that committed and died, aborts any other.",
    )
    def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        settled = settle_dead_runs(runtime())
        for run_id in settled.completed:
            context.log.info("completed the record of run %s: its commit is there", run_id)
        for run_id in settled.aborted:
            context.log.warning("aborted the record of run %s: its process is gone", run_id)
        ended = len(settled.completed) + len(settled.aborted)
        return dg.SkipReason(f"{ended} dead runs were settled." if ended else "No run has died.")

    return dead_runs
