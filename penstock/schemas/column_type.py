"""The types that a column may have: what an annotation stands for, and what a type can do."""

from __future__ import annotations

import decimal
import re
import types
from datetime import date, datetime
from typing import Any, Union, get_args, get_origin

import pyspark.sql.types as T

from penstock.errors import DefinitionError

__all__ = ["PYTHON_TYPES", "comparable", "data_type"]

PYTHON_TYPES: dict[Any, T.DataType] = {
    str: T.StringType(),
    int: T.LongType(),
    float: T.DoubleType(),
    bool: T.BooleanType(),
    bytes: T.BinaryType(),
    date: T.DateType(),
    datetime: T.TimestampType(),
}
_EXPECTED = "str, int, float, bool, bytes, date, datetime, Decimal(p, s) or a pyspark DataType"
_FIELD = re.compile(r"[A-Za-z_]\w*")
_NESTED = (T.ArrayType, T.MapType, T.StructType)
# what Delta stores, and gives back as the type it was given
_STORED = (
    *(type(kind) for kind in PYTHON_TYPES.values()),
    T.ByteType,
    T.ShortType,
    T.IntegerType,
    T.FloatType,
    T.DecimalType,
    T.TimestampNTZType,
    T.VariantType,
)


def data_type(where: str, field: str, note: Any) -> T.DataType:
    """The Spark type that a column's annotation stands for. Raises DefinitionError."""
    found = _spark_type(note)
    if found is None:
        raise DefinitionError(
            "not a column type",
            where=f"{where}.{field}",
            expected=_EXPECTED,
            found=getattr(note, "__qualname__", None) or str(note),
            next_step=_mend(field, note),
        )
    unfit = next((kind for kind in _parts(found) if not _stored(kind)), None)
    if unfit is not None:
        raise DefinitionError(
            "a table cannot hold this type",
            where=f"{where}.{field}",
            expected=_EXPECTED,
            found=unfit.simpleString(),
            next_step="use str, and column(str_length={'max_value': ...}) for its length"
            if isinstance(unfit, T.CharType | T.VarcharType | T.StringType)
            else "use a type that Delta stores, such as a number of seconds for an interval",
        )
    _refuse_parts(f"{where}.{field}", found)
    return found


def _refuse_parts(where: str, kind: T.DataType) -> None:
    """Raise DefinitionError for a field of a struct that SQL could not name as it stands.

    And for a part that may not be NULL: the checks are of columns.
    """
    required = [
        part.simpleString()
        for part in _parts(kind)
        if (isinstance(part, T.ArrayType) and not part.containsNull)
        or (isinstance(part, T.MapType) and not part.valueContainsNull)
        or (isinstance(part, T.StructType) and not all(field.nullable for field in part))
    ]
    if required:
        raise DefinitionError(
            "a part of the column's type may not be NULL, which no check looks at",
            where=where,
            expected="parts that may be NULL, and a rule over the row where they must not",
            found=", ".join(required),
            next_step="leave out containsNull=, valueContainsNull= and nullable= in the type, and "
            "say it in rules={...}: 'NOT exists(parts, x -> x IS NULL)', 'place.town IS NOT NULL'",
        )
    for struct in (part for part in _parts(kind) if isinstance(part, T.StructType)):
        low = [name.lower() for name in struct.names]
        wrong = [n for n in struct.names if not _FIELD.fullmatch(n) or low.count(n.lower()) > 1]
        if wrong:
            raise DefinitionError(
                "a field of a struct has a name that a table cannot hold",
                where=where,
                expected="letters, digits and _, each name once whatever its letter case",
                found=", ".join(map(repr, wrong)),
                next_step="keep the column as T.VariantType, or as a map with keys of text",
            )


def comparable(kind: T.DataType) -> bool:
    """Whether Spark can say that two values are equal: of maps and variants it cannot."""
    return not any(isinstance(part, T.MapType | T.VariantType) for part in _parts(kind))


def _spark_type(note: Any) -> T.DataType | None:
    if isinstance(note, T.DataType):
        return note
    if isinstance(note, type) and issubclass(note, T.DataType):
        try:
            return note()
        except TypeError:  # an array or a map of nothing
            return None
    return PYTHON_TYPES.get(note) if isinstance(note, type) else None


def _parts(kind: T.DataType) -> list[T.DataType]:
    """The type, and those it is made of."""
    match kind:
        case T.ArrayType():
            inner = [kind.elementType]
        case T.MapType():
            inner = [kind.keyType, kind.valueType]
        case T.StructType():
            inner = [field.dataType for field in kind.fields]
        case _:
            inner = []
    return [kind, *(part for each in inner for part in _parts(each))]


def _stored(kind: T.DataType) -> bool:
    if type(kind) is T.StringType:
        return kind.simpleString() == "string"  # one of another collation is not
    return type(kind) in (*_STORED, *_NESTED)


def _mend(field: str, note: Any) -> str:
    arguments = [kind for kind in get_args(note) if kind is not type(None)]
    if get_origin(note) in (Union, types.UnionType) and len(arguments) == 1:
        plain = getattr(arguments[0], "__name__", str(arguments[0]))
        return f"write {field}: {plain} = column(nullable=True)"
    if note is decimal.Decimal:
        return f"write {field}: Decimal(10, 2) = column(), with Decimal from penstock"
    if note is list or get_origin(note) is list or note is T.ArrayType:
        return f"write {field}: T.ArrayType(T.StringType()), with pyspark.sql.types as T"
    if note is dict or get_origin(note) is dict or note is T.MapType:
        return (
            f"write {field}: T.MapType(T.StringType(), T.StringType()), with pyspark.sql.types as T"
        )
    return "use one of these types"
