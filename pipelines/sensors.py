"""What is watched for. `new_files` is off until it is switched on in the UI."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import dagster as dg

from assets.days import AFTER_LAST, FIRST
from penstock.assets.sensor import dead_runs_sensor
from penstock.resources.lake import Lake  # noqa: TC001 - dagster reads the annotation
from pipelines.arrivals import arrivals, digest, landed, settled
from pipelines.deployment import deployment
from pipelines.jobs import LANDED, NIGHTLY, REFERENCE

_WHOLE = "whole"


@dg.sensor(
    name="new_files",
    jobs=[NIGHTLY, REFERENCE],
    minimum_interval_seconds=60,
)
def new_files(context: dg.SensorEvaluationContext, lake: Lake) -> dg.SensorResult | dg.SkipReason:
    """A run for each day whose files are all there and are new or changed, and for new lists.

    The cursor holds a digest of each day's file names, sizes and times: what it has asked for it
    does not ask for again, and a file that is sent again makes one new run.
    """
    now = datetime.now(UTC)
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    files = landed(deployment.datasets, lake)
    state, requests = dict(seen), []

    lists = [file for item, found in files.items() if "{day}" not in item.pattern for file in found]
    if lists and len(settled(lists, now=now)) == len(lists) and digest(lists) != seen.get(_WHOLE):
        state[_WHOLE] = digest(lists)
        requests.append(dg.RunRequest(run_key=f"whole:{state[_WHOLE]}", job_name=REFERENCE.name))

    for arrival in arrivals(files, now=now):
        day = arrival.day.isoformat()
        known = not FIRST <= arrival.day < AFTER_LAST or seen.get(day) == arrival.digest
        if arrival.complete and not known:
            state[day] = arrival.digest
            requests.append(
                dg.RunRequest(
                    run_key=arrival.key,
                    job_name=NIGHTLY.name,
                    partition_key=day,
                    tags={LANDED: arrival.key},
                )
            )
    if not requests:
        return dg.SkipReason("No day has arrived whole since the last look.")
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(state, sort_keys=True))


SENSORS = (new_files, dead_runs_sensor(deployment))
