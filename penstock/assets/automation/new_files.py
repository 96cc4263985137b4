"""The sensor that runs what new files are for."""
# no postponed annotations: dagster looks at the type of `context` itself

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from penstock.assets.automation.arrivals import arrivals, digest, landed, settled
from penstock.assets.automation.due_slices import (
    AT_ONCE,
    due_slices,
    misnamed,
    new_values,
    ready_slices,
)
from penstock.assets.automation.jobs import Jobs
from penstock.assets.automation.requests import run_requests, slice_request
from penstock.assets.partitions.grid import values_of
from penstock.assets.partitions.values import Dynamic
from penstock.resources.lake import Lake

__all__ = ["new_files_sensor"]


def new_files_sensor(
    jobs: Jobs,
    whole: str,
    targets: Sequence[Any],
    *,
    seconds: int = 60,
    status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.STOPPED,
) -> dg.SensorDefinition:
    """A run for each day whose files are all there and are new or changed, and for new lists.

    `whole` is the name of the job that takes the lists, `targets` are all that may be run. The
    cursor holds a digest of each day's
    file names, sizes and times: what it has asked for it does not ask for again, and a file that
    is sent again makes one new run.
    """

    @dg.sensor(
        name="new_files",
        jobs=targets,
        minimum_interval_seconds=seconds,
        default_status=status,
        description="Runs each day whose files have all arrived, and files that are sent whole.",
    )
    def new_files(
        context: dg.SensorEvaluationContext, lake: dg.ResourceParam[Lake]
    ) -> dg.SensorResult | dg.SkipReason:
        now = datetime.now(UTC)
        seen: dict[str, Any] = json.loads(context.cursor or "{}")
        state, requests = dict(seen), []
        lists = [file for found in landed(jobs.arriving, lake).values() for file in found]
        if lists and len(settled(lists, now=now)) == len(lists):
            state[whole] = digest(lists)
            if state[whole] != seen.get(whole):
                key = f"{whole}:{state[whole]}"
                requests.append(dg.RunRequest(run_key=key, job_name=whole))
        for job in jobs.by_day:
            known = seen.get(job.name, {})
            new, taken = [], []
            for arrival in arrivals(landed(job.arriving, lake), now=now, due=job.due):
                if not job.has(arrival.day, now):
                    continue
                if known.get(arrival.day.isoformat()) == arrival.digest:
                    taken.append(arrival)
                elif arrival.complete:
                    new.append(arrival)
            requests += run_requests(job, new, taken)
            state[job.name] = known | {a.day.isoformat(): a.digest for a in new}
        names: dict[str, set[str]] = defaultdict(set)
        for slices in (job for job in jobs.by_slice if job.landing):
            files = landed(slices.landing, lake)
            known = seen.get(slices.name, {})
            looked = [
                each
                for each in ready_slices(slices, context.instance, files, now=now)
                if not each.waits and (each.stale or each.lately)
            ]
            unseen = [each for each in looked if known.get(each.key) != each.state]
            due = due_slices(slices, context.instance, unseen, again=False).slices if unseen else ()
            requests += [slice_request(slices, each) for each in due]
            # what there is no room for in this look is due in the next
            done = looked if len(due) < AT_ONCE else due
            still = {each.key for each in looked}
            state[slices.name] = {k: v for k, v in known.items() if k in still} | {
                each.key: each.state for each in done
            }
            values = values_of(slices.partitions)
            if isinstance(values, Dynamic):
                names[values.name] |= new_values(slices, context.instance, files)
            if number := misnamed(slices, files):
                context.log.warning("%s values of files' names cannot be slices", number)
        added = [
            dg.DynamicPartitionsDefinition(name=name).build_add_request(sorted(new))
            for name, new in names.items()
            if new
        ]
        if not requests and state == seen:
            return dg.SkipReason("Nothing has arrived whole since the last look.")
        return dg.SensorResult(
            run_requests=requests,
            cursor=json.dumps(state, sort_keys=True),
            dynamic_partitions_requests=added,
        )

    return new_files
