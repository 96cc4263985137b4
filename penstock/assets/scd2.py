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

    A late version goes between its neighbours, and one that is in the table already is corrected
    in its place. One that is not, and equals the version before it, is dropped unless the mode
    keeps it. What is in the table stays there: a version that a correction makes equal to its
    neighbour may differ from it again when the next correction comes.
    """
    names = [column.name for column in contract.columns]
    key, start = contract.key, mode.valid_from
    attributes = [n for n in names if n not in (*key, start, mode.valid_to, mode.is_current)]
    base = [*key, start, *attributes]
    rows = batch.select(*map(_column, base)).withColumn("_new", F.lit(True))
    by_key = f"PARTITION BY {', '.join(quoted(name) for name in key)}"
    stands = "false"
    if history is not None:
        present = set(history.columns)
        old = history.join(batch.select(*map(_column, key)).distinct(), list(key), "left_semi")
        kind = {column.name: column.type for column in contract.columns}
        old = old.select(
            *(_column(n) if n in present else F.lit(None).cast(kind[n]).alias(n) for n in base)
        )
        rows = rows.unionByName(old.withColumn("_new", F.lit(False)))
        # of two rows for one moment the new one is first; both have the same windows, so that
        # Spark moves and sorts the rows once for all of this
        moment, both = quoted(start), f"OVER ({by_key} ORDER BY {quoted(start)}, _new DESC)"
        rows = rows.withColumn(
            "_stands", F.expr(f"coalesce(lead({moment}) {both} = {moment}, false)")
        )
        corrected = F.expr(f"coalesce(lag({moment}) {both} = {moment}, false)")
        rows = rows.withColumn("_corrected", corrected).where(F.expr("NOT _corrected"))
        stands = "_stands"
    window = f"OVER ({by_key} ORDER BY {quoted(start)})"
    if not mode.keep_repeated:
        state = f"struct({', '.join(quoted(name) for name in attributes)})" if attributes else "1"
        rows = rows.withColumn("_state", F.expr(state))
        rows = rows.withColumn("_before", F.expr(f"lag(_state) {window}"))
        repeated = f"_new AND NOT {stands} AND _before IS NOT NULL AND _state <=> _before"
        rows = rows.where(F.expr(f"NOT ({repeated})"))
    ended = rows.withColumn(mode.valid_to, F.expr(f"lead({quoted(start)}) {window}"))
    return ended.withColumn(mode.is_current, F.expr(f"{quoted(mode.valid_to)} IS NULL")).select(
        *map(_column, names)
    )


def _column(name: str) -> Column:
    return F.col(quoted(name))
