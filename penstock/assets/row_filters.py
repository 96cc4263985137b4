"""Filters of rows: a frame that stops at the first bad one, and the newest of those alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

__all__ = ["BAD_ROW", "last_of_each", "newest_of", "only", "raise_unless"]

BAD_ROW = "penstock:bad-row"  # the message of the error a strict frame raises
_ROW = "_penstock_row"
_RANK = "_penstock_rank"


def only(frame: DataFrame, predicate: str) -> DataFrame:
    """The rows that keep `predicate` (SQL), each computed and tested once.

    A filter does not move below a column whose value depends on where it is computed. Moved, it
    would compute what it tests a second time, for rows that a join drops too, and what is tested
    would not be what is kept where a function makes something else of a row the second time.
    """
    numbered = frame.withColumn(_ROW, F.monotonically_increasing_id())
    return numbered.where(F.expr(f"{_ROW} >= 0 AND ({predicate})")).drop(_ROW)


def raise_unless(frame: DataFrame, predicate: str) -> DataFrame:
    """The frame; running it fails with BAD_ROW when a row does not keep `predicate`.

    Exactly the frame's rows are tested, each once.
    """
    alarm = f"CAST(raise_error({literal(BAD_ROW)}) AS boolean)"
    return only(frame, f"CASE WHEN {predicate} THEN true ELSE {alarm} END")


def newest_of(
    rows: DataFrame, apart: Iterable[str], order: str, *, also: str = "false"
) -> DataFrame:
    """Of the rows that `apart` does not tell apart those that `order` (SQL) has first, all of them.

    Rows without a key are no versions of each other: all of them are given, to be set aside, and
    so are those for which `also` (SQL) is true.
    """
    names = [quoted(name) for name in apart]
    rank = F.expr(f"rank() OVER (PARTITION BY {', '.join(names)} ORDER BY {order})")
    nameless = " OR ".join(f"{name} IS NULL" for name in names)
    return (
        rows.withColumn(_RANK, rank)
        .where(F.expr(f"{_RANK} = 1 OR {nameless} OR {also}"))
        .drop(_RANK)
    )


def last_of_each(rows: DataFrame, key: Iterable[str], order_by: str) -> DataFrame:
    """Of the rows of each key the one with the highest `order_by`, once where it is repeated.

    Several that differ and are equally high are all given, and so are rows without a key or without
    `order_by`: to be set aside.
    """
    keys = [quoted(name) for name in key]
    everything = ", ".join(quoted(name) for name in rows.columns)
    last = newest_of(rows, [*key], f"{quoted(order_by)} DESC", also=f"{quoted(order_by)} IS NULL")
    nameless = " OR ".join(f"{name} IS NULL" for name in (*keys, quoted(order_by)))
    # within the rows of a key, which are together already
    once = f"row_number() OVER (PARTITION BY {everything} ORDER BY {keys[0]})"
    numbered = last.withColumn(_RANK, F.expr(once))
    return numbered.where(F.expr(f"{_RANK} = 1 OR {nameless}")).drop(_RANK)
