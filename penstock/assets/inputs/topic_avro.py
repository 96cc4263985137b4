"""Values of a topic in Avro, as Confluent's serializers write them: an id of its schema, then it.

The five bytes in front say by which schema a value was written, and read by another one its values
would be others, in silence. So it is read by the very schema that the id stands for, or set aside.
What is read is told on as JSON, for which there is a law of what becomes of each value.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from penstock.assets.landing.columnar_frames import MICROS
from penstock.errors import InputError
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock.assets.inputs.topic_schemas import Schemas

__all__ = ["UNREAD", "VALUE", "with_lines"]

#: The columns of a record's bytes, and of why they are no row.
VALUE, UNREAD = "_value", "_unread"
_READ = "_read"
_SIMPLE = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_HEADER = 5  # a zero, then the id in four bytes


def with_lines(rows: DataFrame, schemas: Schemas, where: str) -> DataFrame:
    """The rows with their `_value` told as JSON in `_line`, and why it is not in UNREAD.

    What cannot be read is in `_line` as a text in base64. Raises InputError for a schema that Spark
    does not read.
    """
    told, unread = [], []
    for number, schema in schemas:
        header = f"X'00{number:08X}'"
        mine = f"substring({VALUE}, 1, {_HEADER}) = {header}"
        read = f"{_READ}{number}"
        payload = f"CASE WHEN {mine} THEN substring({VALUE}, {_HEADER + 1}) END"
        rows = rows.withColumn(f"{read}_bytes", F.expr(payload))
        failed = _failed(json.loads(schema), read)
        try:
            from pyspark.sql.avro.functions import from_avro, to_avro

            rows = rows.withColumn(read, from_avro(f"{read}_bytes", schema, {"mode": "PERMISSIVE"}))
            if _is_written_in_one_way(json.loads(schema)):
                # Spark stops at the end of the row, whatever follows: that of another schema, say
                again = F.when(~F.expr(failed), F.length(to_avro(read, schema)))
                rows = rows.withColumn(f"{read}_length", again)
                failed = f"({failed}) OR {read}_length <> length({read}_bytes)"
            _ = rows.schema
        except Exception as error:
            raise InputError(
                "Spark does not read the Avro schema",
                where=f"{where}, schema {number}",
                expected="a schema of types that Spark has",
                found=type(error).__name__,
                next_step="have the sender write other types",
            ) from error
        told.append(f"WHEN {mine} AND NOT ({failed}) THEN to_json({read}, {MICROS})")
        unread.append(f"WHEN {mine} THEN CASE WHEN {failed} THEN 'avro:malformed' END")
    plain = f"""concat('"', base64({VALUE}), '"')"""
    line = f"CASE WHEN {VALUE} IS NULL THEN NULL {' '.join(told)} ELSE {plain} END AS _line"
    why = f"CASE WHEN {VALUE} IS NULL THEN NULL {' '.join(unread)} ELSE 'avro:schema' END"
    others = [quoted(name) for name in rows.columns if not name.startswith((VALUE, _READ))]
    return rows.selectExpr(*others, line, f"{why} AS {UNREAD}")


def _failed(schema: dict[str, Any], read: str) -> str:
    """SQL, whether `read`, which is tried first, could not be made of `read`_bytes.

    Spark then gives a row of NULLs, which a row may be as well.
    """
    fields = schema["fields"]
    needed = [field["name"] for field in fields if _null_of(field["type"]) is None]
    if needed:
        return f"{read}.{quoted(needed[0])} IS NULL"
    nulls = "".join(_null_of(field["type"]) or "" for field in fields)
    nothing = " AND ".join(f"{read}.{quoted(field['name'])} IS NULL" for field in fields)
    return f"({nothing}) AND {read}_bytes <> X'{nulls}'"


def _null_of(kind: Any) -> str | None:
    """How NULL is written as a value of this type, in hexadecimal digits; None: it cannot be."""
    match kind:
        case "null" | {"type": "null"}:
            return ""
        case list():
            at = next((n for n, one in enumerate(kind) if one in ("null", {"type": "null"})), None)
            return None if at is None else f"{2 * at:02X}"
        case _:
            return None


def _is_written_in_one_way(kind: Any) -> bool:
    """Whether a value has one length, whoever writes it.

    A list may be written in several blocks, a decimal with more bytes than it takes.
    """
    match kind:
        case {"type": "record", "fields": fields}:
            return all(_is_written_in_one_way(field["type"]) for field in fields)
        case {"type": "bytes", "logicalType": "decimal"}:
            return False
        case {"type": "enum" | "fixed"}:
            return True
        case {"type": inner}:
            return _is_written_in_one_way(inner)
        case [one, other]:
            one_of_both = all(map(_is_written_in_one_way, (one, other)))
            return one_of_both and "null" in (one, other)
        case str():
            return kind in _SIMPLE
        case _:
            return False
