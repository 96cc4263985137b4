"""The law of what is told of a commit: each number is what a scan of its versions says, or none.

Delta's own metrics and statistics count rows that were copied, rows that a deletion vector has
deleted, and files that are not there.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    Append,
    Contract,
    Daily,
    Dataset,
    Merge,
    Overwrite,
    ReplaceSlice,
    Scd2,
    Slice,
    column,
    dataset,
    landing,
)
from penstock.assets.partitions.grid import windows_of
from tests.assets.shop import DAILY, DAY, NEXT, Order, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

    from penstock import Outcome

pytestmark = pytest.mark.slow(seconds=100)

DEFAULTS = "spark.databricks.delta.properties.defaults."
VECTORS = {"enableDeletionVectors": "true", "columnMapping.mode": "name"}


class Event(Contract, name="bronze.events", version="1.0.0", owner="team:shop"):
    """One state of a door, and when it began."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    at: datetime = column()


class Happened(Contract, name="bronze.happened", version="1.0.0", owner="team:shop"):
    """One thing that happened at a door: the same may happen twice."""

    id: int = column()
    item: str = column(nullable=True)
    at: datetime = column()


class Version(Contract, name="bronze.versions", version="1.0.0", owner="team:shop"):
    """One state of a door, and when it held."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    at: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


def _body(raw: DataFrame) -> DataFrame:
    return raw


FILES = landing("orders/e-*.csv")
DERIVED = landing("orders/e-*.csv", derived=["valid_to", "is_current"])
SPECS = {
    "overwrite": dataset(Event, inputs={"raw": FILES}, write=Overwrite()),
    "append": dataset(Happened, inputs={"raw": FILES}, write=Append()),
    "merge": dataset(Event, inputs={"raw": FILES}, write=Merge()),
    "scd2": dataset(Version, inputs={"raw": DERIVED}, write=Scd2(valid_from="at")),
    "shared file": dataset(
        Event,
        inputs={"raw": landing("orders/e-{day}.csv")},
        partitions=Daily(column="at", start=date(2013, 1, 1)),
        write=ReplaceSlice(),
    ),
    "partition": dataset(
        Order, inputs={"raw": landing("orders/e-{day}.csv")}, partitions=DAILY, write=ReplaceSlice()
    ),
}


CASES = [
    *((mode, True) for mode in SPECS),
    *((mode, False) for mode in ("merge", "scd2", "shared file")),  # where files are rewritten
]
NAMES = [f"{mode}, {'vectors' if vectors else 'plain'}" for mode, vectors in CASES]


@pytest.mark.parametrize(("mode", "vectors"), CASES, ids=NAMES)
def test_every_number_is_that_of_a_scan_or_not_told(shop: Shop, mode: str, vectors: bool) -> None:  # noqa: FBT001
    spec = SPECS[mode](_body)
    days = spec.partitions is not None
    with _properties(shop, VECTORS if vectors else {}):
        _land(shop, spec, DAY, "1,a", "2,")
        _land(shop, spec, NEXT, *(f"{n},{'' if n % 2 else 'x'}" for n in range(3, 10)))
        first = _ran(shop, spec, DAY)
        # Delta counts no nulls of the partition column
        counted = {c.name for c in spec.model.columns} - ({"day"} if mode == "partition" else set())
        assert set(_told_nulls(shop, first)) == counted
        if days:
            _ran(shop, spec, NEXT)
    path = shop.runtime.lake.table(spec.name).path
    if vectors and mode != "partition":
        shop.spark.sql(f"ALTER TABLE delta.`{path}` CLUSTER BY (id)")
    shop.spark.sql(f"OPTIMIZE delta.`{path}`")
    # a row changed, one as it was, and a new one; under Append all are new
    _land(shop, spec, DAY, "1,", "2,", "20,", again=True)
    assert _ran(shop, spec, DAY).committed
    # nothing: a day without a row, or a file without one
    _land(shop, spec, DAY, again=True)
    last = _ran(shop, spec, DAY)
    assert _told(shop.run(spec, DAY if days else None)) == _told(last)


def _land(shop: Shop, spec: Dataset, day: Slice, *rows: str, again: bool = False) -> None:
    """A file of the day in place of the day's, or a new one; alone where all is overwritten."""
    if again and isinstance(spec.write, Overwrite):
        for file in (shop.path / "landing" / "orders").iterdir():
            file.unlink()
    name = day.key if spec.partitions or not again else f"{len(rows)}-rows"
    price = "1.5," if spec.model.column("price") else ""
    header = "id,item,price,day" if price else "id,item,at"
    shop.land(f"e-{name}.csv", *(f"{row},{price}{day.key}" for row in rows), header=header)


