"""Columns that senders call otherwise or leave out, and those that say where a row came from."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from penstock import (
    Append,
    Contract,
    Csv,
    Daily,
    JsonLines,
    Parquet,
    ReplaceSlice,
    Slice,
    column,
    dataset,
    landing,
)
from penstock.errors import DefinitionError, InputError
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.landing.formats import Format
    from tests.assets.shop import Shop

    Writer = Callable[[list[dict[str, Any]]], bytes]

pytestmark = pytest.mark.slow(seconds=30)


class Booking(Contract, owner="team:shop", version="1.0.0", name="bronze.booked"):
    """One booking."""

    booking_id: int = column()
    fare: float = column(nullable=True)


class Traced(Contract, owner="team:shop", version="1.0.0", name="bronze.traced"):
    """One booking, and where it came from."""

    source: str = column()
    booking_id: int = column()
    day: date = column()
    received: datetime = column()


def _csv(rows: list[dict[str, Any]]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    return "\n".join(lines).encode()


def _json(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    held = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(rows), held)
    return held.getvalue()


FORMATS: dict[str, tuple[Format, Writer]] = {
    "CSV": (Csv(), _csv),
    "JSON": (JsonLines(), _json),
    "Parquet": (Parquet(), _parquet),
}
EACH = pytest.mark.parametrize(("written", "write"), FORMATS.values(), ids=FORMATS.keys())


@EACH
def test_columns_have_the_contracts_names_in_quarantine_too(
    spark: SparkSession, tmp_path: Path, written: Format, write: Writer
) -> None:
    landed = landing("*", format=written, names={"Buchung Nr": "booking_id"})
    rows = [{"fare": "1.5", "Buchung Nr": "7"}, {"fare": "x", "Buchung Nr": "8"}]
    read = arrive(spark, tmp_path, Booking, landed, f=write(rows))
    assert read.rows == [(7, 1.5)]
    (rejected,) = read.rejected
    sent = rejected[1]
    assert rejected[0] == ("fare:type",)
    # a line is kept as it came
    assert sent in ({"fare": "x", "booking_id": "8"}, {"line": json.dumps(rows[1])})


@EACH
def test_a_file_may_lack_what_is_optional(
    spark: SparkSession, tmp_path: Path, written: Format, write: Writer
) -> None:
    landed = landing("*", format=written, optional=["fare"])
    files = {"f": write([{"booking_id": 1}]), "g": write([{"fare": 2.5, "booking_id": 2}])}
    assert arrive(spark, tmp_path, Booking, landed, **files).rows == [(1, None), (2, 2.5)]


@pytest.mark.parametrize("name", ["CSV", "Parquet"])
def test_a_column_under_both_names_is_refused(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    written, write = FORMATS[name]
    landed = landing("*", format=written, names={"nr": "booking_id"})
    content = write([{"nr": 1, "booking_id": 2, "fare": 1.0}])
    with pytest.raises(InputError) as caught:
        arrive(spark, tmp_path, Booking, landed, f=content)
    assert caught.value.found == "nr and booking_id"


@EACH
def test_rows_say_which_file_they_came_with(shop: Shop, written: Format, write: Writer) -> None:
    pattern = "orders/o-{day}-*"
    came = landing(
        pattern,
        format=written,
        file_columns={"source": "name", "day": "day", "received": "modified"},
    )

    @dataset(
        Traced,
        inputs={"raw": came},
        partitions=Daily(column="day", start=date(2013, 1, 1)),
        write=ReplaceSlice(),
    )
    def traced(raw: DataFrame) -> DataFrame:
        return raw

    place = shop.path / "landing" / "orders"
    place.mkdir()
    for name, number in (("o-2013-01-05-a", 1), ("o-2013-01-05-b", 2)):
        (place / name).write_bytes(write([{"booking_id": number}]))
    shop.run(traced, Slice.day(date(2013, 1, 5)))
    rows = sorted(shop.table(traced).collect(), key=lambda row: row.booking_id)
    assert [(row.source, row.booking_id, row.day) for row in rows] == [
        ("orders/o-2013-01-05-a", 1, date(2013, 1, 5)),
        ("orders/o-2013-01-05-b", 2, date(2013, 1, 5)),
    ]
    for row in rows:
        stamp = (shop.path / "landing" / row.source).stat().st_mtime
        # Spark knows it to milliseconds
        assert abs(row.received.replace(tzinfo=UTC).timestamp() - stamp) < 0.002


@pytest.mark.parametrize(
    "said",
    [
        {"names": {"a": "no_such"}},
        {"names": {"a": "fare", "b": "fare"}},
        {"optional": ["booking_id"]},
        {"optional": ["no_such"]},
        {"file_columns": {"no_such": "name"}},
        {"file_columns": {"fare": "name"}},
        {"file_columns": {"fare": "size"}},
        {"derived": ["fare"], "names": {"a": "fare"}},
    ],
    ids=str,
)
def test_what_is_said_of_no_column_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):

        @dataset(Booking, inputs={"raw": landing("*.csv", **said)}, write=Append())
        def booked(raw: DataFrame) -> DataFrame:
            return raw
