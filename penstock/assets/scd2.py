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


_GONE = "_gone"


def versions(
    batch: DataFrame,
    history: DataFrame | None,
    contract: ContractModel,
    mode: Scd2,
    removes: str | None = None,
) -> DataFrame:
    """The rows to merge by key and valid_from: new versions, and old ones whose end changes.

    A late version goes between its neighbours, and one that is in the table already is corrected
    in its place. One that is not, and equals the version before it, is dropped unless the mode
    keeps it. What is in the table stays there: a version that a correction makes equal to its
    neighbour may differ from it again when the next correction comes.

    `removes` is the column of the batch that says that a key is gone from then on. The frame has it
    too: where it is true nothing is to be in the table, and what is there is to be taken out.
    """
    names = [column.name for column in contract.columns]
    key, start = contract.key, mode.valid_from
    attributes = [n for n in names if n not in (*key, start, mode.valid_to, mode.is_current)]
    base = [*key, start, *attributes]
    gone = F.lit(False) if removes is None else F.expr(f"coalesce({quoted(removes)}, false)")
    rows = batch.select(*map(_column, base), gone.alias(_GONE)).withColumn("_new", F.lit(True))
    by_key = f"PARTITION BY {', '.join(quoted(name) for name in key)}"
    stands = "false"
    if history is not None:
        present = set(history.columns)
        old = history.join(batch.select(*map(_column, key)).distinct(), list(key), "left_semi")
        kind = {column.name: column.type for column in contract.columns}
        if mode.valid_to in present:
            # where a version ends and none begins, what it said was gone: as a row that says so
            end = quoted(mode.valid_to)
            twice = f"explode(if({end} IS NULL, array(false), array(false, true)))"
            old = old.withColumn(_GONE, F.expr(twice))
            old = old.withColumn(start, F.expr(f"if({_GONE}, {end}, {quoted(start)})"))
        else:
            old = old.withColumn(_GONE, F.lit(False))
        old = old.select(
            *(_column(n) if n in present else F.lit(None).cast(kind[n]).alias(n) for n in base),
            _GONE,
        )
        rows = rows.unionByName(old.withColumn("_new", F.lit(False)))
        # of two rows for one moment the new one is first, and an end is last; both have the same
        # windows, so that Spark moves and sorts the rows once for all of this
        moment = quoted(start)
        both = f"OVER ({by_key} ORDER BY {moment}, _new DESC, {_GONE})"
        rows = rows.withColumn(
            "_stands", F.expr(f"coalesce(lead({moment}) {both} = {moment}, false)")
        )
        corrected = F.expr(f"coalesce(lag({moment}) {both} = {moment}, false)")
        rows = rows.withColumn("_corrected", corrected).where(F.expr("NOT _corrected"))
        stands = "_stands"
    window = f"OVER ({by_key} ORDER BY {quoted(start)})"
    if not mode.keep_repeated:
        state = f"struct({', '.join(quoted(name) for name in attributes)})" if attributes else "1"
        # what is gone is in no state: the same as before is then said anew
        rows = rows.withColumn("_state", F.expr(f"CASE WHEN NOT {_GONE} THEN {state} END"))
        rows = rows.withColumn("_before", F.expr(f"lag(_state) {window}"))
        repeated = f"_new AND NOT {stands} AND _before IS NOT NULL AND _state <=> _before"
        rows = rows.where(F.expr(f"NOT ({repeated})"))
    ended = rows.withColumn(mode.valid_to, F.expr(f"lead({quoted(start)}) {window}"))
    ended = ended.withColumn(mode.is_current, F.expr(f"{quoted(mode.valid_to)} IS NULL"))
    if removes is None:  # nothing of the table is to be taken out
        return ended.where(F.expr(f"NOT {_GONE}")).select(*map(_column, names))
    return ended.select(*map(_column, names), F.col(_GONE).alias(removes))


def _column(name: str) -> Column:
    return F.col(quoted(name))
