"""Spark's types as trees: what is written is what was read, and which types hold another."""

from __future__ import annotations

import pyspark.sql.types as T
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.schemas.evolution.kind import fields_of, parsed, widens

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
PLAIN = st.sampled_from(
    [
        T.ByteType(),
        T.ShortType(),
        T.IntegerType(),
        T.LongType(),
        T.FloatType(),
        T.DoubleType(),
        T.StringType(),
        T.BinaryType(),
        T.BooleanType(),
        T.DateType(),
        T.TimestampType(),
        T.TimestampNTZType(),
        T.VariantType(),
        T.DecimalType(38, 0),
        T.DecimalType(10, 2),
    ]
)


def _made(inner: st.SearchStrategy[T.DataType]) -> st.SearchStrategy[T.DataType]:
    fields = st.lists(st.tuples(NAMES, inner), max_size=4, unique_by=lambda f: f[0])
    return (
        inner.map(T.ArrayType)
        | st.tuples(inner, inner).map(lambda two: T.MapType(*two))
        | fields.map(lambda each: T.StructType([T.StructField(n, kind) for n, kind in each]))
    )


TYPES: st.SearchStrategy[T.DataType] = st.recursive(PLAIN, _made, max_leaves=8)


@given(TYPES)
def test_a_type_is_what_spark_writes(kind: T.DataType) -> None:
    text = kind.simpleString()
    found = parsed(text)
    assert str(found) == text
    match kind:
        case T.StructType():
            assert {n: str(k) for n, k in fields_of(found).items()} == {
                field.name: field.dataType.simpleString() for field in kind.fields
            }
        case T.ArrayType():
            assert str(fields_of(found)["element"]) == kind.elementType.simpleString()


@pytest.mark.parametrize(
    "text", ["", "array<int", "map<int>", "struct<a>", "int>", "array<>", "struct<a:int,b>"]
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no type of Spark's"):
        parsed(text)


@pytest.mark.parametrize(
    ("old", "new", "wider"),
    [
        ("tinyint", "bigint", True),
        ("int", "bigint", True),
        ("bigint", "int", False),
        ("int", "int", False),
        ("int", "decimal(20,0)", False),
        ("bigint", "double", False),
        ("float", "double", True),
        ("double", "float", False),
        ("date", "timestamp_ntz", True),
        ("date", "timestamp", False),
        ("decimal(10,2)", "decimal(12,2)", True),
        ("decimal(10,2)", "decimal(12,4)", True),
        ("decimal(10,2)", "decimal(12,5)", False),
        ("decimal(10,2)", "decimal(10,3)", False),
        ("decimal(10,2)", "decimal(10,2)", False),
        ("string", "int", False),
        ("array<int>", "array<bigint>", False),  # its element does
    ],
)
def test_a_wider_type_holds_each_value_of_the_other(old: str, new: str, *, wider: bool) -> None:
    assert widens(parsed(old), parsed(new)) is wider
