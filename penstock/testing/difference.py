"""Two frames compared as multisets of rows, with a difference that can be read."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T

from penstock.testing.rows import Literal, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

__all__ = ["assert_frames_equal"]

_MOST_SHOWN = 20


def assert_frames_equal(
    actual: DataFrame, expected: DataFrame | Literal, *, ordered: bool = False
) -> None:
    r"""Raise AssertionError unless both have the same columns, types and rows.

    `expected` may be literal rows, which take the types of `actual`. Columns may come in any
    order, and so may rows unless `ordered`. A row that is there twice must be there twice. NaN
    equals NaN. The message shows the columns that differ, or the rows missing and too many.

    >>> assert_frames_equal(spark.sql("SELECT 1 AS id"), "id\\n 1")
    """
    wanted = _frame(actual, expected)
    if problems := _columns(actual, wanted):
        raise AssertionError("\n".join(["the columns differ", *problems]))
    names = actual.columns
    found, due = _rows(actual, names), _rows(wanted, names)
    if found == due:
        return
    missing, extra = Counter(due), Counter(found)
    missing.subtract(found)
    extra.subtract(due)
    lines = [
        *_listed("missing", (+missing).elements(), names),
        *_listed("too many", (+extra).elements(), names),
    ]
    if lines:
        raise AssertionError(
            "\n".join([f"the rows differ: {len(due)} expected, {len(found)} found", *lines])
        )
    if ordered:
        place = next(n for n, (a, b) in enumerate(zip(found, due, strict=True)) if a != b)
        raise AssertionError(
            f"the order differs from row {place} on\n"
            f"  expected {_shown(due[place], names)}\n  found    {_shown(found[place], names)}"
        )


def _frame(actual: DataFrame, expected: Any) -> DataFrame:
    if hasattr(expected, "schema"):
        frame: DataFrame = expected
        return frame
    return rows(actual.sparkSession, actual.schema, expected)


def _columns(actual: DataFrame, expected: DataFrame) -> list[str]:
    found = {field.name: field.dataType.simpleString() for field in actual.schema.fields}
    due = {field.name: field.dataType.simpleString() for field in expected.schema.fields}
    problems = [f"  missing {name} {kind}" for name, kind in due.items() if name not in found]
    problems += [f"  too many {name} {kind}" for name, kind in found.items() if name not in due]
    problems += [
        f"  {name}: expected {kind}, found {found[name]}"
        for name, kind in due.items()
        if name in found and found[name] != kind
    ]
    return problems


def _rows(frame: DataFrame, names: list[str]) -> list[tuple[Any, ...]]:
    chosen = frame.select(*names)
    return [_comparable(row, chosen.schema) for row in chosen.collect()]


def _comparable(value: Any, kind: T.DataType) -> Any:
    """The value as something that can be hashed and equals itself; a moment is one in UTC."""
    match value, kind:
        case float(), _ if math.isnan(value):
            return "NaN"
        case datetime(), T.TimestampType():
            # collected in the machine's own zone, where two moments a year look the same
            return value.astimezone(UTC)
        case bytearray(), _:
            return bytes(value)
        case dict(), T.MapType():
            return frozenset(
                (_comparable(k, kind.keyType), _comparable(v, kind.valueType))
                for k, v in value.items()
            )
        case tuple(), T.StructType():
            fields = zip(value, kind.fields, strict=True)
            return tuple(_comparable(item, field.dataType) for item, field in fields)
        case list(), T.ArrayType():
            return tuple(_comparable(item, kind.elementType) for item in value)
        case _:
            return value


def _listed(title: str, found: Iterable[tuple[Any, ...]], names: list[str]) -> list[str]:
    lines = sorted(_shown(row, names) for row in found)
    shown = [f"  {title}: {line}" for line in lines[:_MOST_SHOWN]]
    if len(lines) > _MOST_SHOWN:
        shown.append(f"  {title}: and {len(lines) - _MOST_SHOWN} more")
    return shown


def _shown(row: tuple[Any, ...], names: list[str]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in zip(names, row, strict=True))
