"""What whole runs over landing cost, and what they cost where there is much of it.

    python benchmarks/landing_runs.py                     some ten minutes on two quiet cores
    python benchmarks/landing_runs.py --rows 200000 --pairs 2 --known 1000 --gigabytes 0.1

Each format: a run that makes a table of one file, against Spark's own reader with the same schema
and a bare Delta write; clean, with bad rows, and with bad rows and a key. A run over ten new files
where many are known, against the same run where none is. And what one large CSV costs the driver's
Python, of all that the run costs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from cpu import tree_cpu_seconds
from landing import FORMATS, Arrivals, make, name_of
from report import facts, markdown, ratio

from penstock import Append, Csv, Overwrite, Quarantine, column, dataset, landing, run
from penstock.resources.lake import SETTLED_SECONDS
from penstock.resources.local import LocalCluster
from penstock.schemas.contract import model_of
from penstock.testing import temporary_lake

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset

_OUT = Path(__file__).parent / "results" / "landing_runs.json"
_KINDS = ("plain", "json", "parquet", "orc")
_BAD = 31
#: What is said of rows, the most that it may cost, and whether some are bad and there is a key.
_STATES = {
    "clean": (1.3, False, False),
    "31 bad rows": (1.8, True, False),
    "31 bad rows and a key": (2.2, True, True),
}
_NEW = 10
_BLOCK_ROWS = 100_000


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=600_000, help="of each file (600000)")
    parser.add_argument("--pairs", type=int, default=3, help="rounds of each comparison (3)")
    parser.add_argument(
        "--only", choices=_KINDS, nargs="*", default=[*_KINDS], help="these formats"
    )
    parser.add_argument("--known", type=int, default=10_000, help="files that are known (10000)")
    parser.add_argument("--gigabytes", type=float, default=1.0, help="of the large file (1)")
    parser.add_argument("--out", type=Path, default=_OUT, help="the JSON file")
    asked = parser.parse_args()
    when, ratios, used = facts(), [], {}
    with (
        tempfile.TemporaryDirectory(prefix="penstock-landing-") as scratch,
        LocalCluster().session() as spark,
    ):
        folder = Path(scratch)
        for kind in asked.only:
            for state, (goal, bad, keyed) in _STATES.items():
                sides = _formats(spark, folder, asked, kind, bad=bad, keyed=keyed)
                used[f"{kind}, {state}"] = sides
                what = f"{FORMATS.get(kind, Csv()).title}, {state}"
                ratios.append(ratio(what, "Spark's reader and a bare write", *sides, goal))
        if asked.known:
            sides = _known(spark, folder, asked)
            used["known"] = sides
            what = f"{_NEW} new files, {asked.known:,} known"
            ratios.append(ratio(what, "the same with none known", *sides, 1.5))
        if asked.gigabytes:
            sides = _large(spark, folder, asked)
            used["large"] = sides
            what = f"the driver's Python, a CSV of {asked.gigabytes:g} GB"
            ratios.append(ratio(what, "the whole run", *sides, 0.1))
    told = {"facts": when, "rows": asked.rows, "cpu_seconds": used}
    told["ratios"] = [asdict(each) for each in ratios]
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told, indent=2) + "\n")
    print(markdown(ratios))


def _formats(
    spark: SparkSession, folder: Path, asked: Any, kind: str, *, bad: bool, keyed: bool
) -> tuple[list[float], list[float]]:
    """(Penstock's, Spark's) CPU-seconds of each round."""
    landed = folder / "formats" / "landing"
    shutil.rmtree(landed, ignore_errors=True)
    landed.mkdir(parents=True)
    make(landed / name_of(kind), asked.rows, kind, bad=_BAD if bad else 0)
    spec = _dataset(kind, keyed=keyed)
    ours, theirs = [], []
    for n in range(asked.pairs + 1):  # one warms the JVM up
        home = folder / f"{kind}-{bad}-{keyed}-{n}"
        home.mkdir()
        (home / "landing").symlink_to(landed)
        runtime = temporary_lake(home)
        mine = _cpu(lambda spec=spec, runtime=runtime: run(spec, spark, runtime=runtime))
        bare = _cpu(lambda home=home: _bare(spark, landed, kind, home / "bare", drop=bad))
        shutil.rmtree(home)
        if n:
            ours.append(mine)
            theirs.append(bare)
    return ours, theirs


class Once(Arrivals, name="bench.once", version="1.0.0", owner="team:benchmarks"):
    """The same, each row once."""

    id: int = column(key=True)


def _dataset(kind: str, *, keyed: bool) -> Dataset:
    read = landing(name_of(kind), format=FORMATS.get(kind))
    aside = Quarantine(max_fraction=None)
    contract = Once if keyed else Arrivals
    return dataset(contract, inputs={"raw": read}, write=Overwrite(), bad_rows=aside)(_same)


def _same(raw: DataFrame) -> DataFrame:
    return raw


def _bare(spark: SparkSession, landed: Path, kind: str, table: Path, *, drop: bool) -> None:
    schema = ", ".join(f"{c.name} {c.type}" for c in model_of(Arrivals).columns)
    mode = "DROPMALFORMED" if drop else "FAILFAST"
    reader = spark.read.schema(schema).option("header", "true").option("mode", mode)
    path = str(landed / name_of(kind))
    read = reader.format(kind).load(path) if kind in FORMATS else reader.csv(path, escape='"')
    read.write.format("delta").mode("overwrite").save(str(table))


def _cpu(work: Callable[[], Any]) -> float:
    before = tree_cpu_seconds()
    work()
    return tree_cpu_seconds() - before


def _known(spark: SparkSession, folder: Path, asked: Any) -> tuple[list[float], list[float]]:
    """(Where many are known, where none is) CPU-seconds of runs over ten new files."""
    read = landing("many/*.csv")
    spec = dataset(Arrivals, inputs={"raw": read}, write=Append())(_same)
    block = _block(5)
    many, none = [], []
    home = folder / "known"
    runtime = temporary_lake(home)
    number = _land(home, block, 0, asked.known)
    run(spec, spark, runtime=runtime)
    for n in range(asked.pairs + 1):
        number = _land(home, block, number, _NEW)
        mine = _cpu(lambda: run(spec, spark, runtime=runtime))
        fresh = folder / f"fresh-{n}"
        new = temporary_lake(fresh)
        _land(fresh, block, number, _NEW)
        other = _cpu(lambda new=new: run(spec, spark, runtime=new))
        if n:
            many.append(mine)
            none.append(other)
    return many, none


def _land(home: Path, block: list[str], first: int, files: int) -> int:
    folder = home / "landing" / "many"
    folder.mkdir(exist_ok=True)
    for number in range(first, first + files):
        lines = [block[0], *(f"{number}{line}" for line in block[1:])]
        (folder / f"{number:06}.csv").write_text("".join(lines))
    # what is as new as a file system's clock cannot tell apart is looked at again
    time.sleep(SETTLED_SECONDS + 0.5)
    return first + files


def _block(rows: int) -> list[str]:
    """The header, and lines without what stands before the first number of each."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "block.csv"
        make(path, rows, "plain")
        return path.read_text().splitlines(keepends=True)


def _large(spark: SparkSession, folder: Path, asked: Any) -> tuple[list[float], list[float]]:
    """(The driver's Python, the whole) CPU-seconds of runs over one large file."""
    spec = dataset(Arrivals, inputs={"raw": landing("large/*.csv")}, write=Overwrite())(_same)
    home = folder / "large"
    runtime = temporary_lake(home)
    (home / "landing" / "large").mkdir()
    header, *lines = _block(_BLOCK_ROWS)
    content = "".join(lines)
    python, whole = [], []
    me = psutil.Process()
    for n in range(asked.pairs):
        file = home / "landing" / "large" / "1.csv"
        with file.open("w") as out:
            out.write(header)
            while out.tell() < asked.gigabytes * 1e9:
                out.write(content)
            out.writelines(lines[: n + 1])  # another content
        mine, tree = sum(me.cpu_times()[:2]), tree_cpu_seconds()
        run(spec, spark, runtime=runtime)
        python.append(sum(me.cpu_times()[:2]) - mine)
        whole.append(tree_cpu_seconds() - tree)
    return python, whole


if __name__ == "__main__":
    main()
