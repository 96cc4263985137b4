"""Values of a topic in Avro, as Confluent's serializers write them: an id of its schema, then it.

The five bytes in front say by which schema a value was written, and read by another one its values
would be others, in silence. So it is read by the very schema that the id stands for, or not at all.
What is read is told on as JSON, for which there is a law of what becomes of each value.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyspark.sql.types as T
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from penstock.assets.landing.json_value import MICROS
from penstock.assets.raised import NO_CLIENT, conditions, java_class
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock.assets.inputs.topic_schemas import Schemas

__all__ = ["UNREAD", "VALUE", "with_lines"]

#: The columns of a record's bytes, and of why they are no row.
VALUE, UNREAD = "_value", "_unread"
_READ = "_read"
_HEADER = 5  # a zero, then the id in four bytes
_DIGITS = 38  # with fewer than 19 Spark takes the last 64 bits of a decimal, whatever it has
_OPTIONS = f"map('ignoreNullFields', 'false', {MICROS})"
_IDS_SHOWN = 5
_LONG_BYTES = 8
_ID = f"substring({VALUE}, 1, {_HEADER})"
_AVRO = ("org.apache.avro.", "org.apache.spark.sql.avro.")


def with_lines(rows: DataFrame, schemas: Schemas, mark: str, where: str) -> DataFrame:
    """The rows with their `_value` told as JSON in `_line`, and why it is not in UNREAD.

    What cannot be read is in `_line` as a text in base64. `mark` is 32 hexadecimal digits that no
    record holds.

    Raises InputError for a schema that Spark does not read, and for values of schemas that are not
    named: a Spark job looks.
    """
    _refuse_unknown(rows, schemas, where)
    told, unread = [], []
    for number, schema in schemas:
        mine = f"{_ID} = {_header(number)}"
        read = f"{_READ}{number}"
        # Spark stops at the end of the row, whatever follows, and makes NULLs of what it cannot
        # read. So a mark is read behind the row: it is there if the row was read to its end
        payload = f"CASE WHEN {mine} THEN concat(substring({VALUE}, {_HEADER + 1}), X'{mark}') END"
        rows = _decoded(
            rows.withColumn(read, F.expr(payload)), read, schema, f"{where}, schema {number}"
        )
        kind = rows.selectExpr(f"{read}.row").schema["row"].dataType
        whole = f"{read}.end <=> X'{mark}'"
        json_ = f"to_json({_plain(f'{read}.row', kind)}, {_OPTIONS})"
        told.append(f"WHEN {mine} AND {whole} THEN {json_}")
        unread.append(f"WHEN {mine} AND NOT ({whole}) THEN 'avro:malformed'")
    plain = f"""concat('"', base64({VALUE}), '"')"""
    line = f"CASE WHEN {VALUE} IS NULL THEN NULL {' '.join(told)} ELSE {plain} END AS _line"
    # a text that is no UTF-8 was mended on the way
    mended = f"contains(_line, '\ufffd') AND NOT contains({VALUE}, X'EFBFBD')"
    why = (
        f"CASE WHEN {VALUE} IS NULL THEN NULL {' '.join(unread)} "
        f"WHEN {_ID} NOT IN ({_headers(schemas)}) THEN 'avro:schema' "
        f"WHEN {mended} THEN 'avro:encoding' END"
    )
    others = [quoted(name) for name in rows.columns if not name.startswith((VALUE, _READ))]
    rows = rows.selectExpr("*", line)
    return rows.selectExpr(*others, "_line", f"{why} AS {UNREAD}")


def _header(number: int) -> str:
    return f"X'00{number:08X}'"


def _headers(schemas: Schemas) -> str:
    return ", ".join(_header(number) for number, _ in schemas)


def _refuse_unknown(rows: DataFrame, schemas: Schemas, where: str) -> None:
    """Raise InputError for values of schemas that nobody named: they would be passed over."""
    framed = f"startswith({_ID}, X'00') AND length({_ID}) = {_HEADER}"
    other = f"{framed} AND {_ID} NOT IN ({_headers(schemas)})"
    ids = rows.where(F.expr(other)).selectExpr(f"hex({_ID}) AS id").distinct()
    found = sorted(int(row.id, 16) for row in ids.limit(_IDS_SHOWN).collect())
    if found:
        raise InputError(
            "values are written by schemas that are not named",
            where=where,
            expected=", ".join(str(number) for number, _ in schemas),
            found=", ".join(map(str, found)),
            next_step=f"ask the registry (GET /schemas/ids/{found[0]}) and name them in avro=; "
            "nothing was committed",
        )


def _decoded(rows: DataFrame, read: str, schema: str, where: str) -> DataFrame:
    """The rows with the bytes in `read` as a row and what stands behind it."""
    framed = {
        "type": "record",
        "name": "PenstockFramed",
        "fields": [
            {"name": "row", "type": _widened(json.loads(schema))},
            {"name": "end", "type": {"type": "fixed", "name": "PenstockEnd", "size": 16}},
        ],
    }
    from pyspark.sql.avro.functions import from_avro

    try:
        made = rows.withColumn(read, from_avro(read, json.dumps(framed), {"mode": "PERMISSIVE"}))
        _ = made.schema
    except (AnalysisException, Py4JJavaError) as error:
        said = java_class(error) or ""
        if NO_CLIENT & {*conditions(error)} or not (conditions(error) or said.startswith(_AVRO)):
            raise
        raise InputError(
            "Spark does not read the Avro schema",
            where=where,
            expected="a schema of types that Spark has, and that does not name itself",
            found=", ".join(conditions(error)) or said,
            next_step="have the sender write other types",
        ) from error
    return made


def _widened(kind: Any) -> Any:
    """The schema with room for what a decimal may hold, whatever its precision says.

    Of one with less than 19 digits Spark takes the last 64 bits.
    """
    match kind:
        case {"type": "bytes", "logicalType": "decimal"}:
            return {**kind, "precision": _DIGITS}
        case {"type": "fixed", "logicalType": "decimal", "size": int(size), "precision": int(most)}:
            return {**kind, "precision": max(most, 19)} if size > _LONG_BYTES else kind
        case {"fields": list(fields)}:
            return {**kind, "fields": [{**f, "type": _widened(f["type"])} for f in fields]}
        case {"items": inner}:
            return {**kind, "items": _widened(inner)}
        case {"values": inner}:
            return {**kind, "values": _widened(inner)}
        case list():
            return [_widened(one) for one in kind]
        case {"type": dict() | list() as inner}:
            return {**kind, "type": _widened(inner)}
        case _:
            return kind


def _plain(value: str, kind: T.DataType, depth: int = 1) -> str:
    """SQL, the value as JSON can have it: decimals with all their digits, bytes as an object.

    JSON would write a small decimal with an exponent, and bytes as a text like any other.
    """
    element = f"x{depth}"
    match kind:
        case T.DecimalType():
            return f"CAST({value} AS string)"
        case T.BinaryType():
            return f"CASE WHEN {value} IS NOT NULL THEN named_struct('base64', base64({value})) END"
        case T.StructType():
            parts = (
                f"{literal(f.name)}, {_plain(f'{value}.{quoted(f.name)}', f.dataType, depth)}"
                for f in kind.fields
            )
            return f"CASE WHEN {value} IS NOT NULL THEN named_struct({', '.join(parts)}) END"
        case T.ArrayType():
            inner = _plain(element, kind.elementType, depth + 1)
            return f"transform({value}, {element} -> {inner})"
        case T.MapType():
            inner = _plain(element, kind.valueType, depth + 1)
            return f"transform_values({value}, (k{depth}, {element}) -> {inner})"
        case _:
            return value
