"""One build's part of nightly.py: `python nightly_side.py MEASURE FOLDER ROUNDS` prints JSON.

It uses what older builds of Penstock have as well, so that two of them can be compared.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cpu import tree_cpu_seconds
from nightly_bare import BareLake
from nightly_modes import ALIKE, BY_MODE, FIRST_DAY, GROWING, SOURCE
from trips import CITIES

from penstock import Slice, run
from penstock.assets.runtime import Invocation
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from penstock.testing import temporary_lake

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

    from penstock import Dataset, Runtime

_FIRST_NIGHT = date(2013, 2, 1)
_SENT_WHOLE = ("airlines", "airports", "planes")
_SEED = 2013
_NIGHTS_BEFORE = 3  # that warm the session up
_ROUNDS_BEFORE = 4
_ROWS = 2000

#: CPU-seconds (or wall seconds) of each round, by what was done and by side.
Used = dict[str, dict[str, list[float]]]


def night(folder: Path, rounds: int) -> Any:
    """Nights of the nine datasets that a day's files reach, by us and by hand."""
    from assets import bronze, features, gold, silver
    from penstock.assets.asset import datasets_of
    from pipelines.data import unpack_flights, write_bookings

    all_of = {spec.name: spec for spec in datasets_of(bronze, silver, gold, features)}
    upstream = {name: spec.upstream for name, spec in all_of.items()}
    in_order = [all_of[name] for name in TopologicalSorter(upstream).static_order()]
    whole = [spec for spec in in_order if spec.name.split(".")[1] in _SENT_WHOLE]
    nine = [spec for spec in in_order if spec not in whole]
    assert len(nine) == 9, nine  # noqa: PLR2004
    runtime = temporary_lake(folder)
    landing = folder / "landing"
    days = [_FIRST_NIGHT + timedelta(days=n) for n in range(_NIGHTS_BEFORE + rounds)]
    unpack_flights(landing, days)
    write_bookings(landing, days, _SEED)
    used: Used = {"night": {}, **{spec.name: {} for spec in nine}}
    jobs: dict[str, list[int]] = {}
    steps: dict[str, float] = {}
    with LocalCluster(profile=Profile.SMALL).session() as spark:
        bare = BareLake(spark, landing, folder / "bare")
        for spec in whole:
            run(spec, spark, runtime=runtime)
            bare.run(spec)
        for number, day in enumerate(days, start=-_NIGHTS_BEFORE):

            def ours(spec: Dataset, day: date = day, number: int = number) -> None:
                slice_ = Slice.day(day) if spec.partitions else Slice()
                clock = Steps(steps if number >= 0 else {})
                call = Invocation(on_step=clock.ended)
                done = run(spec, spark, slice_, runtime=runtime, invocation=call)
                assert done.committed, spec.name

            def by_hand(spec: Dataset, day: date = day) -> None:
                bare.run(spec, day, since=max(0, bare.version("bronze.bookings")))

            sides = [("ours", ours), ("bare", by_hand)]
            for side, do in sides if number % 2 else reversed(sides):
                _collect(spark)
                before, jobs_before = tree_cpu_seconds(), _jobs(spark)
                for spec in nine:
                    begun = tree_cpu_seconds()
                    do(spec)
                    if number >= 0:
                        used[spec.name].setdefault(side, []).append(tree_cpu_seconds() - begun)
                if number >= 0:
                    used["night"].setdefault(side, []).append(tree_cpu_seconds() - before)
                    jobs.setdefault(side, []).append(_jobs(spark) - jobs_before)
        rows = _compared(spark, runtime, bare, nine)
    steps = {step: seconds / rounds for step, seconds in steps.items()}
    return {"cpu_seconds": used, "jobs": jobs, "rows": rows, "steps": steps}


