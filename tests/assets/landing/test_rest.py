"""What the contract does not name is kept as JSON, of each format, where that is asked for."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa
import pyarrow.parquet
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
    column,
    dataset,
    debezium,
    landing,
    topic,
)
from penstock.errors import DefinitionError
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


def test_of_an_event_the_row_is_meant(spark: SparkSession, tmp_path: Path) -> None:
    landed = landing(
        "*", format=JsonLines(), envelope=debezium(columns={"name": "op"}), rest="more"
    )
    event = {"op": "c", "after": {"id": 1, "colour": "red"}, "ts_ms": 7}
    read = arrive(spark, tmp_path, Sale, landed, f=json.dumps(event))
    assert read.rows == [(1, "c", '{"colour":"red"}')]


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
    fixed = FixedWidth({"id": (1, 3), "name": (4, 3)})
    with pytest.raises(DefinitionError, match="says nothing of lines of fixed width"):
        dataset(Sale, inputs={"raw": landing("a/*", format=fixed, rest="more")})(same)
