"""What a run costs after many others: CPU-seconds of the process tree, as ratios, in one run.

    python benchmarks/growth.py                          half an hour on two quiet cores
    python benchmarks/growth.py --commits 1000 --days 50
    python benchmarks/growth.py --before ../older        and the same of an older build beside it

Four kinds of growth. A chain of three datasets (a file a day; changes of that; a day of those)
whose tables have had 10 commits each, and one whose tables have had 3,000. A table that takes ten
files a day for a year. Ledgers of 1,000 and of 16,000 runs, read over HTTP. 500 datasets loaded.
`--before` names a clone of an older commit with an environment of its own (`make setup`), for the
first two.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from builds import builds, commit_of, measured_by
from report import Ratio, facts, ratio

_KINDS = ("commits", "memory", "lists", "definitions")
_OUT = Path(__file__).parent / "results" / "growth.json"
_SIDE = Path(__file__).parent / "growth_side.py"
_FEW = 10
_GOAL = 1.2
_IDLE_RUNS = 10  # that growth_side.py makes at a time
_MOST_LOG_BYTES = 3e6
_MOST_IDLE_SECONDS = 0.1
_RUNS = (1_000, 16_000)
_DATASETS = 500
_MOST_LOADED = 2.0


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--commits", type=int, default=3000, help="of the old tables (3000)")
    parser.add_argument("--rounds", type=int, default=10, help="of each comparison (10)")
    parser.add_argument("--days", type=int, default=365, help="of ten files each (365)")
    parser.add_argument("--before", type=Path, help="clone of an older commit")
    parser.add_argument("--only", choices=_KINDS, nargs="+", help="some of them")
    parser.add_argument("--out", type=Path, default=_OUT, help="the JSON file")
    asked = parser.parse_args()
    kinds = asked.only or _KINDS
    old = json.loads(asked.out.read_text()) if asked.only and asked.out.is_file() else {}
    told: dict[str, Any] = {**old, "facts": facts(), "commits": asked.commits}
    told.setdefault("builds", {})
    for name, clone in builds(asked.before).items():
        found: dict[str, Any] = {**told["builds"].get(name, {}), "commit": commit_of(clone)}
        with tempfile.TemporaryDirectory(prefix="penstock-growth-") as scratch:
            if "commits" in kinds:
                sizes = (str(asked.rounds), str(_FEW), str(asked.commits))
                used = measured_by(clone, _SIDE, "commits", f"{scratch}/commits", *sizes)
                found |= {"cpu_seconds": used, "ratios": _ratios(used, str(asked.commits))}
            if "memory" in kinds:
                found["memory"] = measured_by(
                    clone, _SIDE, "memory", f"{scratch}/memory", str(asked.days)
                )
        told["builds"][name] = found
    with tempfile.TemporaryDirectory(prefix="penstock-growth-") as scratch:
        if "lists" in kinds:
            told["lists"] = _lists(Path(scratch))
        if "definitions" in kinds:
            told["definitions"] = _definitions(Path(scratch), asked.rounds)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told, indent=2) + "\n")
    for name, found in told["builds"].items():
        print(f"\n{name}: {found['commit']}\n")
        print(_table(found))
    if "lists" in told:
        print(_lists_table(told["lists"]))
    if "definitions" in told:
        print(_definitions_table(told["definitions"]))


def _lists(scratch: Path) -> list[dict[str, Any]]:
    """Each read of the server by the number of runs, of the same 8 jobs and 20 datasets."""
    from ledger_reads import timed_reads

    few, many = (timed_reads(scratch / f"{runs}.db", 20, 8, runs) for runs in _RUNS)
    return [{"path": a["path"], "few": a, "many": b} for a, b in zip(few, many, strict=True)]


def _lists_table(lists: list[dict[str, Any]]) -> str:
    lines = [
        f"\n| read, at {_RUNS[0]:,} and {_RUNS[1]:,} runs | ms | ratio | kB |",
        "|---|---|---|---|",
    ]
    for read in sorted(lists, key=lambda each: -each["many"]["least_ms"]):
        few, many = read["few"], read["many"]
        sizes = f"{few['bytes'] / 1000:.0f}, {many['bytes'] / 1000:.0f}"
        ratio_ = many["least_ms"] / few["least_ms"]
        times = f"{few['least_ms']:.1f}, {many['least_ms']:.1f}"
        lines.append(f"| {read['path']} | {times} | {ratio_:.1f} | {sizes} |")
    return "\n".join(lines)


def _definitions(scratch: Path, rounds: int) -> list[dict[str, float]]:
    """CPU-seconds of importing, of loading datasets and of Dagster's definitions of them."""
    command = [sys.executable, str(_SIDE.with_name("growth_definitions.py"))]
    command += [str(scratch / "many.py"), str(_DATASETS)]
    found = []
    for _ in range(rounds):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout.strip().splitlines()[-1]))
    return found


