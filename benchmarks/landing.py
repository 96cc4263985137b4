"""What reading landing costs: CPU-seconds of the process tree against Spark's own typed reads.

    python benchmarks/landing.py                   some minutes on two quiet cores
    python benchmarks/landing.py --rows 200000 --pairs 3

Penstock looks at each file (hash, header, encoding, quotes), reads every cell as text, holds it to
its type's grammar and stops at the first bad row; JSON and files of columns are held to the
contract value by value. Spark reads with the types as its schema and
stops likewise (FAILFAST). Both give their rows to a sink that drops them.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as Amount
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from cpu import tree_cpu_seconds
from pyarrow import orc, parquet
from report import facts, markdown, ratio

from penstock import Contract, Decimal, JsonLines, Orc, Parquet, column, landing
from penstock.assets.frames import input_frames
from penstock.assets.inputs.files import PinnedFiles
from penstock.assets.landing.file import inspect_file
from penstock.resources.lake import Lake
from penstock.resources.local import LocalCluster
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.landing.formats import Format

_OUT = Path(__file__).parent / "results" / "landing.json"
_BEGIN = datetime(2013, 1, 1, tzinfo=UTC)
_KINDS = {
    "plain": "landing, no quotes",
    "quoted": "landing, text in quotes",
    "spanning": "landing, one record spans two lines",
    "json": "landing, JSON lines",
    "parquet": "landing, Parquet",
    "orc": "landing, ORC",
}
FORMATS: dict[str, Format] = {"json": JsonLines(), "parquet": Parquet(), "orc": Orc()}


_COLUMNS = {
    **dict.fromkeys(("id", "minutes", "delay"), pa.int64()),
    "day": pa.date32(),
    **dict.fromkeys(("left", "landed"), pa.timestamp("us", tz="UTC")),
    "miles": pa.decimal128(10, 2),
    "speed": pa.float64(),
    **dict.fromkeys(("tail", "origin", "carrier", "note"), pa.string()),
}


class Arrivals(Contract, owner="team:benchmarks", version="1.0.0", name="bench.arrivals"):
    """A row of a file as airports send them."""

    id: int = column()
    minutes: int = column()
    delay: int = column(nullable=True)
    day: date = column()
    left: datetime = column()
    landed: datetime = column()
    miles: Decimal(10, 2) = column()
    speed: float = column()
    tail: str = column()
    origin: str = column()
    carrier: str = column()
    note: str = column(nullable=True)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=600_000, help="of each file (600000)")
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each comparison (5)")
    parser.add_argument("--only", choices=_KINDS, nargs="+", default=[*_KINDS], help="these files")
    parser.add_argument("--out", type=Path, default=_OUT, help="the JSON file")
    asked = parser.parse_args()
    when = facts()
    used: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="penstock-landing-") as scratch:
        lake = Lake(root=f"{scratch}/lake", landing=f"{scratch}/landing")
        Path(lake.landing).mkdir()
        with LocalCluster().session() as spark:
            for kind in asked.only:
                make(Path(lake.landing) / name_of(kind), asked.rows, kind)
                sides = {"penstock": _penstock, "spark": _spark}
                rounds: dict[str, list[float]] = {side: [] for side in sides}
                for n in range(asked.pairs + 2):  # two warm the JVM up
                    for side, read in sides.items():
                        before = tree_cpu_seconds()
                        rows = read(spark, lake, kind)
                        rows.write.format("noop").mode("overwrite").save()
                        if n > 1:
                            rounds[side].append(tree_cpu_seconds() - before)
                used[kind] = rounds
    ratios = [
        ratio(what, "Spark's typed read", used[kind]["penstock"], used[kind]["spark"], None)
        for kind, what in _KINDS.items()
        if kind in used
    ]
    told = {
        "facts": when,
        "rows": asked.rows,
        "cpu_seconds": used,
        "ratios": [*map(asdict, ratios)],
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told, indent=2) + "\n")
    print(markdown(ratios))


def name_of(kind: str) -> str:
    """The name of the file of this kind."""
    return f"{kind}.{kind if kind in FORMATS else 'csv'}"


def _penstock(spark: SparkSession, lake: Lake, kind: str) -> DataFrame:
    landed = landing(name_of(kind), format=FORMATS.get(kind))
    (found,) = lake.landing_files(landed.pattern)
    files = (inspect_file(lake, found, None, landed.format),)
    item = PinnedFiles(name="raw", landing=landed, files=files)
    frames, _ = input_frames(spark, [item], model_of(Arrivals), strict=True)
    return frames["raw"]


def _spark(spark: SparkSession, lake: Lake, kind: str) -> DataFrame:
    schema = ", ".join(f"{c.name} {c.type}" for c in model_of(Arrivals).columns)
    reader = spark.read.schema(schema).option("header", "true").option("mode", "FAILFAST")
    path = f"{lake.landing}/{name_of(kind)}"
    if kind in FORMATS:
        return reader.format(kind).load(path)
    if kind == "spanning":
        reader = reader.option("multiLine", "true")
    return reader.option("escape", '"').csv(path)


def make(path: Path, rows: int, kind: str, *, bad: int = 0) -> None:
    """Write the file, of which `bad` rows have text for a number, or NULL where none may be."""
    names = [c.name for c in model_of(Arrivals).columns]
    if kind in FORMATS:
        sent = [dict(zip(names, row, strict=True)) for row in _rows(rows, kind)]
        for n in range(bad):
            # a column of numbers holds no text
            sent[n * rows // bad] |= {"minutes": "many"} if kind == "json" else {"carrier": None}
        if kind == "json":
            path.write_text("".join(f"{json.dumps(row, default=str)}\n" for row in sent))
            return
        for row in sent:
            row["miles"] = round(Amount(row["miles"]), 2)  # type: ignore[arg-type]
            for name in ("left", "landed"):
                row[name] = datetime.fromisoformat(str(row[name]))
        write = parquet.write_table if kind == "parquet" else orc.write_table
        write(pa.Table.from_pylist(sent, pa.schema(_COLUMNS.items())), path)
        return
    quoting = csv.QUOTE_MINIMAL if kind == "plain" else csv.QUOTE_NONNUMERIC
    with path.open("w", newline="") as file:
        out = csv.writer(file, quoting=quoting, lineterminator="\n")
        out.writerow(names)
        wrong = {n * rows // bad for n in range(bad)}
        for n, row in enumerate(_rows(rows, kind)):
            out.writerow((row[0], "many", *row[2:]) if n in wrong else row)


def _rows(rows: int, kind: str) -> Iterator[tuple[object, ...]]:
    for n in range(rows):
        left = _BEGIN + timedelta(seconds=n)
        note = "on\ntime" if kind == "spanning" and n == rows // 2 else 'says "on time"'
        yield (
            n,
            n % 1000,
            n % 77 or None,
            left.date(),
            f"{left:%Y-%m-%dT%H:%M:%SZ}",
            f"{left + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
            n * 1.25,
            n / 7,
            f"N{n}",
            "EWR",
            "United Air Lines",
            "on time" if kind == "plain" else note,
        )


if __name__ == "__main__":
    main()
