"""Values in Avro, as fastavro writes them behind the five bytes of Confluent's serializers."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal as Exact
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from penstock import Append, Contract, Decimal, Merge, column, dataset, debezium, topic
from penstock.errors import DefinitionError, InputError
from tests.assets.events import ALL, Said, same

if TYPE_CHECKING:
    from pathlib import Path

    from penstock import Dataset
    from tests.assets.events import Events

pytestmark = pytest.mark.slow(seconds=30)

FIRST: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "fields": [{"name": "id", "type": "long"}, {"name": "item", "type": ["null", "string"]}],
}
SECOND = {**FIRST, "fields": [{"name": "item", "type": "string"}, {"name": "id", "type": "int"}]}
LOOSE = {
    **FIRST,
    "fields": [
        {"name": "id", "type": ["null", "long"]},
        {"name": "item", "type": ["string", "null"]},
    ],
}


class Kind(Contract, name="bronze.kinds", version="1.0.0", owner="team:shop"):
    """One value of each type."""

    id: int = column(key=True)
    price: Decimal(20, 4) = column(nullable=True)
    real: float = column(nullable=True)
    flag: bool = column(nullable=True)
    day: date = column(nullable=True)
    at: datetime = column(nullable=True)
    local: datetime = column(nullable=True)
    kind: str = column(nullable=True)


KINDS: dict[str, Any] = {
    "type": "record",
    "name": "Kinds",
    "fields": [
        {"name": "id", "type": "long"},
        {
            "name": "price",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 4},
        },
        {"name": "real", "type": "double"},
        {"name": "flag", "type": "boolean"},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
        {"name": "kind", "type": {"type": "enum", "name": "K", "symbols": ["NEW", "OLD"]}},
    ],
}


def packed(number: int, schema: dict[str, Any], row: dict[str, Any]) -> bytes:
    """A value as a sender has it that asked the registry for the id of its schema."""
    held = io.BytesIO()
    fastavro.schemaless_writer(held, fastavro.parse_schema(dict(schema)), row)
    return b"\0" + number.to_bytes(4) + held.getvalue()


def said(events: Events, schemas: dict[int, Any]) -> Dataset:
    """A dataset of all that is sent, whatever is set aside."""
    by_id = {number: json.dumps(schema) for number, schema in schemas.items()}
    return dataset(Said, inputs={"raw": events.topic(avro=by_id)}, write=Append(), **ALL)(same)


def rows(events: Events, spec: Dataset) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in events.shop.table(spec).collect()), key=repr)


def test_each_value_is_read_by_the_schema_that_it_names(events: Events) -> None:
    spec = said(events, {17: FIRST, 4711: SECOND})
    events.send(
        packed(17, FIRST, {"id": 1, "item": "a"}),
        packed(4711, SECOND, {"id": 2, "item": "b"}),
        packed(17, FIRST, {"id": 2**53 + 1, "item": None}),
    )
    events.shop.run(spec)
    assert rows(events, spec) == [(1, "a"), (2, "b"), (2**53 + 1, None)]
    assert not events.shop.run(spec).committed


def test_what_is_none_of_them_is_set_aside_whole(events: Events) -> None:
    spec = said(events, {17: FIRST, 18: LOOSE})
    good = packed(17, FIRST, {"id": 1, "item": "a"})
    nothing = packed(18, LOOSE, {"id": None, "item": None})
    bad = {
        "avro:schema": [packed(19, FIRST, {"id": 1, "item": "a"}), b'{"id": 1}', b"", good[1:]],
        "avro:malformed": [good[:-1], good[:5], packed(17, LOOSE, {"id": None, "item": "a"})],
        "id:not_null": [nothing],
    }
    events.send(good, *(value for values in bad.values() for value in values), b"\0\0\0\0\x12\2")
    events.shop.run(spec)
    assert rows(events, spec) == [(1, "a")]
    found = events.shop.quarantine(spec).collect()
    reasons = sorted(reason for row in found for reason in row.reasons)
    assert reasons == ["avro:malformed"] * 4 + ["avro:schema"] * 4 + ["id:not_null"]
    (told,) = (row.row for row in found if (row.file or "").endswith(" 0:1"))
    assert base64.b64encode(bad["avro:schema"][0]).decode() in told


def test_a_tombstone_is_no_avro(events: Events) -> None:
    events.send(None, packed(17, FIRST, {"id": 1, "item": "a"}))
    spec = said(events, {17: FIRST})
    events.shop.run(spec)
    assert events.shop.reasons(spec) == ["topic:tombstone"]


def test_values_of_each_type_are_exactly_those(events: Events) -> None:
    at = datetime(2013, 7, 1, 10, 0, 0, 123456, tzinfo=UTC)
    row = {
        "id": -(2**63),
        "price": Exact("1234567890123456.7891"),
        "real": 0.1,
        "flag": False,
        "day": date(1, 1, 1),
        "at": at,
        "local": datetime(2013, 7, 1, 12),  # noqa: DTZ001 - says no zone
        "kind": "OLD",
    }
    far = {**row, "id": 2, "day": date(9999, 12, 31), "real": 1e300}
    events.send(packed(1, KINDS, row), packed(1, KINDS, far))
    read = events.topic(avro={1: json.dumps(KINDS)}, time_zone="Europe/Berlin")
    spec = dataset(Kind, inputs={"raw": read}, write=Merge())(same)
    events.shop.run(spec)
    taken = events.shop.table(spec).selectExpr("*", "CAST(at AS string) AS told").orderBy("id")
    one, other = (row.asDict() for row in taken.collect())
    utc = {"at": at.replace(tzinfo=None), "told": "2013-07-01 10:00:00.123456"}
    local = datetime(2013, 7, 1, 10)  # noqa: DTZ001 - as Spark's rows have it in UTC
    assert one == {**row, **utc, "local": local}
    assert other == {**far, **utc, "local": local}


def test_changes_of_a_database_in_avro(events: Events) -> None:
    order = {**FIRST, "name": "Value"}
    changed: dict[str, Any] = {
        "type": "record",
        "name": "Envelope",
        "fields": [
            {"name": "before", "type": ["null", order], "default": None},
            {"name": "after", "type": ["null", "Value"], "default": None},
            {"name": "op", "type": "string"},
        ],
    }

    def event(op: str, before: Any, after: Any) -> bytes:
        return packed(5, changed, {"before": before, "after": after, "op": op})

    events.send(
        event("c", None, {"id": 1, "item": "a"}),
        event("c", None, {"id": 2, "item": "b"}),
        event("u", {"id": 2, "item": "b"}, {"id": 2, "item": "c"}),
        event("d", {"id": 1, "item": "a"}, None),
        None,
    )
    read = events.topic(avro={5: json.dumps(changed)}, envelope=debezium(deleted="gone"))

    class Item(Contract, name="bronze.items", version="1.0.0", owner="team:shop"):
        """One row of the database."""

        id: int = column(key=True)
        item: str = column(nullable=True)

    spec = dataset(Item, inputs={"raw": read}, write=Merge(deletes="gone"))(same)
    events.shop.run(spec)
    assert rows(events, spec) == [(2, "c")]
    assert events.shop.reasons(spec) == []


def test_a_schema_that_spark_does_not_read_fails_the_run(events: Events) -> None:
    recursive = {**FIRST, "fields": [*FIRST["fields"], {"name": "next", "type": ["null", "Order"]}]}
    events.send({"id": 1})
    with pytest.raises(InputError, match="does not read the Avro schema") as caught:
        events.shop.run(said(events, {17: recursive}))
    assert "schema 17" in (caught.value.where or "")


def test_schemas_are_files_or_json_of_ids(tmp_path: Path) -> None:
    file = tmp_path / "orders.avsc"
    file.write_text(json.dumps(FIRST, indent=2))
    by_file = topic("orders", broker="events", avro={17: file})
    assert by_file == topic("orders", broker="events", avro={17: json.dumps(FIRST)})
    assert by_file != topic("orders", broker="events", avro={18: file})
    wrong: list[tuple[Any, str]] = [
        ({}, "avro= names no schema"),
        (file, "avro= names no schema"),
        ({"17": file}, "no id of a schema"),
        ({-1: file}, "no id of a schema"),
        ({True: file}, "no id of a schema"),
        ({17: tmp_path / "nowhere"}, r"cannot be read[\s\S]*No such file"),
        ({17: "orders.avsc"}, "cannot be read"),
        ({17: '"string"'}, "that of no row"),
        ({17: '{"type": "record", "name": "A", "fields": []}'}, "that of no row"),
    ]
    for avro, said_of_it in wrong:
        with pytest.raises(DefinitionError, match=said_of_it):
            topic("orders", broker="events", avro=avro)