class Steps:
    """CPU-seconds up to the end of each step of a run, added up."""

    def __init__(self, used: dict[str, float]) -> None:
        self._used = used
        self._before = tree_cpu_seconds()

    def ended(self, step: str) -> None:
        """A step of the run has ended."""
        now = tree_cpu_seconds()
        self._used[step] = self._used.get(step, 0.0) + now - self._before
        self._before = now


def _compared(
    spark: SparkSession, runtime: Runtime, bare: BareLake, specs: list[Dataset]
) -> dict[str, list[int]]:
    """(Our rows, those by hand) of each table; what differs are the rows that were set aside."""
    found = {}
    for spec in specs:
        ours = spark.read.format("delta").load(runtime.lake.table(spec.name).path)
        hand = spark.read.format("delta").load(bare.path(spec.name))
        found[spec.name] = [ours.count(), hand.count()]
        if spec.name.split(".")[0] in ("bronze", "silver"):
            assert ours.exceptAll(hand.select(*ours.columns)).isEmpty(), spec.name
    return found


def modes(folder: Path, rounds: int) -> Any:
    """A run of each write mode over a source that has changed, and the bare write of the same."""
    runtime = temporary_lake(folder)
    used: Used = {}
    with LocalCluster(profile=Profile.SMALL).session() as spark:
        bare = BareLake(spark, folder, Path(runtime.lake.table(SOURCE).path).parents[1] / "bare")
        sources = {
            name: [
                Source(spark, path, mode=mode)
                for path in (runtime.lake.table(name).path, bare.path(name))
            ]
            for name, mode in ((SOURCE, "overwrite"), (GROWING, "append"))
        }
        for number in range(-_ROUNDS_BEFORE, rounds):
            for what, (spec, _) in BY_MODE.items():
                (name,) = spec.upstream
                for source in sources[name]:
                    source.changes()
                day = sources[name][0].day
                slice_ = Slice.day(day) if spec.partitions else Slice()
                since = bare.version(GROWING)
                sides: list[tuple[str, Callable[[], Any]]] = [
                    ("ours", lambda s=spec, at=slice_: run(s, spark, at, runtime=runtime)),
                    ("bare", lambda s=spec, d=day, at=since: bare.run(s, d, at)),
                ]
                for side, do in sides if number % 2 else reversed(sides):
                    _collect(spark)
                    before = tree_cpu_seconds()
                    do()
                    seconds = tree_cpu_seconds() - before
                    if number >= 0:
                        used.setdefault(what, {}).setdefault(side, []).append(seconds)
        rows = _compared(spark, runtime, bare, [spec for spec, _ in BY_MODE.values()])
    return {"cpu_seconds": used, "rows": rows}


class Source:
    """A table that is given 2,000 rows of one day each time, in place of those before or beside.

    A tenth of them are of trips that it had before.
    """

    def __init__(self, spark: SparkSession, path: str, mode: str = "overwrite") -> None:
        self._spark = spark
        self._mode = mode
        self._path = path
        self._number = -1

    @property
    def day(self) -> date:
        """Of its rows."""
        return FIRST_DAY + timedelta(days=max(0, self._number))

    def changes(self) -> None:
        """Another 2,000 rows."""
        self._number += 1
        first = self._number * _ROWS * 9 // 10
        cities = ", ".join(f"'{city}'" for city in CITIES)
        mixed = f"pmod(xxhash64(id, {self._number}), 1000000007)"
        rows = self._spark.range(first, first + _ROWS, numPartitions=1).selectExpr(
            "id AS trip_id",
            f"concat('AB-', lpad(cast({mixed} % 99999999 AS string), 8, '0')) AS code",
            f"element_at(array({cities}), cast({mixed} % {len(CITIES)} + 1 AS int)) AS city",
            f"{mixed} % 8 + 1 AS passengers",
            f"cast({mixed} % 499900 + 1 AS double) / 100 AS miles",
            f"cast(cast({mixed} % 9999999 AS double) / 100 AS decimal(10, 2)) AS fare",
            f"DATE'{self.day}' AS day",
            f"CASE WHEN id % 4 = 0 THEN concat('remark ', {mixed} % 100000) END AS remark",
        )
        writer = rows.write.format("delta").option("delta.enableChangeDataFeed", "true")
        writer.mode(self._mode).save(self._path)
        # who reads first must not pay for the new log
        there = self._spark.read.format("delta").load(self._path)
        assert there.where(f"day = DATE'{self.day}'").count() == _ROWS


