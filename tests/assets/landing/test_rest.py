"""What the contract does not name is kept as JSON, of each format, where that is asked for."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa
import pyarrow.parquet
import pyspark.sql.types as T
import pytest

from penstock import (
    Append,
    Avro,
    Contract,
    Csv,
    FixedWidth,
    JsonDocument,
    JsonLines,
    Parquet,
    Pii,
    column,
    dataset,
    debezium,
    landing,
    topic,
)
from penstock.errors import DefinitionError, InputError
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.landing.formats import Format

pytestmark = pytest.mark.slow


class Sale(Contract, owner="team:shop", version="1.0.0", name="bronze.sold"):
    """One sale."""

    id: int = column()
    name: str = column(nullable=True)
    more: str = column(nullable=True)


ROWS = [
    {"id": 1, "Name": "a", "colour": "red \"'", "size": 7},
    {"id": 2, "Name": None, "colour": None, "size": None},
    {"id": 3, "Name": "c", "colour": "é", "size": None},
]
REST = [{"colour": "red \"'", "size": 7}, None, {"colour": "é"}]


def _csv() -> bytes:
    lines = ["colour,id,Name,size", '"red ""\'",1,a,7', ",2,,", "é,3,c,"]
    return "\n".join(lines).encode()


def _parquet() -> bytes:
    held = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(ROWS), held)
    return held.getvalue()


def _avro() -> bytes:
    kinds = {"id": "long", "Name": "string", "colour": "string", "size": "int"}
    fields = [{"name": name, "type": ["null", kind]} for name, kind in kinds.items()]
    held = io.BytesIO()
    fastavro.writer(held, {"type": "record", "name": "sale", "fields": fields}, ROWS)
    return held.getvalue()


SENT: dict[str, tuple[Format, bytes]] = {
    "CSV": (Csv(), _csv()),
    "JSON lines": (JsonLines(), "\n".join(map(json.dumps, ROWS)).encode()),
    "JSON document": (JsonDocument(), json.dumps(ROWS).encode()),
    "Parquet": (Parquet(), _parquet()),
    "Avro": (Avro(), _avro()),
}


@pytest.mark.parametrize("sent", SENT, ids=str)
def test_other_columns_are_kept(spark: SparkSession, tmp_path: Path, sent: str) -> None:
    written, content = SENT[sent]
    landed = landing("*", format=written, names={"Name": "name"}, rest="more")
    read = arrive(spark, tmp_path, Sale, landed, f=content)
    assert [row[:2] for row in read.rows] == [(1, "a"), (2, None), (3, "c")]
    rest = [json.loads(row[2]) if row[2] else None for row in read.rows]
    # a cell of text says no type
    expected: Any = [{**REST[0], "size": "7"}, *REST[1:]] if sent == "CSV" else REST  # type: ignore[dict-item]
    assert rest == expected
    assert read.rejected == []
    # and a file that has no more has none
    few = {"id": 4, "Name": "d"}
    if isinstance(written, JsonLines):
        read = arrive(spark, tmp_path, Sale, landed, g=json.dumps(few))
        assert read.rows == [(4, "d", None)]


class Boxed(Contract, owner="team:shop", version="1.0.0", name="bronze.boxed"):
    """One sale in its box."""

    id: int = column()
    box: T.StructType([T.StructField("part", T.StringType())]) = column(nullable=True)
    more: str = column(nullable=True)


def test_nothing_that_is_left_out_is_kept_nowhere(spark: SparkSession, tmp_path: Path) -> None:
    rows = [{"id": 1, "box": {"part": "a"}, "x": 1}, {"id": 2, "box": {"part": "b", "y": 2}}]
    lines = "\n".join(map(json.dumps, rows))
    landed = landing("*", format=JsonLines(), rest="more")
    read = arrive(spark, tmp_path, Boxed, landed, f=lines)
    assert [(row[0], row[2]) for row in read.rows] == [(1, '{"x":1}')]
    assert read.reasons == [("box:type",)]
    # a name of the contract's under which nothing is sent is not of the rest
    named = landing("*", format=JsonLines(), names={"Name": "name"}, rest="more")
    sent = '{"id": 1, "Name": "a", "name": "b"}\n{"id": 2, "more": "c"}\n{"id": 3, "z": 1, "a": 2}'
    read = arrive(spark, tmp_path, Sale, named, g=sent)
    assert read.rows == [(3, None, '{"a":2,"z":1}')]  # in one order
    assert read.reasons == [("json:extra",)] * 2
    csv = landing("*", names={"Name": "name"}, rest="more")
    with pytest.raises(InputError, match=r"under names of the contract[\s\S]*found: more"):
        arrive(spark, tmp_path, Sale, csv, h="id,Name,more\n1,a,b\n")


def test_times_and_files_without_a_column_of_the_contract_are_whole(
    spark: SparkSession, tmp_path: Path
) -> None:
    class Whole(Contract, owner="team:shop", version="1.0.0", name="bronze.whole"):
        """All that is sent, and where it was."""

        source: str = column(nullable=True)
        more: str = column(nullable=True)

    at = datetime(2024, 2, 29, 9, 15, 0, 123456, tzinfo=UTC)
    held = io.BytesIO()
    pa.parquet.write_table(pa.table({"at": pa.array([at], pa.timestamp("us", "UTC"))}), held)
    how: dict[str, Any] = {"file_columns": {"source": "name"}, "rest": "more"}
    parquet = landing("*", format=Parquet(), **how)
    read = arrive(spark, tmp_path, Whole, parquet, f=held.getvalue())
    assert read.rows == [("f", '{"at":"2024-02-29T09:15:00.123456Z"}')]
    read = arrive(spark, tmp_path, Whole, landing("*", **how), g="b,a\n1,2\n")
    assert read.rows == [("g", '{"a":"2","b":"1"}')]
    read = arrive(spark, tmp_path, Whole, landing("*", format=JsonLines(), **how), h='{"a": 1}')
    assert read.rows == [("h", '{"a":1}')]


def test_of_an_event_the_row_is_meant(spark: SparkSession, tmp_path: Path) -> None:
    landed = landing(
        "*", format=JsonLines(), envelope=debezium(columns={"name": "op"}), rest="more"
    )
    event = {"op": "c", "after": {"id": 1, "colour": "red"}, "ts_ms": 7}
    read = arrive(spark, tmp_path, Sale, landed, f=json.dumps(event))
    assert read.rows == [(1, "c", '{"colour":"red"}')]


class Person(
    Contract, owner="team:shop", version="1.0.0", name="bronze.people", cleared=[Pii.EMAIL]
):
    """One person."""

    email: str = column(pii=Pii.EMAIL)
    more: str = column(nullable=True)


def test_the_rest_has_a_column_of_its_own() -> None:
    def same(raw: DataFrame) -> DataFrame:
        return raw

    class Other(Contract, owner="team:shop", version="1.0.0", name="bronze.other"):
        """One sale, all of it needed."""

        id: int = column()
        more: str = column()
        day: date = column(nullable=True)

    for landed in (
        landing("a/*", rest="more"),  # may not be NULL
        landing("a/*", rest="day"),
        landing("a/*", rest="nowhere"),
        topic("sales", broker="events", rest="id"),
    ):
        with pytest.raises(DefinitionError, match="names no column of its own"):
            dataset(Other, inputs={"raw": landed}, write=Append())(same)
    with pytest.raises(DefinitionError, match="names no column of its own"):
        dataset(Sale, inputs={"raw": landing("a/*", rest="more", derived=["more"])})(same)
    with pytest.raises(DefinitionError, match="the rest of a record may be personal data"):
        dataset(Person, inputs={"raw": landing("a/*", rest="more")})(same)
    fixed = FixedWidth({"id": (1, 3), "name": (4, 3)})
    with pytest.raises(DefinitionError, match="says nothing of lines of fixed width"):
        dataset(Sale, inputs={"raw": landing("a/*", format=fixed, rest="more")})(same)
