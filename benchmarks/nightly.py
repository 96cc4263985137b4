"""What a night costs: beside the same bodies and writes by hand, by write mode, and at once.

    python benchmarks/nightly.py            all of it; half an hour on two quiet cores
    python benchmarks/nightly.py --only modes --rounds 3
    python benchmarks/nightly.py --before ../older     and an older build beside it

A warm session of the small profile. The night is nine datasets: a day's flights, weather and
bookings through bronze, silver, gold and features. `--before` names a clone of an older commit with
an environment of its own (`make setup`).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from builds import builds, commit_of, measured_by
from nightly_modes import BY_MODE
from report import Ratio, facts, ratio

_KINDS = ("night", "modes", "together", "jobs")
_OURS_ALONE = ("jobs",)  # older builds have no executor with threads
_RUNS = {"alike": "six datasets alike", "night": "the nightly job"}
_OUT = Path(__file__).parent / "results" / "nightly.json"
_SIDE = Path(__file__).parent / "nightly_side.py"
_NIGHT, _OF_BEFORE, _AT_ONCE = 1.25, 0.65, 0.7


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10, help="of each comparison (10)")
    parser.add_argument("--before", type=Path, help="clone of an older commit")
    parser.add_argument("--only", choices=_KINDS, nargs="+", help="some of them")
    parser.add_argument("--out", type=Path, default=_OUT, help="the JSON file")
    asked = parser.parse_args()
    kinds = asked.only or _KINDS
    old = json.loads(asked.out.read_text()) if asked.only and asked.out.is_file() else {}
    told: dict[str, Any] = {**old, "facts": facts()}
    told.setdefault("builds", {})
    for kind in kinds:
        for name, clone in builds(None if kind in _OURS_ALONE else asked.before).items():
            with tempfile.TemporaryDirectory(prefix="penstock-nightly-") as scratch:
                found = measured_by(clone, _SIDE, kind, scratch, str(asked.rounds))
            told["builds"].setdefault(name, {})[kind] = {"commit": commit_of(clone), **found}
    told["ratios"] = [asdict(each) for each in _ratios(told["builds"])]
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told, indent=2) + "\n")
    print(_table([Ratio(**each) for each in told["ratios"]]))
    print(_steps(told["builds"]))


def _ratios(measured: dict[str, Any]) -> list[Ratio]:
    found = []
    for name, told in measured.items():
        goals = name == "now"
        if "night" in told:
            for what, sides in told["night"]["cpu_seconds"].items():
                goal = _NIGHT if goals and what == "night" else None
                found.append(ratio(_said(name, what), "by hand", *_pair(sides), goal))
        if "modes" in told:
            for what, sides in told["modes"]["cpu_seconds"].items():
                goal = BY_MODE[what][1] if goals else None
                found.append(ratio(_said(name, what), "bare write", *_pair(sides), goal))
        if "together" in told:
            seconds = told["together"]["seconds"]
            what = _said(name, f"{told['together']['datasets']} datasets at once, wall")
            goal = _AT_ONCE if goals else None
            found.append(ratio(what, "in turn", seconds["at once"], seconds["in turn"], goal))
        for what, seconds in told.get("jobs", {}).get("seconds", {}).items():
            job = f"Dagster's run of {_RUNS[what]} in threads, wall"
            goal = _AT_ONCE if what == "alike" else None
            found.append(
                ratio(job, "one step at a time", seconds["at once"], seconds["in turn"], goal)
            )
    if before := measured.get("before", {}).get("night"):
        now, older = (n["cpu_seconds"]["night"]["ours"] for n in (measured["now"]["night"], before))
        against = f"that of {before['commit']}"
        found.append(ratio("night", against, now, older, _OF_BEFORE))
    return found


def _said(build: str, what: str) -> str:
    return what if build == "now" else f"{what}, {build}"


def _pair(sides: dict[str, list[float]]) -> tuple[list[float], list[float]]:
    return sides["ours"], sides["bare"]


def _table(ratios: list[Ratio]) -> str:
    lines = [
        "| what | against | seconds | ratio, median (min-max) | goal | |",
        "|---|---|---|---|---|---|",
    ]
    for r in ratios:
        goal, verdict = ("", "") if r.goal is None else (f"≤ {r.goal:g}", r.verdict)
        seconds = f"{r.side_cpu_seconds:.2f} / {r.against_cpu_seconds:.2f}"
        spread = f"{r.median:.2f} ({r.least:.2f}-{r.most:.2f}, n={r.rounds})"
        lines.append(f"| {r.what} | {r.against} | {seconds} | {spread} | {goal} | {verdict} |")
    return "\n".join(lines)


def _steps(measured: dict[str, Any]) -> str:
    """Where a night's CPU-seconds go, by the step of a run that they end with."""
    lines = ["\n| a night | CPU-s by step | Spark jobs, ours / by hand |", "|---|---|---|"]
    for name, told in measured.items():
        if "night" in told:
            each = ", ".join(f"{step} {used:.2f}" for step, used in told["night"]["steps"].items())
            jobs = told["night"]["jobs"]
            lines.append(f"| {name} | {each} | {median(jobs['ours'])} / {median(jobs['bare'])} |")
    return "\n".join(lines) if lines[2:] else ""


if __name__ == "__main__":
    main()
