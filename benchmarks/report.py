"""The result as ratios: a table for people, JSON for the next comparison."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Ratio", "facts", "markdown", "ratio"]

_PACKAGES = ("pyspark", "delta-spark", "dagster", "dagster-pyspark", "pandera")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """CPU of `side` over CPU of `against`, round by round."""

    what: str
    against: str
    goal: float | None
    side_cpu_seconds: float
    against_cpu_seconds: float
    median: float
    least: float
    most: float
    rounds: int

    @property
    def verdict(self) -> str:
        """Whether the median keeps the goal."""
        if self.goal is None:
            return "no goal"
        return "met" if self.median <= self.goal else "missed"


def ratio(
    what: str, against: str, side: Sequence[float], other: Sequence[float], goal: float | None
) -> Ratio:
    """The ratio of two sides whose n-th figures were taken one after the other."""
    each = [a / b for a, b in zip(side, other, strict=True)]
    return Ratio(
        what=what,
        against=against,
        goal=goal,
        side_cpu_seconds=median(side),
        against_cpu_seconds=median(other),
        median=median(each),
        least=min(each),
        most=max(each),
        rounds=len(each),
    )


def markdown(ratios: Iterable[Ratio]) -> str:
    """The table, as docs/performance.md holds it."""
    lines = [
        "| what | against | CPU-s | ratio, median (min-max) | goal | |",
        "|---|---|---|---|---|---|",
    ]
    for r in ratios:
        goal = "" if r.goal is None else f"≤ {r.goal:g}"
        lines.append(
            f"| {r.what} | {r.against} | {r.side_cpu_seconds:.1f} / {r.against_cpu_seconds:.1f} "
            f"| {_shown(r.median)} ({_shown(r.least)}-{_shown(r.most)}, n={r.rounds}) | {goal} "
            f"| {r.verdict} |"
        )
    return "\n".join(lines)


def _shown(value: float) -> str:
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"  # noqa: PLR2004 - two digits count


def facts() -> Mapping[str, Any]:
    """When, on what, and with which versions."""
    here = Path(__file__).parent
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True)
    commit = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "processor": _processor(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "python": platform.python_version(),
        "java": java.stderr.splitlines()[0],
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
