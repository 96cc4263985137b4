"""What a plan costs, and how that grows with the datasets of a deployment.

    python benchmarks/plan.py                      some three minutes on two quiet cores
    python benchmarks/plan.py --datasets 60 --pairs 1

A deployment is generated: a third of its datasets take files, a third clean those, a third group
these, each with twenty columns. A plan of all of it is held against one of half as many: linear is
2. A session that has planned a small deployment first is warm, as no command line's is; what the
first plan of a process costs is printed beside.
"""

from __future__ import annotations

import argparse
import json
import time
import types
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cpu import tree_cpu_seconds
from pyspark.sql import functions as F
from report import facts, markdown, ratio

from penstock import Contract, column, dataset, landing
from penstock.plan import Standing, build_plan
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset

_OUT = Path(__file__).parent / "results" / "plan.json"
_COLUMNS = 20
_SECONDS = 60.0


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", type=int, default=500, help="of the deployment (500)")
    parser.add_argument("--pairs", type=int, default=3, help="rounds (3)")
    parser.add_argument("--out", type=Path, default=_OUT, help="the JSON file")
    asked = parser.parse_args()
    when = facts()
    whole, half = generated(asked.datasets), generated(asked.datasets // 2)
    seconds: list[float] = []
    with LocalCluster(name="plan", profile=Profile.SMALL, cores=1).session() as spark:
        first, _ = _cost(spark, generated(15))
        ours, theirs = [], []
        for _ in range(asked.pairs):
            cpu, wall = _cost(spark, whole)
            ours.append(cpu)
            seconds.append(wall)
            theirs.append(_cost(spark, half)[0])
    what = f"a plan of {len(whole)} datasets of {_COLUMNS} columns"
    found = ratio(what, f"of {len(half)}", ours, theirs, 2.2)
    told = {"facts": when, "first_of_15_cpu_seconds": first, "wall_seconds": seconds}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told | {"ratios": [asdict(found)]}, indent=2) + "\n")
    print(markdown([found]))
    print(f"wall: {min(seconds):.1f} to {max(seconds):.1f} s (goal {_SECONDS:.0f} on 2 cores)")
    print(f"the first plan of a process, of 15 datasets: {first:.1f} CPU-seconds")


def _cost(spark: SparkSession, datasets: Sequence[Dataset]) -> tuple[float, float]:
    """(CPU-seconds, seconds) of a plan in which all is as it was."""
    standing = Standing(contracts={spec.name: spec.model for spec in datasets})
    cpu, wall = tree_cpu_seconds(), time.perf_counter()
    plan = build_plan(datasets, spark, standing)
    found = tree_cpu_seconds() - cpu, time.perf_counter() - wall
    assert not any(one.says_something for one in plan.datasets)
    return found


def generated(count: int) -> list[Dataset]:
    """Datasets, each after those it reads."""
    found: list[Dataset] = []
    for n in range(count // 3):
        bronze, silver, gold = (_contract(layer, n) for layer in ("bronze", "silver", "gold"))
        found += [
            dataset(bronze, inputs={"raw": landing(f"n{n}/*.csv")})(_same),
            dataset(silver, inputs={"raw": bronze})(_cleaned),
            dataset(gold, inputs={"raw": silver})(_grouped),
        ]
    return found


def _contract(layer: str, n: int) -> type[Contract]:
    names = ["id", *(f"c{i}" for i in range(1, _COLUMNS))]
    body = {
        "__doc__": "One row.",
        "__module__": __name__,
        "__annotations__": {name: str if i % 3 else int for i, name in enumerate(names)},
        **{name: column(nullable=True) for name in names[1:]},
        "id": column(key=True),
    }
    named: dict[str, Any] = {"name": f"{layer}.n{n}", "version": "1.0.0", "owner": "team:b"}
    return types.new_class("Made", (Contract,), named, lambda space: space.update(body))


def _same(raw: DataFrame) -> DataFrame:
    return raw


def _cleaned(raw: DataFrame) -> DataFrame:
    kept = raw.where("c3 > 0").withColumn("c1", F.lower("c1"))
    return kept.withColumn("c2", F.concat_ws("-", "c2", "c4"))


def _grouped(raw: DataFrame) -> DataFrame:
    others = [name for name in raw.columns if name != "id"]
    return raw.groupBy("id").agg(*(F.max(name).alias(name) for name in others))


if __name__ == "__main__":
    main()
