"""Parquet and ORC by pyarrow: each value is the one that was sent, or its row is set aside."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pyspark.sql.types as T
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import Contract, Orc, Parquet, column, landing
from penstock import Decimal as Digits
from penstock.assets.landing import columnar_look
from penstock.errors import InputError
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow(seconds=40)


class Sale(Contract, owner="team:shop", version="1.0.0", name="bronze.sold"):
    """One sale."""

    id: int = column()
    name: str = column(nullable=True)
    price: Digits(10, 2) = column(nullable=True)
    share: float = column(nullable=True)
    paid: bool = column(nullable=True)
    day: date = column(nullable=True)
    at: datetime = column(nullable=True)


class Small(Contract, owner="team:shop", version="1.0.0", name="bronze.small"):
    """Small numbers."""

    id: T.IntegerType = column(nullable=True)
    part: T.FloatType = column(nullable=True)


class Nested(Contract, owner="team:shop", version="1.0.0", name="bronze.boxes"):
    """One order with its parts."""

    id: int = column()
    parts: T.ArrayType(
        T.StructType(
            [T.StructField("sku", T.StringType()), T.StructField("count", T.IntegerType())]
        )
    ) = column(nullable=True)


def _parquet(table: pa.Table) -> bytes:
    held = io.BytesIO()
    pa.parquet.write_table(table, held)
    return held.getvalue()


def _orc(table: pa.Table) -> bytes:
    held = io.BytesIO()
    pa.orc.write_table(table, held)
    return held.getvalue()


PARQUET = landing("*", format=Parquet())
WRITERS = [(Parquet(), _parquet), (Orc(), _orc)]
BOTH = pytest.mark.parametrize(("written", "write"), WRITERS, ids=["Parquet", "ORC"])

AT = datetime(2024, 2, 29, 9, 15, 0, 123456, tzinfo=UTC)
SOLD = {
    "at": pa.array([AT, None], pa.timestamp("us", tz="UTC")),
    "id": pa.array([1, 2]),
    "name": pa.array(["a", None]),
    "price": pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
    "share": pa.array([0.1, None]),
    "paid": pa.array([True, None]),
    "day": pa.array([date(2024, 2, 29), None]),
}
ROWS = [
    (
        1,
        "a",
        Decimal("1.10"),
        0.1,
        True,
        date(2024, 2, 29),
        AT.replace(tzinfo=None),
    ),
    (2, None, None, None, None, None, None),
]


@BOTH
def test_columns_are_found_by_name(
    spark: SparkSession, tmp_path: Path, written: Any, write: Callable[[pa.Table], bytes]
) -> None:
    read = arrive(spark, tmp_path, Sale, landing("*", format=written), f=write(pa.table(SOLD)))
    assert (read.rows, read.rejected) == (ROWS, [])


@BOTH
def test_days_before_the_gregorian_calendar_are_what_they_were_or_set_aside(
    spark: SparkSession, tmp_path: Path, written: Any, write: Callable[[pa.Table], bytes]
) -> None:
    days = [date(1200, 2, 29), date(1582, 10, 4), date(1582, 10, 15)]
    table = {key: pa.array([None] * 3, sent.type) for key, sent in SOLD.items()}
    content = write(pa.table({**table, "id": pa.array([1, 2, 3]), "day": pa.array(days)}))
    read = arrive(spark, tmp_path, Sale, landing("*", format=written), f=content)
    if isinstance(written, Parquet):
        assert ([row[5] for row in read.rows], read.rejected) == (days, [])
    else:  # pyarrow does not say by which calendar it counts, and Spark takes it for the old one
        assert [row[5] for row in read.rows] == days[2:]
        assert read.reasons == [("day:type",)] * 2


@BOTH
def test_files_of_different_types_are_read_together(
    spark: SparkSession, tmp_path: Path, written: Any, write: Callable[[pa.Table], bytes]
) -> None:
    other = {
        **SOLD,
        "id": pa.array([1, 2], pa.int16()),
        "price": pa.array([1.1, None]),
        "share": pa.array([0.1, None]),
        "at": SOLD["at"].cast(pa.timestamp("us")),
        "day": pa.array(["2024-02-29", None]),
        "paid": pa.array([True, None]),
    }
    files = {"f": write(pa.table(SOLD)), "g": write(pa.table(other))}
    read = arrive(spark, tmp_path, Sale, landing("*", format=written), **files)
    assert (read.rows, read.rejected) == (sorted([*ROWS, *ROWS], key=repr), [])


@pytest.mark.parametrize(
    ("name", "values", "good"),
    [
        ("id", pa.array([1.0, 1.5, 9.3e18, float("nan")]), [1]),
        ("id", pa.array([Decimal("1.00"), Decimal("1.01")]), [1]),
        ("id", pa.array(["1", "1.0", "", " 7"]), [1, 7]),
        ("price", pa.array([1.1, 1.005, 1e9]), ["1.10"]),
        ("price", pa.array([5, 100_000_000]), ["5.00"]),
        ("price", pa.array([Decimal("1.5000"), Decimal("1.5001")]), ["1.50"]),
        ("share", pa.array([2**53, 2**53 + 1, 2**63 - 1]), [float(2**53)]),
        ("day", pa.array([1704067200, 1704067201], pa.timestamp("s")), [date(2024, 1, 1)]),
    ],
    ids=[
        "floats for int",
        "decimals for int",
        "text for int",
        "floats for Decimal",
        "ints for Decimal",
        "more decimals",
        "ints for float",
        "datetimes for date",
    ],
)
def test_a_value_that_the_contract_cannot_hold_exactly_is_set_aside(
    spark: SparkSession,
    tmp_path: Path,
    name: str,
    values: pa.Array,
    good: list[Any],
) -> None:
    columns = {key: pa.array([None] * len(values), sent.type) for key, sent in SOLD.items()}
    columns["id"] = pa.array([*range(len(values))])
    content = _parquet(pa.table({**columns, name: values}))
    read = arrive(spark, tmp_path, Sale, PARQUET, f=content)
    place = Sale.to_schema().columns.keys()
    found = [row[list(place).index(name)] for row in read.rows]
    assert found == [Decimal(value) if isinstance(value, str) else value for value in good]
    assert read.reasons == [(f"{name}:type",)] * (len(values) - len(good))


@BOTH
def test_a_record_that_is_set_aside_keeps_its_times_to_the_microsecond(
    spark: SparkSession, tmp_path: Path, written: Parquet | Orc, write: Callable[[pa.Table], bytes]
) -> None:
    content = write(pa.table({**SOLD, "id": pa.array([1, 2]), "paid": pa.array(["oops", None])}))
    read = arrive(spark, tmp_path, Sale, landing("*", format=written), f=content)
    assert read.reasons == [("paid:type",)]
    assert read.rejected[0][1]["at"] == "2024-02-29T09:15:00.123456Z"


@settings(max_examples=6)
@given(
    whole=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30),
    real=st.lists(st.floats(), min_size=1, max_size=30),
)
def test_no_number_changes(
    spark: SparkSession,
    tmp_path_factory: pytest.TempPathFactory,
    whole: list[int],
    real: list[float],
) -> None:
    length = max(len(whole), len(real))
    columns = {
        "id": pa.array([*whole, *[None] * (length - len(whole))], pa.int64()),
        "part": pa.array([*real, *[None] * (length - len(real))], pa.float64()),
    }
    sent = [*zip(columns["id"].to_pylist(), columns["part"].to_pylist(), strict=True)]
    read = arrive(
        spark,
        tmp_path_factory.mktemp("law"),
        Small,
        PARQUET,
        f=_parquet(pa.table(columns)),
    )

    def holds(row: tuple[int | None, float | None]) -> bool:
        number, part = row
        small = pa.array([part], pa.float64()).cast(pa.float32()).cast(pa.float64())[0].as_py()
        same = part is None or small == part or (small != small and part != part)  # noqa: PLR0124
        return (number is None or -(2**31) <= number < 2**31) and same

    assert sorted(map(repr, read.rows)) == sorted(repr(row) for row in sent if holds(row))
    assert len(read.rows) + len(read.rejected) == len(sent)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"name": pa.array([1, 2])}, "name bigint"),
        ({"paid": pa.array([1, 0])}, "paid bigint"),
        ({"day": pa.array([1, 2])}, "day bigint"),
        ({"price": pa.array([True, False])}, "price boolean"),
        ({"at": SOLD["day"]}, "at date"),
        ({"name": pa.array([b"a", b"b"])}, "name binary"),
        ({"name": None}, "missing name"),
        ({"at": pa.array([1, 2], pa.duration("us"))}, "at bigint"),
        ({"NAME": pa.array([1, 2])}, "COLUMN_ALREADY_EXISTS"),
        ({"more": pa.array([1, 2])}, "extra more"),
    ],
    ids=[
        "name bigint",
        "paid bigint",
        "day bigint",
        "price boolean",
        "at date",
        "name binary",
        "missing name",
        "at bigint",
        "COLUMN_ALREADY_EXISTS",
        "extra more",
    ],
)
def test_columns_that_cannot_be_the_contracts_are_refused(
    spark: SparkSession,
    tmp_path: Path,
    change: dict[str, pa.Array | None],
    found: str,
) -> None:
    columns = {key: sent for key, sent in {**SOLD, **change}.items() if sent is not None}
    with pytest.raises(InputError) as caught:
        arrive(spark, tmp_path, Sale, PARQUET, f=_parquet(pa.table(columns)))
    assert caught.value.found == found


@BOTH
def test_nested_fields_are_found_by_name_too(
    spark: SparkSession, tmp_path: Path, written: Any, write: Callable[[pa.Table], bytes]
) -> None:
    kind = pa.list_(pa.struct([("count", pa.int64()), ("sku", pa.string())]))
    parts = [[{"count": 1, "sku": "a"}, None], [{"count": 2**40, "sku": "b"}], None, []]
    table = pa.table({"id": pa.array([1, 2, 3, 4]), "parts": pa.array(parts, kind)})
    read = arrive(spark, tmp_path, Nested, landing("*", format=written), f=write(table))
    assert read.rows == [(1, [("a", 1), None]), (3, None), (4, [])]
    assert read.reasons == [("parts:type",)]
    extra = pa.list_(pa.struct([("count", pa.int64()), ("sku", pa.string()), ("x", pa.int8())]))
    table = pa.table({"id": pa.array([1]), "parts": pa.array([[]], extra)})
    with pytest.raises(InputError) as caught:
        arrive(spark, tmp_path, Nested, landing("*", format=written), f=write(table))
    assert caught.value.found == "parts.element.x tinyint"


def test_what_pandas_writes_is_read(spark: SparkSession, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "name": ["a", None, None],
            "price": [Decimal("1.10"), None, None],
            "share": [0.1, None, None],
            "paid": [True, None, None],
            "day": pd.to_datetime(["2024-02-29", None, None]),
            "at": pd.to_datetime(
                ["2024-02-29 09:15:00.123456", None, "1969-01-01 00:00:00.000001"]
            ),
        }
    )
    held = io.BytesIO()
    frame.to_parquet(held)  # its times are in nanoseconds
    read = arrive(spark, tmp_path, Sale, PARQUET, f=held.getvalue())
    early = datetime(1969, 1, 1, 0, 0, 0, 1, tzinfo=UTC).replace(tzinfo=None)
    assert read.rows == [*ROWS, (3, None, None, None, None, None, early)]
    assert read.rejected == []
    frame["at"] += pd.Timedelta(1, "ns")
    held = io.BytesIO()
    frame.to_parquet(held)
    read = arrive(spark, tmp_path, Sale, PARQUET, f=held.getvalue())
    assert ([row[0] for row in read.rows], read.reasons) == ([2], [("at:type",)] * 2)


def test_times_in_nanoseconds_have_another_name_in_the_contract_too(
    spark: SparkSession, tmp_path: Path
) -> None:
    columns = {**SOLD, "wann": pa.array([AT, None], pa.timestamp("ns", tz="UTC"))}
    landed = landing("*", format=Parquet(), names={"wann": "at"})
    del columns["at"]
    read = arrive(spark, tmp_path, Sale, landed, f=_parquet(pa.table(columns)))
    assert (read.rows, read.rejected) == (ROWS, [])


def test_a_footer_is_found_behind_more_than_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    content = _parquet(pa.table({"id": pa.array(range(500_000))}))
    monkeypatch.setattr(columnar_look, "_LONGEST_FOOTER", 100_000)
    looker = columnar_look.ColumnarLooker("f", Parquet())
    for start in range(0, len(content), 30_000):
        looker.feed(content[start : start + 30_000])
    assert "id: int64" in looker.look().schema
    assert looker._kept < 150_000 < len(content)


def test_a_column_that_holds_nothing_is_null_whatever_its_type(
    spark: SparkSession, tmp_path: Path
) -> None:
    frame = pd.DataFrame({key: [None, None] for key in SOLD} | {"id": [1, 2]})
    held = io.BytesIO()
    frame.to_parquet(held)  # without a value pandas knows no type, and Spark takes it for int
    read = arrive(spark, tmp_path, Sale, PARQUET, f=held.getvalue())
    assert read.rows == [(1, *[None] * 6), (2, *[None] * 6)]
    parts = pa.array([[None]], pa.list_(pa.null()))
    content = _parquet(pa.table({"id": pa.array([1]), "parts": parts}))
    assert arrive(spark, tmp_path, Nested, PARQUET, f=content).rows == [(1, [None])]


@BOTH
def test_a_damaged_file_is_refused(
    spark: SparkSession, tmp_path: Path, written: Any, write: Callable[[pa.Table], bytes]
) -> None:
    content = write(pa.table(SOLD))
    landed = landing("*", format=written)
    for damaged in (content[:-7], content[: len(content) // 2], content[:4]):
        with pytest.raises(InputError, match="is damaged or ends too early"):
            arrive(spark, tmp_path, Sale, landed, f=damaged)
    with pytest.raises(InputError, match="the file is empty"):
        arrive(spark, tmp_path, Sale, landed, f=b"")
    with pytest.raises(InputError, match="the file is not"):
        arrive(spark, tmp_path, Sale, landed, f=b"id,name\n1,a\n")
