"""JSON documents by Python's json: each record as it was sent, or set aside; or no file at all."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyspark.sql.types as T
import pytest

from penstock import Contract, Csv, JsonDocument, JsonLines, column, landing
from penstock import Decimal as Digits
from penstock.assets.landing import document_look
from penstock.errors import DefinitionError, InputError
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow


class Sale(Contract, owner="team:shop", version="1.0.0", name="bronze.sold"):
    """One sale."""

    id: int = column()
    name: str = column(nullable=True)
    price: Digits(38, 20) = column(nullable=True)
    box: T.StructType([T.StructField("part", T.StringType())]) = column(nullable=True)


LIST = landing("*", format=JsonDocument())
WITHIN = landing("*", format=JsonDocument(records="data.all items"))
GOOD = {"id": 1, "name": "é", "price": 1.10, "box": {"part": "a"}}


def test_records_are_those_of_the_list_wherever_it_is(spark: SparkSession, tmp_path: Path) -> None:
    exact = '[{"id": 2, "price": 123456789012345678.12345678901234567890}, {"id": 3}]'
    packed = gzip.compress(json.dumps([GOOD], indent=2, ensure_ascii=False).encode())
    read = arrive(spark, tmp_path, Sale, LIST, a=f"\ufeff{exact}", b__gz=packed, c="[]")
    (first, second, third), rejected = read.rows, read.rejected
    assert first[:3] == (1, "é", Decimal("1.10000000000000000000"))
    assert first[3].part == "a"
    assert second[:3] == (2, None, Decimal("123456789012345678.12345678901234567890"))
    assert (third, rejected) == ((3, None, None, None), [])
    within = json.dumps({"next": None, "data": {"all items": [GOOD, {"id": 2}], "more": []}})
    read = arrive(spark, tmp_path, Sale, WITHIN, d=within)
    assert [row[0] for row in read.rows] == [1, 2]


def test_a_record_that_breaks_the_contract_is_set_aside_and_no_other(
    spark: SparkSession, tmp_path: Path
) -> None:
    sent = '[{"id": "x"}, {"id": 2, "colour": "red"}, {"id": 3, "id": 4}, {"id": 5, "box": 1}]'
    read = arrive(spark, tmp_path, Sale, LIST, f=f"{sent[:-1]}, {json.dumps(GOOD)}]")
    assert [row[0] for row in read.rows] == [1]
    assert sorted(read.reasons) == [
        ("box:type",),
        ("id:type",),
        ("json:extra",),
        ("json:repeated",),
    ]
    assert {"line": '{"id":"x"}'} in [row for _, row, _ in read.rejected]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("", r"is no JSON document[\s\S]*found: nothing"),
        ('[{"id": 1}', "is no JSON document, or ends too early"),
        ('[{"id": 1}] []', "is no JSON document"),
        ('[{"id": NaN}]', "is no JSON document"),
        (f'[{{"price": {"9" * 1001}}}]', "is no JSON document"),
        ('[{"box": ' + '{"a": ' * 700 + "1" + "}" * 701 + "]", "nested too deep"),
        ("[" * 100_000, "is no JSON document"),
        (b'[{"id": 1, "name": "\xff"}]', "is no JSON document"),
        ('{"id": 1}', r"records are no list[\s\S]*an object"),
        ("[1]", r"a record of the document is no object[\s\S]*record 1 is a text or number"),
        ('[{"id": 1}, null]', r"is no object[\s\S]*record 2 is null"),
        ('[{"id": 1, "box": {"a": 1, "a": 2}}]', r"has a key twice[\s\S]*record 1, in an object"),
        (json.dumps([GOOD]).encode("utf-16"), "is text in UTF-16"),
    ],
    ids=str,
)
def test_a_file_that_is_no_such_document_is_refused(
    spark: SparkSession, tmp_path: Path, sent: Any, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        arrive(spark, tmp_path, Sale, LIST, f=sent)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"data": []}, "has no such list of records"),
        ({"data": {"all items": {}}}, r"records are no list[\s\S]*an object"),
        ([GOOD], "has no such list of records"),
        ('{"data": {"all items": []}, "data": {"all items": []}}', "has a key twice"),
    ],
)
def test_a_list_that_is_not_where_it_was_said_is_told(
    spark: SparkSession, tmp_path: Path, document: Any, told: str
) -> None:
    sent = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(InputError, match=told):
        arrive(spark, tmp_path, Sale, WITHIN, f=sent)


def test_a_file_is_of_the_format_that_was_said_and_not_too_large(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"one to a line[\s\S]*format=JsonDocument"):
        arrive(spark, tmp_path, Sale, landing("*", format=JsonLines()), f=json.dumps([GOOD]))
    with pytest.raises(InputError, match="is JSON, not CSV"):
        arrive(spark, tmp_path, Sale, landing("*", format=Csv()), f=json.dumps([GOOD]))
    with pytest.raises(DefinitionError, match="no path in a JSON document"):
        JsonDocument(records="data..items")
    monkeypatch.setattr(document_look, "_LONGEST_TEXT", 3)
    with pytest.raises(InputError, match=r"too long[\s\S]*record 2, more than 3 characters"):
        arrive(spark, tmp_path, Sale, LIST, f='[{"name": "abc"}, {"box": {"part": "abcd"}}]')
    monkeypatch.setattr(document_look, "_LARGEST", 20)
    with pytest.raises(InputError, match="too large to be read in one piece"):
        arrive(spark, tmp_path, Sale, LIST, f=json.dumps([GOOD]))
