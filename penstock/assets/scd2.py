"""Slowly changing dimension, type 2 (Kimball): every version of a row, each with its validity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from penstock.assets.modes import Scd2
    from penstock.schemas.model import ContractModel

__all__ = ["versions"]


def versions(
    batch: DataFrame, history: DataFrame | None, contract: ContractModel, mode: Scd2
) -> DataFrame:
    """The rows to merge by key and valid_from: new versions, and old ones whose end changes.

    A version of the batch that equals the one before it says nothing new and is dropped. A late
    one goes between its neighbours. Versions already in the table are never dropped.
    """
    names = [column.name for column in contract.columns]
    key, start = contract.key, mode.valid_from
    attributes = [n for n in names if n not in (*key, start, mode.valid_to, mode.is_current)]
    base = [*key, start, *attributes]
    rows = batch.select(*map(_column, base)).withColumn("_new", F.lit(True))
    if history is not None:
        present = set(history.columns)
        old = history.join(batch.select(*map(_column, key)).distinct(), list(key), "left_semi")
        old = old.join(batch.select(*map(_column, (*key, start))), [*key, start], "left_anti")
        kind = {column.name: column.type for column in contract.columns}
        old = old.select(
            *(_column(n) if n in present else F.lit(None).cast(kind[n]).alias(n) for n in base)
        )
        rows = rows.unionByName(old.withColumn("_new", F.lit(False)))
    by_key = ", ".join(quoted(name) for name in key)
    window = f"OVER (PARTITION BY {by_key} ORDER BY {quoted(start)})"
    if attributes:
        state = f"struct({', '.join(quoted(name) for name in attributes)})"
        rows = rows.withColumn("_state", F.expr(state)).withColumn(
            "_before", F.expr(f"lag(_state) {window}")
        )
        repeated = "_new AND _before IS NOT NULL AND _state <=> _before"
    else:
        rows = rows.withColumn("_before", F.expr(f"lag(1) {window}"))
        repeated = "_new AND _before IS NOT NULL"
    kept = rows.where(F.expr(f"NOT ({repeated})"))
    ended = kept.withColumn(mode.valid_to, F.expr(f"lead({quoted(start)}) {window}"))
    return ended.withColumn(mode.is_current, F.expr(f"{quoted(mode.valid_to)} IS NULL")).select(
        *map(_column, names)
    )


def _column(name: str) -> Column:
    return F.col(quoted(name))
