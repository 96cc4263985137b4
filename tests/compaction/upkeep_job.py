"""Compacts a table in a process of its own, to be killed in the middle."""

from __future__ import annotations

from penstock.compaction import CompactionPolicy, apply, measure, plan_compaction
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile


def main(path: str) -> None:
    plan = plan_compaction(measure(path), CompactionPolicy())
    with LocalCluster(profile=Profile.SMALL, cores=1).session() as spark:
        apply(plan, spark, path, metadata={"penstock": "upkeep"})
