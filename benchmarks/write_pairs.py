"""The governed write against the bare one and against pandera, in one warm session."""

from __future__ import annotations

import gc
import shutil
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cpu import tree_cpu_seconds
from trips import BAD_ROWS, SOURCE, Trips, add_row, keyed_trips, make_source, trips

from penstock import Runtime, run
from penstock.ledger import Ledger
from penstock.resources.lake import Lake
from penstock.resources.local import LocalCluster

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

    from penstock import Dataset

__all__ = ["Measured", "Note", "measure_writes"]

#: Comparison -> side -> CPU-seconds of each round.
Measured = dict[str, dict[str, list[float]]]
#: Told of each step as it ends.
Note = Callable[[str], None]


@dataclass(slots=True)
class WritePairs:
    """One lake with one source, and the ways to write it to Delta that are compared."""

    spark: SparkSession
    runtime: Runtime
    rows: int
    bad: int

    @property
    def source(self) -> str:
        """Path of the source table."""
        return self.path(SOURCE)

    def bare(self) -> None:
        """What anyone would write who checks nothing."""
        frame = self.spark.read.format("delta").load(self.source)
        frame.write.format("delta").mode("overwrite").save(self.path("bare.trips"))

    def governed(self, spec: Dataset = trips) -> None:
        """A run of the dataset: resolve, gate, audit, commit, record."""
        outcome = run(spec, self.spark, runtime=self.runtime)
        assert outcome.committed
        assert outcome.rows_quarantined == self.bad, outcome

    def pandera(self) -> None:
        """The validation of pandera itself, then the write if it finds nothing."""
        frame = self.spark.read.format("delta").load(self.source)
        checked = Trips.validate(frame)
        assert not checked.pandera.errors, checked.pandera.errors
        checked.write.format("delta").mode("overwrite").save(self.path("bare.trips"))

    def add_row(self) -> None:
        """A further row in the source, so that the next run has something to do."""
        add_row(self.spark, self.source, self.rows)
        self.rows += 1
        # who writes first must not pay for reading the source's new log
        assert self.spark.read.format("delta").load(self.source).count() == self.rows

    def path(self, table: str) -> str:
        """Where a table of this lake is."""
        return self.runtime.lake.table(table).path

    def collect_garbage(self) -> None:
        """Neither side pays for what the other left behind."""
        gc.collect()
        self.spark._jvm.System.gc()  # noqa: SLF001 - the session is a classic one of our own

    def check(self, table: str, expected: int) -> None:
        """The table must hold `expected` rows, the newest of the source among them."""
        frame = self.spark.read.format("delta").load(self.path(table))
        found = frame.count(), frame.where(f"trip_id = {self.rows - 1}").count()
        assert found == (expected, 1), f"{table}: {found}, expected {expected} rows"


def measure_writes(folder: Path, rows: int, pairs: int, note: Note) -> Measured:
    """CPU-seconds by comparison and side; the n-th of each side belong to one round.

    Each round writes the same version of the source with each side in turn, each time another one
    first. The first rounds warm the JVM up and are thrown away.
    """
    found: Measured = {}
    cluster = LocalCluster()
    with cluster.session() as spark:
        clean = _pairs(spark, folder / "clean", rows, 0)
        bare = Side(clean.bare, "bare.trips")
        sides = {
            "bare": bare,
            "governed": Side(clean.governed, "silver.trips"),
            "pandera": Side(clean.pandera, "bare.trips"),
        }
        found["clean"] = _rounds(clean, "clean", sides, pairs, note, warm_up=2)
        keyed = Side(partial(clean.governed, keyed_trips), "silver.keyed_trips")
        sides = {"bare": bare, "governed": keyed}
        found["clean, key"] = _rounds(clean, "clean, key", sides, -(-pairs // 2), note)
        dirty = _pairs(spark, folder / "dirty", rows, BAD_ROWS)
        sides = {
            "bare": Side(dirty.bare, "bare.trips"),
            "governed": Side(dirty.governed, "silver.trips", set_aside=BAD_ROWS),
        }
        found["bad"] = _rounds(dirty, "bad", sides, pairs, note)
        found["bad, new"] = _rounds(dirty, "bad, new", sides, pairs, note, first_write=True)
    cluster.release()
    return found


@dataclass(frozen=True, slots=True)
class Side:
    """One way to write: what to call, the table it makes, and how many rows that leaves out."""

    write: Callable[[], None]
    table: str
    set_aside: int = 0


def _rounds(
    pairs: WritePairs,
    name: str,
    sides: Mapping[str, Side],
    count: int,
    note: Note,
    *,
    warm_up: int = 1,
    first_write: bool = False,
) -> dict[str, list[float]]:
    used: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(-warm_up, count):
        pairs.add_row()
        order = deque(sides.items())
        order.rotate(number)
        for label, side in order:
            if first_write:
                shutil.rmtree(pairs.path(side.table))
            pairs.collect_garbage()
            before = tree_cpu_seconds()
            side.write()
            seconds = tree_cpu_seconds() - before
            pairs.check(side.table, pairs.rows - side.set_aside)
            note(f"{name} {number + 1}/{count} {label}: {seconds:.2f} CPU-s")
            if number >= 0:
                used[label].append(seconds)
    return used


def _pairs(spark: SparkSession, folder: Path, rows: int, bad: int) -> WritePairs:
    folder.mkdir(parents=True)
    runtime = Runtime(
        lake=Lake(root=str(folder / "lake"), landing=str(folder)),
        ledger=Ledger.open(f"sqlite:///{folder / 'ledger.db'}"),
    )
    pairs = WritePairs(spark=spark, runtime=runtime, rows=rows, bad=bad)
    make_source(spark, pairs.source, rows, bad=bad)
    return pairs
