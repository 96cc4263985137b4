"""Columns with parts, from JSON and from Parquet, through a whole run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet
import pyspark.sql.types as T
import pytest

from penstock import Contract, JsonLines, Merge, Overwrite, Parquet, column, dataset, landing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow(seconds=12)

WHO = T.StructType(
    [T.StructField("name", T.StringType()), T.StructField("tags", T.ArrayType(T.StringType()))]
)


class Sent(Contract, owner="team:shop", version="1.0.0", name="bronze.sent"):
    """One thing and who sent it."""

    id: int = column(key=True)
    who: WHO = column(nullable=True)


class Told(Contract, owner="team:shop", version="1.0.0", name="bronze.told"):
    """One thing that says anything."""

    id: int = column(key=True)
    said: T.VariantType = column(nullable=True)


def _same(raw: DataFrame) -> DataFrame:
    return raw


def test_a_struct_is_taken_by_its_names_and_merged(shop: Shop) -> None:
    folder = shop.path / "landing" / "sent"
    folder.mkdir(parents=True)
    ada = {"tags": ["a", "b"], "name": "Ada"}
    lines = [{"id": 1, "who": ada}, {"id": 2, "who": {"name": 7}}, {"id": 3}]
    (folder / "1.json").write_text("\n".join(map(json.dumps, lines)))
    by_lines = dataset(
        Sent, inputs={"raw": landing("sent/*.json", format=JsonLines())}, write=Merge()
    )(_same)
    assert shop.run(by_lines).rows_quarantined == 1
    assert shop.reasons(by_lines) == ["who:type"]
    table = pa.table({"id": [1, 3], "who": [{"name": "Ada", "tags": None}, ada]})
    pa.parquet.write_table(table, folder / "2.parquet")
    by_frame = dataset(
        Sent, inputs={"raw": landing("sent/*.parquet", format=Parquet())}, write=Merge()
    )(_same)
    assert shop.run(by_frame).rows_changed == 2
    rows = {row.id: row.who.asDict() for row in shop.table(by_frame).collect()}
    assert rows == {1: {"name": "Ada", "tags": None}, 3: {"name": "Ada", "tags": ["a", "b"]}}


def test_a_variant_holds_what_was_said(shop: Shop) -> None:
    folder = shop.path / "landing" / "told"
    folder.mkdir(parents=True)
    said = [1.50, "a", {"b": [None]}, None]
    lines = [json.dumps({"id": n, "said": one}) for n, one in enumerate(said)]
    (folder / "1.json").write_text("\n".join(lines))
    told = dataset(
        Told, inputs={"raw": landing("told/*.json", format=JsonLines())}, write=Overwrite()
    )(_same)
    assert shop.run(told).rows_quarantined == 0
    found = shop.table(told).selectExpr("id", "to_json(said)").collect()
    assert [text and json.loads(text) for _, text in sorted(found)] == said
