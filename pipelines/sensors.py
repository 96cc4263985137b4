"""What is watched for. `new_files` is off until it is switched on in the UI."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import dagster as dg

from penstock.assets.sensor import dead_runs_sensor
from penstock.resources.lake import Lake  # noqa: TC001 - dagster reads the annotation
from pipelines.arrivals import arrivals, digest, landed, settled
from pipelines.deployment import deployment
from pipelines.jobs import NIGHTLY, REFERENCE
from pipelines.requests import in_range, run_requests

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

    new, taken = [], []
    for arrival in filter(in_range, arrivals(files, now=now)):
        if seen.get(arrival.day.isoformat()) == arrival.digest:
            taken.append(arrival)
        elif arrival.complete:
            new.append(arrival)
    requests += run_requests(new, taken)
    state |= {arrival.day.isoformat(): arrival.digest for arrival in new}
    if not requests:
        return dg.SkipReason("No day has arrived whole since the last look.")
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(state, sort_keys=True))


SENSORS = (new_files, dead_runs_sensor(deployment))
