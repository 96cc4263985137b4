"""Each format through whole runs: taken once, bad records aside, and nothing lost on the way."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pytest

from penstock import (
    Append,
    Avro,
    Csv,
    Dataset,
    JsonLines,
    Merge,
    Orc,
    Parquet,
    Quarantine,
    dataset,
    landing,
)
from tests.assets.shop import Logged, Merged, Shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from penstock.assets.landing.formats import Format

pytestmark = pytest.mark.slow(seconds=60)

DAY = date(2013, 1, 5)
COLUMNS = ("id", "item", "price", "day")
Row = tuple[Any, ...]


def _csv(rows: list[Row]) -> bytes:
    lines = ["id;item;price;day"]
    lines += [f"{n};{item};{str(price).replace('.', ',')};{day}" for n, item, price, day in rows]
    return "\r\n".join(lines).encode("cp1252")


def _json(rows: list[Row]) -> bytes:
    objects = (dict(zip(COLUMNS, row, strict=True)) for row in rows)
    return "\n".join(json.dumps(sent, default=str) for sent in objects).encode()


def _table(rows: list[Row]) -> pa.Table:
    ids, items, prices, days = zip(*rows, strict=True)
    numbers = pa.array([float(price) for price in prices])
    return pa.table({"day": pa.array(days), "price": numbers, "id": ids, "item": items})


def _parquet(rows: list[Row]) -> bytes:
    held = io.BytesIO()
    pa.parquet.write_table(_table(rows), held)
    return held.getvalue()


def _orc(rows: list[Row]) -> bytes:
    held = io.BytesIO()
    pa.orc.write_table(_table(rows), held)
    return held.getvalue()


def _avro(rows: list[Row]) -> bytes:
    kinds = {"id": "long", "item": "string", "price": "double"}
    fields: list[dict[str, Any]] = [{"name": n, "type": kind} for n, kind in kinds.items()]
    fields.append({"name": "day", "type": {"type": "int", "logicalType": "date"}})
    sent = [dict(zip(COLUMNS, row, strict=True)) | {"price": float(row[2])} for row in rows]
    held = io.BytesIO()
    # the mark between blocks is drawn by chance, and the same rows are to be the same bytes
    schema = {"type": "record", "name": "sale", "fields": fields}
    fastavro.writer(held, schema, sent, sync_marker=b"0123456789abcdef")
    return held.getvalue()


FORMATS = {
    "CSV": (Csv(delimiter=";", decimal=",", encoding="cp1252"), _csv),
    "JSON lines": (JsonLines(), _json),
    "Parquet": (Parquet(), _parquet),
    "ORC": (Orc(), _orc),
    "Avro": (Avro(), _avro),
}
EACH = pytest.mark.parametrize(("written", "write"), FORMATS.values(), ids=FORMATS.keys())


def _dataset(written: Format, *, merge: bool = False) -> Dataset:
    files = landing("orders/orders-*", format=written)

    @dataset(
        Merged if merge else Logged,
        inputs={"raw": files},
        write=Merge() if merge else Append(),
        bad_rows=Quarantine(),
    )
    def arrived(raw: DataFrame) -> DataFrame:
        return raw

    return arrived


def _land(shop: Shop, name: str, content: bytes) -> None:
    file = shop.path / "landing" / "orders" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)


GOOD = [(1, "a", Decimal("1.10"), DAY), (2, "é", Decimal("2.00"), DAY)]
# a price with a third decimal is none, one below zero breaks the contract
BAD = [(3, "c", Decimal("3.005"), DAY), (4, "d", Decimal("-1.00"), DAY)]


@EACH
def test_a_file_is_taken_once_and_its_bad_records_are_set_aside(
    shop: Shop, written: Format, write: Callable[[list[Row]], bytes]
) -> None:
    spec = _dataset(written)
    _land(shop, "orders-1", write([*GOOD, *BAD]))
    first = shop.run(spec)
    assert (first.rows_changed, first.rows_quarantined) == (2, 2)
    assert shop.reasons(spec) == ["price:ge", "price:type"]
    assert {row.file for row in shop.quarantine(spec).collect()} == {"orders/orders-1"}
    _land(shop, "orders-2", write([*GOOD, *BAD]))  # the same bytes under another name
    assert not shop.run(spec).committed
    _land(shop, "orders-3", write([(5, "e", Decimal("5.00"), DAY)]))
    assert shop.run(spec).rows_changed == 1
    assert not shop.run(spec).committed
    rows = sorted(tuple(row) for row in shop.table(spec).select(*COLUMNS).collect())
    assert rows == [*GOOD, (5, "e", Decimal("5.00"), DAY)]


@EACH
def test_the_newest_file_counts_where_several_hold_a_key(
    shop: Shop, written: Format, write: Callable[[list[Row]], bytes]
) -> None:
    spec = _dataset(written, merge=True)
    _land(shop, "orders-1", write(GOOD))
    _land(shop, "orders-2", write([(1, "z", Decimal("9.00"), DAY)]))
    shop.run(spec)
    rows = sorted(tuple(row) for row in shop.table(spec).select(*COLUMNS).collect())
    assert rows == [(1, "z", Decimal("9.00"), DAY), GOOD[1]]


@EACH
def test_a_run_that_ends_at_any_step_is_made_up_for_by_the_next(
    shop: Shop, written: Format, write: Callable[[list[Row]], bytes]
) -> None:
    spec = _dataset(written)
    _land(shop, "orders-1", write([*GOOD, *BAD]))
    for last in ("resolved", "analyzed", "quarantined", "committing", "committed"):

        def end(step: str, last: str = last) -> None:
            if step == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            shop.run(spec, on_step=end)
    assert not shop.run(spec).committed  # the last of them had committed
    rows = sorted(tuple(row) for row in shop.table(spec).select(*COLUMNS).collect())
    assert rows == GOOD
    assert shop.reasons(spec) == ["price:ge", "price:type"]