def _definitions_table(found: list[dict[str, float]]) -> str:
    imports = median(each["imports"] for each in found)
    lines = [
        f"\n| {_DATASETS} datasets | CPU-s | of the imports' | goal | |",
        "|---|---|---|---|---|",
        f"| imports alone | {imports:.2f} | | | |",
    ]
    parts = {
        "and loaded": ("imports", "load"),
        "and in Dagster": ("imports", "load", "definitions"),
    }
    for what, names in parts.items():
        ratios = [sum(each[n] for n in names) / each["imports"] for each in found]
        seconds = median(sum(each[n] for n in names) for each in found)
        verdict = "met" if median(ratios) <= _MOST_LOADED else "missed"
        spread = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        lines.append(f"| {what} | {seconds:.2f} | {spread} | ≤ {_MOST_LOADED:g} | {verdict} |")
    return "\n".join(lines)


def _ratios(used: dict[str, dict[str, list[float]]], many: str) -> list[dict[str, Any]]:
    return [
        # what Spark alone does has no goal
        asdict(
            ratio(
                what,
                f"at {_FEW}",
                sides[many],
                sides[str(_FEW)],
                None if what.startswith("bare") else _GOAL,
            )
        )
        for what, sides in used.items()
    ]


def _table(found: dict[str, Any]) -> str:
    lines = []
    if "ratios" in found:
        lines += [
            f"| what | CPU-ms, many commits / {_FEW} | ratio, median (min-max) | goal | |",
            "|---|---|---|---|---|",
        ]
        for r in (Ratio(**told) for told in found["ratios"]):
            runs = _IDLE_RUNS if r.what.startswith("nothing") else 1
            many, few = (x / runs * 1000 for x in (r.side_cpu_seconds, r.against_cpu_seconds))
            goal = "" if r.goal is None else f"≤ {r.goal:g}"
            verdict = "" if r.goal is None else r.verdict
            spread = f"{r.median:.2f} ({r.least:.2f}-{r.most:.2f}, n={r.rounds})"
            lines.append(f"| {r.what} | {many:.0f} / {few:.0f} | {spread} | {goal} | {verdict} |")
    if memory := found.get("memory"):
        log, listing = memory["log_bytes"] / 1e6, median(memory["listing"])
        beyond = median(memory["nothing_new"]) - listing
        days, commits = memory["days"], memory["commit_bytes"] / 1e6
        rows = (
            ("`_delta_log`, MB", f"commits alone {commits:.1f}", log, _MOST_LOG_BYTES / 1e6),
            ("nothing new, CPU-s", f"without listing: {listing:.3f}", beyond, _MOST_IDLE_SECONDS),
        )
        lines += ["", f"| after {days} days of ten files | figure | goal | |", "|---|---|---|---|"]
        for what, more, figure, goal in rows:
            verdict = "met" if figure <= goal else "missed"
            lines.append(f"| {what} ({more}) | {figure:.3g} | ≤ {goal:g} | {verdict} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
