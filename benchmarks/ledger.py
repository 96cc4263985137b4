"""What the lineage ledger takes in, how its graph grows, and how fast it answers.

    python benchmarks/ledger.py               some minutes on two quiet cores
    python benchmarks/ledger.py --datasets 2000 --events 5000
    python benchmarks/ledger.py --only http --only reads

Prints tables and writes JSON (`--out`). Rates are of wall time, taken beside a bare SQLite insert
of the same bytes with the same durability, so that the ratio says what the ledger adds. Goals are
those of the project; a missed one is said, and is no failure.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import tempfile
import time
import uuid
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from ledger_events import COLUMNS, bare_per_second, run_event
from ledger_http import posting, print_posting
from ledger_reads import print_reads, reading
from report import facts

from penstock.ledger import Ledger
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.projector import catch_up
from penstock.ledger.graph.walk import Direction, Walk

_RESULTS = Path(__file__).parent / "results"
_PARTS = ("ingestion", "impact", "http", "reads")
_LAYERS = 10
_BATCH_GOAL, _SINGLE_GOAL, _PROJECTION_GOAL, _IMPACT_GOAL_MS = 1500, 300, 2000, 200
_QUESTIONS = 200


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=20_000, help="of the ingestion (20000)")
    parser.add_argument("--datasets", type=int, default=10_000, help="of the graph (10000)")
    parser.add_argument("--only", action="append", choices=_PARTS, help="a part, not all of it")
    parser.add_argument("--out", type=Path, help="the JSON file (that of the part, of all)")
    asked = parser.parse_args()
    told: dict[str, Any] = {"facts": facts()}
    with tempfile.TemporaryDirectory(prefix="penstock-ledger-") as scratch:
        for part in asked.only or _PARTS:
            match part:
                case "ingestion":
                    told[part] = _ingestion(Path(scratch), asked.events)
                case "impact":
                    told[part] = _impact(Path(scratch), asked.datasets)
                case "http":
                    told[part] = posting(Path(scratch), asked.events // 10)
                case "reads":
                    told[part] = reading(Path(scratch), asked.datasets // 2)
    told["load_average_after"] = [round(load, 1) for load in os.getloadavg()]
    out = asked.out or _RESULTS / f"{'-'.join(['ledger', *(asked.only or ())])}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(told, indent=2) + "\n")
    _print(told)


def _ingestion(folder: Path, count: int) -> dict[str, Any]:
    events = [run_event(number, jobs=200) for number in range(count)]
    size = len(json.dumps(events[0]))
    note(f"ingestion: {count} events of {size} bytes")
    curve = []
    with Ledger.open(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        step = max(count // 10, 100)
        for start in range(0, count, step):
            some = events[start : start + step]
            bare = bare_per_second(folder / "bare.db", some, 100)
            began = time.perf_counter()
            for at in range(0, len(some), 100):
                ledger.append_all(some[at : at + 100])
            taken = time.perf_counter() - began
            began = time.perf_counter()
            projected = catch_up(ledger.database)
            projecting = time.perf_counter() - began
            curve.append(
                {
                    "events_before": start,
                    "batch_per_second": len(some) / taken,
                    "bare_per_second": bare,
                    "projected_per_second": projected / projecting,
                }
            )
        singles = []
        for number in range(5):
            some = [copy.deepcopy(event) for event in events[:200]]
            for event in some:
                event["run"]["runId"] = str(uuid.uuid4())
            bare = bare_per_second(folder / "bare.db", some, 1)
            began = time.perf_counter()
            for event in some:
                ledger.append(event)
            rate = len(some) / (time.perf_counter() - began)
            singles.append({"round": number, "single_per_second": rate, "bare_per_second": bare})
    return {"events": count, "event_bytes": size, "curve": curve, "single": singles}


def _impact(folder: Path, datasets: int) -> dict[str, Any]:
    """Ten layers; each dataset is made of three of the layer before, each column of two or three.

    So 10,000 datasets have 200,000 columns and about 500,000 edges between them.
    """
    chance = random.Random(1)  # noqa: S311 - a shape that is the same every time
    width = datasets // _LAYERS
    note(f"impact: a graph of {datasets} datasets")
    with Ledger.open(f"sqlite:///{folder / 'graph.db'}") as ledger:
        edges, waiting = 0, []
        for number in range(datasets):
            layer, place = divmod(number, width)
            event = run_event(number, jobs=datasets)
            near = [(place + step) % width for step in (0, 1, chance.randrange(2, 8))]
            names = [f"/lake/out_{(layer - 1) * width + at}" for at in near] if layer else []
            event["inputs"] = [{"namespace": "file", "name": name} for name in names]
            lineage = event["outputs"][0]["facets"]["columnLineage"]
            if not names:
                del event["outputs"][0]["facets"]["columnLineage"]
            else:
                for column, field in lineage["fields"].items():
                    (like, _) = field["inputFields"]
                    chosen = [name for name in names if chance.random() < 0.93]  # noqa: PLR2004
                    field["inputFields"] = [
                        {**like, "name": name, "field": column} for name in chosen
                    ]
                    edges += len(chosen)
            waiting.append(event)
        for start in range(0, len(waiting), 200):
            ledger.append_all(waiting[start : start + 200])
        began = time.perf_counter()
        catch_up(ledger.database)
        projecting = time.perf_counter() - began
        asked = {
            direction: _ask(ledger, datasets, chance, direction)
            for direction in ("downstream", "upstream")
        }
    return {
        "datasets": datasets,
        "columns": datasets * COLUMNS,
        "edges": edges,
        "projecting_seconds": projecting,
        "questions": asked,
    }


def _ask(
    ledger: Ledger, datasets: int, chance: random.Random, direction: Direction
) -> dict[str, Any]:
    seconds, reached = [], []
    for _ in range(_QUESTIONS):
        began = time.perf_counter()
        with ledger.database.read() as connection:
            catalog = Catalog(connection)
            dataset = catalog.dataset_id("file", f"/lake/out_{chance.randrange(datasets)}")
            assert dataset is not None
            column = catalog.column_ids(dataset)[f"column_{chance.randrange(COLUMNS)}"]
            found = Walk(connection).reached([column], direction)
        seconds.append(time.perf_counter() - began)
        reached.append(len(found))
    return {
        "median_ms": median(seconds) * 1000,
        "p95_ms": quantiles(seconds, n=20)[-1] * 1000,
        "worst_ms": max(seconds) * 1000,
        "median_reached": median(reached),
        "most_reached": max(reached),
    }


def _print(told: dict[str, Any]) -> None:
    for part, shown in (
        ("ingestion", _print_ingestion),
        ("impact", _print_impact),
        ("http", print_posting),
        ("reads", print_reads),
    ):
        if part in told:
            print()
            shown(told[part])


def _print_ingestion(ingestion: dict[str, Any]) -> None:
    print("| events before | batches /s | bare SQLite /s | ratio | projected /s |")
    print("|---|---|---|---|---|")
    for row in ingestion["curve"]:
        ratio = row["batch_per_second"] / row["bare_per_second"]
        print(
            f"| {row['events_before']} | {row['batch_per_second']:.0f} "
            f"| {row['bare_per_second']:.0f} | {ratio:.2f} | {row['projected_per_second']:.0f} |"
        )
    batch = median(row["batch_per_second"] for row in ingestion["curve"])
    single = median(row["single_per_second"] for row in ingestion["single"])
    bare = median(row["bare_per_second"] for row in ingestion["single"])
    rates = [row["projected_per_second"] for row in ingestion["curve"]]
    print("\n| what | figure | goal | |\n|---|---|---|---|")
    _line("events/s in batches of 100", batch, _BATCH_GOAL, at_least=True)
    _line("events/s as single durable appends", single, _SINGLE_GOAL, at_least=True)
    print(f"| of a bare durable insert | {single / bare:.2f} | | |")
    _line("events/s projected", median(rates), _PROJECTION_GOAL, at_least=True)
    print(f"| projection, last tenth against first | {rates[-1] / rates[0]:.2f} | about 1 | |")


def _print_impact(impact: dict[str, Any]) -> None:
    print("| what | figure | goal | |\n|---|---|---|---|")
    for direction, row in impact["questions"].items():
        what = f"{direction}, 95th percentile, ms ({row['median_reached']:.0f} columns reached"
        _line(f"{what} at the median)", row["p95_ms"], _IMPACT_GOAL_MS, at_least=False)
    print(f"\n{impact['datasets']} datasets, {impact['columns']} columns, {impact['edges']} edges")


def _line(what: str, figure: float, goal: float, *, at_least: bool) -> None:
    met = figure >= goal if at_least else figure <= goal
    sign = "≥" if at_least else "≤"
    print(f"| {what} | {figure:.0f} | {sign} {goal} | {'met' if met else 'missed'} |")


def note(text: str) -> None:
    """A line on what goes on."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