def _ran(shop: Shop, spec: Dataset, day: Slice) -> Outcome:
    """A run, all that is told of it being true."""
    before = _rows(shop, spec)
    outcome = shop.run(spec, day if spec.partitions else None)
    after = _rows(shop, spec)
    windows = windows_of(spec.partitions)
    moment = windows.column if windows else ""
    match spec.write:
        case Overwrite():
            written = after
        case ReplaceSlice():
            written = Counter(
                {row: n for row, n in after.items() if str(dict(row)[moment])[:10] == day.key}
            )
        case _:
            written = after - before
    assert outcome.table_rows == after.total()
    assert outcome.rows_changed == written.total()
    if not isinstance(spec.write, Merge | Scd2):
        assert outcome.rows_in == written.total()
    for name, nulls in _told_nulls(shop, outcome).items():
        assert nulls == sum(n for row, n in written.items() if dict(row)[name] is None), name
    new = _files(shop, spec, outcome.version) - _files(shop, spec, outcome.version - 1)
    assert (outcome.files, outcome.bytes) == (len(new), sum(size for _, size in new))
    told = _facets(shop, outcome)["outputFacets"]["outputStatistics"]
    assert (told["rowCount"], told["fileCount"], told["size"]) == _told(outcome)[1:4]
    return outcome


def _told(outcome: Outcome) -> tuple[int | None, ...]:
    counts = (outcome.rows_changed, outcome.files, outcome.bytes, outcome.table_rows)
    return (outcome.rows_in, *counts)


def _facets(shop: Shop, outcome: Outcome) -> dict[str, Any]:
    (event,) = shop.runtime.ledger.events(run_id=outcome.run_id, event_type="COMPLETE")
    found: dict[str, Any] = event.payload["outputs"][0]
    return found


def _told_nulls(shop: Shop, outcome: Outcome) -> dict[str, int]:
    metrics = _facets(shop, outcome)["facets"]["dataQualityMetrics"]["columnMetrics"]
    return {name: metric["nullCount"] for name, metric in metrics.items()}


def _rows(shop: Shop, spec: Dataset) -> Counter[tuple[tuple[str, Any], ...]]:
    if shop.version(spec) is None:
        return Counter()
    return Counter(tuple(row.asDict().items()) for row in shop.table(spec).collect())


def _files(shop: Shop, spec: Dataset, version: int) -> set[tuple[str, int]]:
    """The names and sizes of the files that a version of the table is made of."""
    if version < 0:
        return set()
    frame = shop.spark.read.format("delta").option("versionAsOf", version)
    paths = frame.load(shop.runtime.lake.table(spec.name).path).inputFiles()
    found = [Path(path.removeprefix("file:")) for path in paths]
    return {(file.name, file.stat().st_size) for file in found}


@contextmanager
def _properties(shop: Shop, properties: dict[str, str]) -> Iterator[None]:
    """What a table that is made meanwhile has."""
    try:
        for name, value in properties.items():
            shop.spark.conf.set(DEFAULTS + name, value)
        yield
    finally:
        for name in properties:
            shop.spark.conf.unset(DEFAULTS + name)
