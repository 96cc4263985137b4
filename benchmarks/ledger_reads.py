"""How long each read of the lineage server takes, over HTTP, on a ledger with a history.

A third of as many jobs as datasets, four runs for each dataset; one job has a quarter of the runs.
The jobs read at random and so make one graph of nearly everything: what follows it to its end
tells all of it.
"""

from __future__ import annotations

import http.client
import random
import time
import uuid
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from ledger_events import AT, COLUMNS, FACET
from ledger_http import served

from penstock.ledger import Ledger
from penstock.ledger.graph.projector import catch_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["print_reads", "reading", "timed_reads"]

_GOAL_MS = 500
_READS = 3
_OK = 200
_OWN, _MARQUEZ = "/api/penstock/v1", "/api/v1"
_NAMES = [f"column_{number}" for number in range(COLUMNS // 2)]
_THEN = (AT + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ")


def reading(folder: Path, datasets: int) -> dict[str, Any]:
    """Milliseconds and bytes of each read."""
    jobs, runs = datasets * 2 // 5, datasets * 4
    print(f"reads: {datasets} datasets, {jobs} jobs, {runs} runs", flush=True)
    found = timed_reads(folder / "reads.db", datasets, jobs, runs)
    return {"datasets": datasets, "jobs": jobs, "runs": runs, "reads": found}


def timed_reads(file: Path, datasets: int, jobs: int, runs: int) -> list[dict[str, Any]]:
    """Milliseconds and bytes of each read of a new ledger in the file."""
    url = f"sqlite:///{file}"
    with Ledger.open(url) as ledger:
        waiting: list[dict[str, Any]] = []
        for event in _events(datasets, jobs, runs):
            waiting.append(event)
            if len(waiting) == 500:  # noqa: PLR2004 - any size
                ledger.append_all(waiting)
                waiting = []
        ledger.append_all(waiting)
        catch_up(ledger.database)
    found = []
    with served(url) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        for path in _paths():
            taken = []
            for _ in range(_READS):
                began = time.perf_counter()
                connection.request("GET", path)
                answer = connection.getresponse()
                size = len(answer.read())
                taken.append((time.perf_counter() - began) * 1000)
                assert answer.status == _OK, (path, answer.status)
            found.append(
                {"path": path, "median_ms": median(taken), "least_ms": min(taken), "bytes": size}
            )
    return found


def print_reads(told: dict[str, Any]) -> None:
    """A table of it, the slowest first."""
    print(f"| read | ms | kB | ≤ {_GOAL_MS} ms |\n|---|---|---|---|")
    for row in sorted(told["reads"], key=lambda each: -each["median_ms"]):
        verdict = "met" if row["median_ms"] <= _GOAL_MS else "missed"
        size = row["bytes"] / 1000
        print(f"| {row['path']} | {row['median_ms']:.0f} | {size:.0f} | {verdict} |")


def _events(datasets: int, jobs: int, runs: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(1)  # noqa: S311 - a shape that is the same every time
    schema = {**FACET, "fields": [{"name": name, "type": "string"} for name in _NAMES]}
    for number in range(datasets):
        tag = {"key": "pii", "value": "EMAIL", "field": "column_1", "source": "CONTRACT"}
        if number % 10:
            tag = {"key": "gold", "value": "true", "source": "USER"}
        facets = {
            "schema": schema,
            "ownership": {**FACET, "owners": [{"name": f"team:{number % 50}"}]},
            "tags": {**FACET, "tags": [tag]},
        }
        yield {
            **_common("DatasetEvent", number),
            "dataset": {"namespace": "file", "name": _name(number), "facets": facets},
        }
    inputs = [[chance.randrange(datasets) for _ in range(3)] for _ in range(jobs)]
    for number in range(runs):
        job = number % jobs if number % 4 else 0
        version = {"version": {**FACET, "datasetVersion": str(number)}}
        facets = {"schema": schema, "columnLineage": _lineage(inputs[job]), **version}
        written = {"outputStatistics": {**FACET, "rowCount": number}}
        yield {
            **_common("RunEvent", 3 * 3600 + number),
            "eventType": "COMPLETE",
            "run": {"runId": _run(number), "facets": {}},
            "job": {"namespace": "bench", "name": f"job_{job}"},
            "inputs": [
                {"namespace": "file", "name": _name(each), "facets": version if number % 2 else {}}
                for each in inputs[job]
            ],
            "outputs": [
                {
                    "namespace": "file",
                    "name": _name((job * 5 + place) % datasets),
                    "facets": facets,
                    "outputFacets": written,
                }
                for place in (0, 1)
            ],
        }


def _common(kind: str, seconds: int) -> dict[str, Any]:
    return {
        "eventTime": (AT + timedelta(seconds=seconds)).isoformat(),
        "producer": "https://example.com/bench",
        "schemaURL": f"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/{kind}",
    }


def _lineage(inputs: list[int]) -> dict[str, Any]:
    step = {"type": "DIRECT", "subtype": "IDENTITY", "masking": False}
    return {
        **FACET,
        "fields": {
            name: {
                "inputFields": [
                    {
                        "namespace": "file",
                        "name": _name(each),
                        "field": name,
                        "transformations": [step],
                    }
                    for each in inputs
                ]
            }
            for name in _NAMES
        },
    }


def _name(number: int) -> str:
    return f"/lake/data_{number}"


def _run(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


def _paths() -> list[str]:
    dataset, field = "file|/lake/data_0", "datasetField:file:/lake/data_0:column_1"
    named = f"{_MARQUEZ}/namespaces/file/datasets/%2Flake%2Fdata_0"
    of_job = f"{_MARQUEZ}/namespaces/bench/jobs"
    return [
        f"{_OWN}/summary",
        f"{_OWN}/times",
        f"{_OWN}/datasets?limit=1000",
        f"{_OWN}/graph",
        f"{_OWN}/graph?at={_THEN}",
        f"{_OWN}/graph?id={dataset}&up=2&down=2",
        f"{_OWN}/impact?id={dataset}",
        f"{_OWN}/changes?since={_THEN}",
        f"{_OWN}/dataset?id={dataset}",
        f"{_OWN}/run?id={_run(4)}",
        f"{_OWN}/run/diff?id={_run(4)}",
        f"{_OWN}/readers?id={dataset}",
        f"{_OWN}/search?q=data_1",
        f"{_OWN}/search?q=email",
        f"{_OWN}/search?q=team:4",
        f"{_OWN}/pii",
        f"{_OWN}/access",
        f"{_MARQUEZ}/namespaces",
        f"{_MARQUEZ}/sources",
        f"{_MARQUEZ}/tags",
        f"{_MARQUEZ}/namespaces/file/datasets?limit=1000",
        named,
        f"{named}/versions?limit=1000",
        f"{_MARQUEZ}/jobs?limit=1000",
        f"{_MARQUEZ}/jobs?lastRunStates=FAILED",
        f"{of_job}?limit=1000",
        f"{of_job}/job_0",
        f"{of_job}/job_0/versions",
        f"{of_job}/job_0/runs?limit=1000",
        f"{_MARQUEZ}/jobs/runs/{_run(4)}",
        f"{_MARQUEZ}/lineage?nodeId=job:bench:job_1&depth=2",
        f"{_MARQUEZ}/lineage?nodeId=job:bench:job_1",
        f"{_MARQUEZ}/column-lineage?nodeId={field}&depth=2",
        f"{_MARQUEZ}/column-lineage?nodeId={field}",
        f"{_MARQUEZ}/runlineage/upstream?runId={_run(4)}",
        f"{_MARQUEZ}/events/lineage?limit=1000",
        f"{_MARQUEZ}/search?q=a&limit=100",
        f"{_MARQUEZ}/stats/lineage-events?period=DAY",
        f"{_MARQUEZ}/stats/jobs?period=DAY",
        f"{_MARQUEZ}/stats/datasets?period=WEEK",
        f"{_MARQUEZ}/stats/sources?period=DAY",
    ]
