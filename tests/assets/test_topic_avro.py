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

PRICE = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 8}
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


LISTED = {
    **FIRST,
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "item", "type": {"type": "array", "items": "string"}},
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
    spec = said(events, {17: FIRST, 18: LOOSE, 19: LISTED})
    good = packed(17, FIRST, {"id": 1, "item": "a"})
    listed = packed(19, LISTED, {"id": 7, "item": ["a", "b"]})
    bad = {
        "avro:schema": [b'{"id": 1}', b"", b"\0\0", b"\1" + good],
        "avro:malformed": [
            good[:-1],
            good[:5],
            good + b"\0",
            packed(17, LOOSE, {"id": None, "item": "a"}),
            packed(18, FIRST, {"id": 1, "item": "a"}),
            b"\0\0\0\0\x12\2",
            listed[:-1],
            listed + b"\0",
            b"\0\0\0\0\x13\2\xff\xff\xff\xff\x0f",  # a list of two thousand million
            b"\0\0\0\0\x11\2\2\xff\xff\xff\xff\x0f",  # a text of as many bytes
        ],
        "avro:encoding": [good[:-1] + b"\xff"],
        "id:not_null": [packed(18, LOOSE, {"id": None, "item": None})],
        "item:type": [listed],
    }
    events.send(good, *(value for values in bad.values() for value in values))
    events.send(packed(17, FIRST, {"id": 2, "item": "\ufffd"}))
    events.shop.run(spec)
    assert rows(events, spec) == [(1, "a"), (2, "\ufffd")]
    found = events.shop.quarantine(spec).collect()
    reasons = sorted(reason for row in found for reason in row.reasons)
    assert reasons == sorted(reason for reason, values in bad.items() for _ in values)
    (told,) = (row.row for row in found if (row.file or "").endswith(" 0:1"))
    assert base64.b64encode(bad["avro:schema"][0]).decode() in told


def test_a_schema_that_nobody_named_fails_the_run_and_loses_nothing(events: Events) -> None:
    spec = said(events, {17: FIRST})
    new = packed(4711, SECOND, {"id": 2, "item": "b"})
    events.send(packed(17, FIRST, {"id": 1, "item": "a"}), new)
    with pytest.raises(InputError, match=r"schemas that are not named[\s\S]*found: 4711"):
        events.shop.run(spec)
    assert events.shop.version(spec) is None
    spec = said(events, {17: FIRST, 4711: SECOND})
    events.shop.run(spec)
    assert rows(events, spec) == [(1, "a"), (2, "b")]


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


def test_numbers_are_those_that_were_sent(events: Events) -> None:
    def decimal(digits: int, scale: int) -> dict[str, Any]:
        return {"type": "bytes", "logicalType": "decimal", "precision": digits, "scale": scale}

    class Amount(Contract, name="bronze.amounts", version="1.0.0", owner="team:shop"):
        """Amounts."""

        id: int = column(key=True)
        fine: Decimal(18, 8) = column(nullable=True)
        wide: Decimal(38, 2) = column(nullable=True)
        real: float = column(nullable=True)
        text: str = column(nullable=True)

    fields = [("id", "int"), ("fine", decimal(12, 8)), ("wide", decimal(64, 2))]
    fields += [("real", ["null", "double"]), ("text", ["null", "bytes"])]
    schema = {**FIRST, "fields": [{"name": name, "type": kind} for name, kind in fields]}

    def raw(unscaled: int) -> bytes:
        return unscaled.to_bytes(unscaled.bit_length() // 8 + 1, signed=True)

    def sent(number: int, fine: int, wide: int, real: Any, text: bytes | None = None) -> bytes:
        plain = {**schema, "fields": [{**f, "type": "bytes"} for f in schema["fields"][1:3]]}
        value = packed(1, plain, {"fine": raw(fine), "wide": raw(wide)})
        rest = {**schema, "fields": schema["fields"][3:]}
        start = packed(1, {**schema, "fields": schema["fields"][:1]}, {"id": number})
        return start + value[5:] + packed(1, rest, {"real": real, "text": text})[5:]

    events.send(
        sent(1, 0, 10**37, -0.1),
        sent(2, 1, -1, float("nan")),
        sent(3, 2**64 + 12345, 0, None),  # more than the precision that it is said to have
        sent(4, 0, 10**39, None),
        sent(5, 0, 0, float("inf")),
        sent(6, 0, 0, None, b"text"),
    )
    read = events.topic(avro={1: json.dumps(schema)})
    spec = dataset(Amount, inputs={"raw": read}, write=Merge(), **ALL)(same)
    events.shop.run(spec)
    one, two, endless = events.shop.table(spec).orderBy("id").collect()
    assert (one.fine, one.wide, f"{one.real}") == (Exact(0), Exact(10**35), "-0.1")
    assert (two.fine, two.wide, f"{two.real}") == (Exact("1e-8"), Exact("-0.01"), "nan")
    assert (endless.id, f"{endless.real}") == (5, "inf")
    reasons = events.shop.reasons(spec)
    assert reasons == ["avro:malformed", "fine:type", "text:type"]


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
    order["fields"] = [*FIRST["fields"], {"name": "price", "type": PRICE}]

    def event(op: str, before: Any, after: Any) -> bytes:
        return packed(5, changed, {"before": before, "after": after, "op": op})

    def row(number: int, item: str) -> dict[str, Any]:
        return {"id": number, "item": item, "price": Exact("0.00000001")}

    events.send(
        event("c", None, row(1, "a")),
        event("c", None, row(2, "b")),
        event("u", row(2, "b"), row(2, "c")),
        event("d", row(1, "a"), None),
        None,
    )
    read = events.topic(avro={5: json.dumps(changed)}, envelope=debezium(deleted="gone"))

    class Item(Contract, name="bronze.items", version="1.0.0", owner="team:shop"):
        """One row of the database."""

        id: int = column(key=True)
        item: str = column(nullable=True)
        price: Decimal(10, 8) = column()

    spec = dataset(Item, inputs={"raw": read}, write=Merge(deletes="gone"))(same)
    events.shop.run(spec)
    assert rows(events, spec) == [(2, "c", Exact("1e-8"))]
    assert events.shop.reasons(spec) == []


def test_a_schema_that_spark_does_not_read_fails_the_run(events: Events) -> None:
    recursive = {**FIRST, "fields": [*FIRST["fields"], {"name": "next", "type": ["null", "Order"]}]}
    events.send({"id": 1})
    with pytest.raises(InputError, match="does not read the Avro schema") as caught:
        events.shop.run(said(events, {17: recursive}))
    assert "schema 17" in (caught.value.where or "")


ID = {"name": "ID", "type": "int"}
DEEP = FIRST | {"name": "Deep", "fields": [*FIRST["fields"], ID]}


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
        ({17: '{"type": "record", "name": "A", "fields": [{"name": "x"}]}'}, "cannot be read"),
        ({17: '{"type": "record", "name": "A", "fields": {"a": "int"}}'}, "cannot be read"),
        ({17: json.dumps(FIRST | {"fields": [*FIRST["fields"], ID]})}, "letter case alone"),
        ({17: json.dumps(FIRST | {"fields": [{"name": "a", "type": [DEEP]}]})}, "letter case"),
    ]
    for avro, said_of_it in wrong:
        with pytest.raises(DefinitionError, match=said_of_it):
            topic("orders", broker="events", avro=avro)
