"""Avro by fastavro: each value is as it was sent, or its row is set aside; damage is seen."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import fastavro
import pyspark.sql.types as T
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import Avro, Contract, Csv, column, landing
from penstock import Decimal as Digits
from penstock.assets.landing import avro_look
from penstock.assets.landing.avro_look import AvroLooker
from penstock.errors import InputError
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

AVRO = landing("*", format=Avro())


class Sale(Contract, owner="team:shop", version="1.0.0", name="bronze.sold"):
    """One sale."""

    id: int = column()
    kind: str = column(nullable=True)
    price: Digits(10, 2) = column(nullable=True)
    day: date = column(nullable=True)
    at: datetime = column(nullable=True)
    local: datetime = column(nullable=True)
    parts: T.ArrayType(T.StructType([T.StructField("sku", T.StringType())])) = column(nullable=True)


def _field(name: str, kind: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", kind], "default": None}


PART = {"type": "record", "name": "part", "fields": [{"name": "sku", "type": "string"}]}
SOLD: dict[str, Any] = {
    "type": "record",
    "name": "sale",
    "fields": [
        # in another order than the contract
        _field("at", {"type": "long", "logicalType": "timestamp-micros"}),
        {"name": "id", "type": "int"},
        _field("kind", {"type": "enum", "name": "kinds", "symbols": ["NEW", "OLD"]}),
        _field("price", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3}),
        _field("day", {"type": "int", "logicalType": "date"}),
        _field("local", {"type": "long", "logicalType": "local-timestamp-millis"}),
        _field("parts", {"type": "array", "items": PART}),
    ],
}
AT = datetime(2024, 2, 29, 9, 15, 0, 123456, tzinfo=UTC)
LOCAL = datetime(2024, 2, 29, 9, 15)  # noqa: DTZ001 - says no zone


def _avro(
    rows: list[dict[str, Any]], schema: Any = SOLD, *, codec: str = "null", block: int = 16000
) -> bytes:
    held = io.BytesIO()
    fastavro.writer(held, schema, rows, codec=codec, sync_interval=block)
    return held.getvalue()


def _row(**said: Any) -> dict[str, Any]:
    return {"id": 1} | said


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_columns_are_found_by_name_and_values_are_those_that_were_sent(
    spark: SparkSession, tmp_path: Path, codec: str
) -> None:
    rows = [
        _row(
            kind="NEW",
            price=Decimal("1.100"),
            day=date(1500, 1, 1),
            at=AT,
            local=LOCAL,
            parts=[{"sku": "a"}],
        ),
        {"id": 2},
    ]
    read = arrive(spark, tmp_path, Sale, AVRO, f=_avro(rows, codec=codec))
    at = AT.replace(tzinfo=None)
    parts = [(("a"),)]
    (first, second), rejected = read.rows, read.rejected
    assert first[:6] == (1, "NEW", Decimal("1.10"), date(1500, 1, 1), at, LOCAL)
    assert [tuple(part) for part in first[6]] == [tuple(part) for part in parts]
    assert (second, rejected) == ((2, None, None, None, None, None, None), [])


def test_a_value_that_the_type_does_not_hold_is_set_aside(
    spark: SparkSession, tmp_path: Path
) -> None:
    sent = _avro([_row(price=Decimal("1.125"), kind="OLD"), _row(id=2)])
    read = arrive(spark, tmp_path, Sale, AVRO, f=sent)
    assert [row[0] for row in read.rows] == [2]
    assert read.reasons == [("price:type",)]
    assert read.rejected[0][1]["price"] == 1.125


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "day", "type": "string"}, None),
        ({"name": "day", "type": "boolean"}, r"day date[\s\S]*found: day boolean"),
        ({"name": "colour", "type": "string"}, r"extra colour"),
        ({"name": "Day", "type": "string"}, r"day is written Day"),
    ],
)
def test_columns_are_held_against_the_contract(
    spark: SparkSession, tmp_path: Path, change: dict[str, Any], told: str | None
) -> None:
    same = change["name"].lower()
    fields = [f for f in SOLD["fields"] if f["name"] != same] + [change]
    value = True if change["type"] == "boolean" else "2024-02-29"
    sent = _avro([_row(**{change["name"]: value})], {**SOLD, "fields": fields})
    if told is None:
        read = arrive(spark, tmp_path, Sale, AVRO, f=sent)
        assert read.rows[0][3] == date(2024, 2, 29)
        return
    with pytest.raises(InputError, match=told):
        arrive(spark, tmp_path, Sale, AVRO, f=sent)


def test_files_of_two_schemas_are_read_together(spark: SparkSession, tmp_path: Path) -> None:
    fields = [{"name": "id", "type": "long"}, *SOLD["fields"][2:], SOLD["fields"][0]]
    later = _avro([_row(id=2**40, kind="OLD")], {**SOLD, "fields": fields})
    read = arrive(spark, tmp_path, Sale, AVRO, a=_avro([_row(kind="NEW")]), b=later)
    assert [row[:2] for row in read.rows] == [(1, "NEW"), (2**40, "OLD")]


def test_what_is_no_whole_avro_file_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    whole = _avro([_row(id=n) for n in range(100)], block=64)
    looked = _look(whole)
    assert looked.schema
    cuts = {*range(0, len(whole), 7), len(whole) - 1} - {0}
    ends = [end for end in sorted(cuts) if _is_whole(whole[:end])]
    # cut between two blocks it is a file of fewer records, of which nobody can see that it is
    assert all(whole[end - 16 : end] == whole[-16:] for end in ends)
    mark = whole.index(whole[-16:], len(whole) // 2)
    torn = whole[:mark] + b"x" + whole[mark + 1 :]
    with pytest.raises(InputError, match=r"damaged or ends too early[\s\S]*ends otherwise"):
        _look(torn)
    with pytest.raises(InputError, match="the file is empty"):
        _look(b"")
    with pytest.raises(InputError, match="the file is not Avro"):
        _look(b"Obj\x02" + whole[4:])
    held = io.BytesIO()
    fastavro.writer(held, "string", ["a"])
    with pytest.raises(InputError, match="no records"):
        _look(held.getvalue())
    with pytest.raises(InputError, match=r"is Avro, not CSV[\s\S]*format=Avro"):
        arrive(spark, tmp_path, Sale, landing("*", format=Csv()), f=whole)


def test_blocks_without_a_record_lose_none(spark: SparkSession, tmp_path: Path) -> None:
    header, block = _blocks(_avro([_row(id=1)]))
    mark = block[-16:]
    empty = b"\x00\x00" + mark
    read = arrive(spark, tmp_path, Sale, AVRO, f=header + block + empty + block + empty)
    assert [row[0] for row in read.rows] == [1, 1]
    # Spark reads nothing of what is behind two of them
    with pytest.raises(InputError, match="two blocks without a record follow each other"):
        arrive(spark, tmp_path, Sale, AVRO, f=header + empty + empty + block)


def _blocks(content: bytes) -> tuple[bytes, bytes]:
    """The header and the one block of a file."""
    mark = content[-16:]
    end = content.index(mark) + 16
    return content[:end], content[end:]


def test_a_record_that_holds_itself_is_refused() -> None:
    node: dict[str, Any] = {
        "type": "record",
        "name": "node",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "more", "type": ["null", {"type": "array", "items": "node"}]},
        ],
    }
    with pytest.raises(InputError, match=r"holds itself[\s\S]*node"):
        _look(_avro([{"id": 1}], node))
    twice = {**SOLD, "fields": [*SOLD["fields"], {"name": "again", "type": "part"}]}
    assert _look(_avro([_row(again={"sku": "a"})], twice))


def _look(content: bytes, step: int = 1 << 20) -> Any:
    looker = AvroLooker("f")
    for begin in range(0, len(content), step):
        looker.feed(content[begin : begin + step])
    return looker.look()


def _is_whole(content: bytes) -> bool:
    try:
        _look(content)
    except InputError:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 30))
def test_it_is_looked_at_the_same_in_whatever_pieces_it_comes(
    step: int, block: int, rows: int
) -> None:
    content = _avro([_row(id=n, kind="NEW") for n in range(rows)], block=block)
    assert _look(content, step) == _look(content)


def test_a_header_without_an_end_is_not_held_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avro_look, "_LONGEST_HEADER", 100)
    endless = b"Obj\x01\x02\xfe\xff\xff\x0f" + b"a" * 1000
    with pytest.raises(InputError, match="a header without an end"):
        _look(endless, 10)
