"""JSON lines: each object is the row that was sent, or an entry of quarantine."""

from __future__ import annotations

import bz2
import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyspark.sql.types as T
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import Contract, JsonLines, column, dataset, landing
from penstock import Decimal as Digits
from penstock.errors import DefinitionError, InputError
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.slow(seconds=40)

FILES = landing("*.json", format=JsonLines())


class Sale(Contract, owner="team:shop", version="1.0.0", name="bronze.sales"):
    """One sale."""

    id: int = column()
    name: str = column(nullable=True)
    price: Digits(10, 2) = column(nullable=True)
    share: float = column(nullable=True)
    paid: bool = column(nullable=True)
    day: date = column(nullable=True)
    at: datetime = column(nullable=True)


class Nested(Contract, owner="team:shop", version="1.0.0", name="bronze.nested"):
    """One order with its parts."""

    id: int = column()
    parts: T.ArrayType(
        T.StructType(
            [
                T.StructField("sku", T.StringType()),
                T.StructField("price", T.DecimalType(10, 2)),
                T.StructField("sizes", T.ArrayType(T.IntegerType())),
            ]
        )
    ) = column(nullable=True)
    tags: T.MapType(T.StringType(), T.LongType()) = column(nullable=True)


def test_an_object_is_a_row(spark: SparkSession, tmp_path: Path) -> None:
    sent = {
        '{"id": 1, "name": "a\\"b\\u00e9\\n", "price": 1.10}': ('a"bé\n', "1.10", None, None),
        '{"id":2,"price":"7","paid":true}\r': (None, "7", None, True),
        '{"paid": null, "share": 1e3, "id": 3, "name": ""}': ("", None, 1000.0, None),
        '{"id":4,"share":0.1,"price":99999999.99}': (None, "99999999.99", 0.1, None),
        '{"id":4.0}': (None, None, None, None),
        '  {"id":"5", "name":"7"}\t': ("7", None, None, None),
    }
    text = "\ufeff" + "\n\n \n".join(sent)
    read = arrive(spark, tmp_path, Sale, FILES, f__json=text)
    assert read.rejected == []
    assert [row[1:] for row in read.rows] == [
        (name, price and Decimal(price).quantize(Decimal("1.00")), share, paid, None, None)
        for name, price, share, paid in sent.values()
    ]


def test_dates_and_datetimes_are_strings(spark: SparkSession, tmp_path: Path) -> None:
    text = '{"id":1,"day":"2024-02-29","at":"2024-02-29T10:15:00+01:00"}\n{"id":2,"day":20240229}\n'
    read = arrive(spark, tmp_path, Sale, FILES, f__json=text)
    assert [row[5:] for row in read.rows] == [
        (date(2024, 2, 29), datetime(2024, 2, 29, 9, 15, tzinfo=UTC).replace(tzinfo=None))
    ]
    assert read.reasons == [("day:type",)]


NO_ROWS = {
    '{"id":1': "json:malformed",
    '{"id":1}{"id":2}': "json:malformed",
    '{"id":1}, {"id":2}': "json:malformed",
    '{"id":1} x': "json:malformed",
    '{"id":1}] [': "json:malformed",
    '{"id":1},{"end":0}] x': "json:malformed",
    "[1]": "json:malformed",
    "1": "json:malformed",
    "null": "json:malformed",
    "{'id':1}": "json:malformed",
    '{"id":01}': "json:malformed",
    '{"id":1,"share":NaN}': "json:malformed",
    '{"id":1,"id":2}': "json:repeated",
    '{"id":1,"more":2}': "json:extra",
    '{"id":1,"ID":2}': "json:extra",
    '{"id":1e3}': "id:type",
    '{"id":9223372036854775808}': "id:type",
    '{"id":true}': "id:type",
    '{"id":{"a":1}}': "id:type",
    '{"id":1,"price":1.005}': "price:type",
    '{"id":1,"price":"1,50"}': "price:type",
    '{"id":1,"price":1.00000000000000000000000000000000000000000001}': "price:type",
    '{"id":1,"price":100000000}': "price:type",
    '{"id":1,"share":1e400}': "share:type",
    '{"id":1,"share":"x"}': "share:type",
    '{"id":1,"name":7}': "name:type",
    '{"id":1,"name":["a"]}': "name:type",
    '{"id":1,"paid":"maybe"}': "paid:type",
    '{"id":1,"day":"2024-02-30"}': "day:type",
}


def test_what_is_no_row_is_set_aside_as_it_came(spark: SparkSession, tmp_path: Path) -> None:
    read = arrive(spark, tmp_path, Sale, FILES, f__json="\n".join(['{"id":7}', *NO_ROWS]))
    assert {row["line"]: reasons for reasons, row, _ in read.rejected} == {
        line: (reason,) for line, reason in NO_ROWS.items()
    }
    assert [row[0] for row in read.rows] == [7]
    assert len(read.rejected) == len(NO_ROWS)


def test_a_first_line_that_is_broken_is_set_aside_like_any_other(
    spark: SparkSession, tmp_path: Path
) -> None:
    read = arrive(spark, tmp_path, Sale, FILES, f__json='nd {"id":1}\n{"id":2}\n')
    assert ([row[0] for row in read.rows], read.reasons) == ([2], [("json:malformed",)])


