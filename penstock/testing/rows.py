"""Literal rows as a DataFrame: tuples, dictionaries, or a table drawn in text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T

from penstock.schemas.column_type import PYTHON_TYPES
from penstock.schemas.contract import Contract, struct_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Literal", "Types", "rows"]

Literal = str | Sequence[Sequence[Any] | Mapping[str, Any]]
Types = type[Contract] | T.StructType | Mapping[str, Any]
_NULL = "NULL"


def rows(spark: SparkSession, types: Types, data: Literal = ()) -> DataFrame:
    """The rows with these types: a contract, or column names mapped to types.

    A type is Python's (`int`), Spark's, or text such as `"decimal(10,2)"`. Rows are tuples in
    column order, or dictionaries whose missing columns are NULL, or a table in text: a header
    line, then one line for each row, cells divided by `|`, `NULL` for none. Text is turned into
    the column's type, so dates and decimals can be written as they are read. A datetime without a
    zone is UTC.

    Raises ValueError for a cell that is not of its type or a column that has none.

    >>> flights = rows(spark, {"flight": str, "day": "date", "delay": int}, '''
    ...     flight | day        | delay
    ...     UA 1   | 2013-01-05 | 12
    ...     UA 2   | 2013-01-05 | NULL
    ... ''')
    >>> flights.where("delay > 10").count()
    1
    """
    schema = _struct(types)
    given = _drawn(data) if isinstance(data, str) else data
    cells = [
        tuple(_cell(value, field) for value, field in zip(row, schema.fields, strict=True))
        for row in (_ordered(row, schema) for row in given)
    ]
    return spark.createDataFrame(cells, schema)


def _struct(types: Types) -> T.StructType:
    if isinstance(types, T.StructType):
        return types
    if isinstance(types, type):
        return struct_of(types)
    return T.StructType([T.StructField(name, _type(kind), True) for name, kind in types.items()])


def _type(kind: Any) -> T.DataType:
    if isinstance(kind, T.DataType):
        return kind
    if isinstance(kind, str):
        return T.DataType.fromDDL(kind)
    if kind in PYTHON_TYPES:
        return PYTHON_TYPES[kind]
    raise ValueError(f"not a column type: {kind!r}")


def _ordered(row: Any, schema: T.StructType) -> tuple[Any, ...]:
    if isinstance(row, Mapping):
        if unknown := [name for name in row if name not in schema.names]:
            raise ValueError(f"no such column: {unknown}; there are {schema.names}")
        return tuple(row.get(name) for name in schema.names)
    if len(row) != len(schema.names):
        raise ValueError(f"{len(row)} cells for the columns {schema.names}: {row!r}")
    return tuple(row)


def _drawn(text: str) -> list[dict[str, str | None]]:
    lines = [line for line in text.splitlines() if line.strip()]
    table = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    if not table:
        return []
    header, *body = table
    for row in body:
        if len(row) != len(header):
            raise ValueError(f"{len(row)} cells under the header {header}: {row}")
    return [
        {name: None if cell == _NULL else cell for name, cell in zip(header, row, strict=True)}
        for row in body
    ]


def _cell(value: Any, field: T.StructField) -> Any:
    kind = field.dataType
    try:
        match kind:
            case T.DecimalType() if isinstance(value, str | int):
                return Decimal(value)
            case T.DoubleType() | T.FloatType() if isinstance(value, str | int):
                return float(value)
            case T.IntegralType() if isinstance(value, str):
                return int(value)
            case T.BooleanType() if isinstance(value, str):
                return {"true": True, "false": False}[value.lower()]
            case T.DateType() if isinstance(value, str):
                return date.fromisoformat(value)
            case T.TimestampType() | T.TimestampNTZType() if isinstance(value, str):
                return _moment(datetime.fromisoformat(value), kind)
            case T.BinaryType() if isinstance(value, str):
                return bytes.fromhex(value)
            case _:
                return _moment(value, kind)
    except (ValueError, KeyError, ArithmeticError) as error:
        raise ValueError(f"{field.name}: {value!r} is not a {kind.simpleString()}") from error


def _moment(value: Any, kind: T.DataType) -> Any:
    """The value with its moments in UTC, whatever the zone of the machine."""
    match value, kind:
        case datetime(tzinfo=None), T.TimestampType():
            return value.replace(tzinfo=UTC)
        case list() | tuple(), T.ArrayType():
            return [_moment(item, kind.elementType) for item in value]
        case list() | tuple(), T.StructType() if len(value) == len(kind.fields):
            fields = zip(value, kind.fields, strict=True)
            return tuple(_moment(item, field.dataType) for item, field in fields)
        case dict(), T.StructType():
            known = {field.name: field.dataType for field in kind.fields}
            return {n: _moment(v, known[n]) if n in known else v for n, v in value.items()}
        case dict(), T.MapType():
            return {_moment(k, kind.keyType): _moment(v, kind.valueType) for k, v in value.items()}
        case _:
            return value