def together(folder: Path, rounds: int) -> Any:
    """Wall seconds of datasets that do not need each other: one after the other, and at once."""
    runtime = temporary_lake(folder)
    used: dict[str, list[float]] = {}
    with LocalCluster(profile=Profile.SMALL).session() as spark:
        source = Source(spark, runtime.lake.table(SOURCE).path)

        def do(spec: Dataset) -> None:
            assert run(spec, spark, runtime=runtime).committed

        for number in range(-_ROUNDS_BEFORE, rounds):
            for side in ("in turn", "at once"):
                source.changes()
                _collect(spark)
                begun = time.perf_counter()
                with ThreadPoolExecutor(1 if side == "in turn" else 2) as pool:
                    list(pool.map(do, ALIKE))
                if number >= 0:
                    used.setdefault(side, []).append(time.perf_counter() - begun)
    return {"seconds": used, "datasets": len(ALIKE)}


def jobs(folder: Path, rounds: int) -> Any:
    """Wall seconds of Dagster's runs: of the six datasets alike, and of the nightly job.

    Each in this process, with Dagster's in-process executor and with ours.
    """
    from nightly_jobs import Executed

    from pipelines.data import unpack_flights, write_bookings

    sides = ("in turn", "at once")
    used: dict[str, dict[str, list[float]]] = {}
    with LocalCluster(profile=Profile.SMALL).session() as spark:

        def measured(what: str, number: int, side: str, do: Callable[[], None]) -> None:
            _collect(spark)
            begun = time.perf_counter()
            do()
            if number >= 0:
                seconds = time.perf_counter() - begun
                used.setdefault(what, {}).setdefault(side, []).append(seconds)

        runtime = temporary_lake(folder / "alike")
        source = Source(spark, runtime.lake.table(SOURCE).path)
        alike = Executed(folder / "alike", "alike")
        for number in range(-_ROUNDS_BEFORE, rounds):
            for side in sides if number % 2 else reversed(sides):
                source.changes()
                measured("alike", number, side, lambda how=side: alike.run(how))
        temporary_lake(folder / "night")
        landing = folder / "night" / "landing"
        days = [_FIRST_NIGHT + timedelta(days=n) for n in range(_NIGHTS_BEFORE + 2 * rounds)]
        unpack_flights(landing, days)
        write_bookings(landing, days, _SEED)
        night, left = Executed(folder / "night", "night"), iter(days)
        for _ in range(_NIGHTS_BEFORE):
            night.run("at once", partition=str(next(left)))
        for number in range(rounds):
            for side in sides if number % 2 else reversed(sides):
                day = str(next(left))
                measured("night", number, side, lambda how=side, d=day: night.run(how, partition=d))
    return {"seconds": used, "datasets": len(ALIKE)}


def _collect(spark: SparkSession) -> None:
    """Neither side pays for what the other left behind."""
    gc.collect()
    spark._jvm.System.gc()  # noqa: SLF001 - the session is a classic one of our own


def _jobs(spark: SparkSession) -> int:
    store = spark.sparkContext._jsc.sc().statusStore()  # noqa: SLF001
    newest = store.jobsList(None)
    return max((newest.apply(n).jobId() for n in range(newest.size())), default=-1) + 1


def main() -> None:
    """Do one measure in the folder, and print what it found."""
    measure, folder, rounds = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        # what a build logs is not the result
        stack.callback(setattr, sys, "stdout", sys.stdout)
        sys.stdout = sys.stderr
        found = {"night": night, "modes": modes, "together": together, "jobs": jobs}[measure](
            Path(folder), int(rounds)
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