def test_what_a_parser_gives_up_at_is_set_aside(spark: SparkSession, tmp_path: Path) -> None:
    deep = '{"id":1,"more":' + "[" * 3000 + "]" * 3000 + "}"
    long = '{"id":1,"price":' + "1" * 3000 + "}"
    wide = '{"id":1,"name":"' + "x" * 21_000_000 + '"}'
    read = arrive(spark, tmp_path, Sale, FILES, f__json=f'{deep}\n{long}\n{wide}\n{{"id":2}}')
    assert [row[0] for row in read.rows][-1:] == [2]
    assert len(read.rows) + len(read.rejected) == 4
    assert all("json:malformed" in reasons for reasons in read.reasons)


def test_keys_that_nobody_asked_for_are_left_out_where_that_is_said(
    spark: SparkSession, tmp_path: Path
) -> None:
    landed = landing("*.json", format=JsonLines(), extra_columns=True)
    read = arrive(spark, tmp_path, Sale, landed, f__json='{"id":1,"more":{"a":1}}\n')
    assert ([row[0] for row in read.rows], read.rejected) == ([1], [])


def test_bytes_that_are_not_utf_8_are_set_aside(spark: SparkSession, tmp_path: Path) -> None:
    read = arrive(spark, tmp_path, Sale, FILES, f__json=b'{"id":1}\n{"id":2,"name":"\xff"}\n')
    assert ([row[0] for row in read.rows], read.reasons) == ([1], [("json:encoding",)])


def test_what_is_compressed_with_bzip2_is_unpacked(spark: SparkSession, tmp_path: Path) -> None:
    content = bz2.compress(b'{"id":1}\n') + bz2.compress(b'{"id":2}\n')
    read = arrive(spark, tmp_path, Sale, FILES, f__json__bz2=content)
    assert ([row[0] for row in read.rows], read.rejected) == ([1, 2], [])
    for damaged in (content[:-8], content[:20] + b"x" * 20 + content[40:]):
        with pytest.raises(InputError, match="damaged or ends too early"):
            arrive(spark, tmp_path, Sale, FILES, f__json__bz2=damaged)


def test_nested_values_are_held_against_the_contract_part_by_part(
    spark: SparkSession, tmp_path: Path
) -> None:
    good = [
        '{"id":1,"parts":[{"price":1.5,"sku":"a","sizes":[1,2]},{"sku":null},null],"tags":{"x":7}}',
        '{"id":2,"parts":[],"tags":{}}',
        '{"id":3,"parts":null}',
    ]
    bad = [
        '{"id":4,"parts":{"sku":"a"}}',
        '{"id":5,"parts":[{"sku":"a","more":1}]}',
        '{"id":6,"parts":[{"price":1.005}]}',
        '{"id":7,"parts":[{"sizes":[1,"x"]}]}',
        '{"id":8,"parts":["a"]}',
    ]
    wrong_tags = ['{"id":9,"tags":[1]}', '{"id":10,"tags":{"x":1.5}}']
    text = "\n".join([*good, *bad, *wrong_tags])
    read = arrive(spark, tmp_path, Nested, FILES, f__json=text)
    parts = [("a", Decimal("1.50"), [1, 2]), (None, None, None), None]
    assert read.rows == [(1, parts, {"x": 7}), (2, [], {}), (3, None, None)]
    assert read.reasons == [("parts:type",)] * len(bad) + [("tags:type",)] * len(wrong_tags)


_VALUES = st.one_of(st.none(), st.text(max_size=5).filter(lambda t: "\ufffd" not in t))
_ROWS = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        _VALUES,
        st.one_of(st.none(), st.decimals(-99999999, 99999999, places=2)),
        st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=5)
@given(rows=_ROWS, ascii_only=st.booleans())
def test_what_python_writes_is_what_is_read(
    spark: SparkSession,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[Any, ...]],
    ascii_only: bool,  # noqa: FBT001 - hypothesis gives it by name
) -> None:
    lines = []
    for number, name, price, share in rows:
        text = json.dumps({"id": number, "name": name, "share": share}, ensure_ascii=ascii_only)
        lines.append(f'{text[:-1]}, "price": {"null" if price is None else f"{price:f}"}}}')
    content = gzip.compress("\n".join(lines).encode(errors="surrogatepass"))
    folder = tmp_path_factory.mktemp("law")
    read = arrive(
        spark, folder, Sale, landing("*.json.gz", format=JsonLines()), f__json__gz=content
    )
    assert read.rejected == []
    sent = [(*row[:4], None, None, None) for row in rows]
    assert read.rows == sorted(sent, key=repr)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b'[{"id":1}]', "the file is no list of JSON objects, one to a line"),
        (b"id,name\n1,a\n", "the file is no list of JSON objects, one to a line"),
        (b"PK\x03\x04\x00\x00", "the file is a zip archive or an Excel workbook, not JSON lines"),
        ('{"id":1}'.encode("utf-16"), "the file is text in UTF-16, not JSON lines"),
    ],
)
def test_a_file_that_is_none_is_refused(
    spark: SparkSession, tmp_path: Path, content: bytes, what: str
) -> None:
    with pytest.raises(InputError) as caught:
        arrive(spark, tmp_path, Sale, FILES, f__json=content)
    assert caught.value.what == what


def test_a_column_of_which_json_has_no_value_is_refused() -> None:
    class Bytes(Contract, owner="team:shop", version="1.0.0", name="bronze.bytes"):
        """Bytes."""

        data: bytes = column()

    with pytest.raises(DefinitionError, match="JSON has no values of its type"):

        @dataset(Bytes, inputs={"raw": FILES})
        def loaded(raw: DataFrame) -> DataFrame:
            return raw
