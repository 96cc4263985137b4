"""Step 5, commit: one Delta commit for the good rows, one for those set aside.

Both are idempotent: the good rows by `txnAppId/txnVersion`, the others by replacing what the token
left before. Delta skips a version of a transaction that it has seen or that is older, and ours is
that of the commit that the run follows: of two runs that follow the same one, whatever they read,
one commits and the other is done again on top of it. What a run knows goes into `userMetadata`, so
the table itself says which run made which version.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, assert_never

from penstock.assets.modes import Append, Merge, Overwrite, ReplaceSlice, Scd2
from penstock.assets.scd2 import versions
from penstock.errors import ConflictError
from penstock.resources.session_settings import session_settings
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

    from penstock.assets.resolve import Resolved
    from penstock.resources.lake import Table
    from penstock.resources.table_commit import Commit

__all__ = ["commit_good", "commit_quarantine"]

_APP = "spark.databricks.delta.write.txnAppId"
_VERSION = "spark.databricks.delta.write.txnVersion"
_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# MERGE reads its source twice, and makes a copy of one that may be another the second time
_SOURCE_AS_IT_IS = {"spark.databricks.delta.merge.materializeSource": "none"}


def commit_good(
    resolved: Resolved,
    spark: SparkSession,
    frame: DataFrame,
    facts: Mapping[str, Any],
    *,
    evolve: bool,
    held: bool = False,
) -> Commit:
    """Write the frame by the dataset's mode and return the commit that holds it.

    `facts` becomes the commit's userMetadata. With `evolve` the table gains the frame's new
    columns. `held`: Spark holds the frame's rows. Raises ConflictError when another writer was
    first.
    """
    spec, new = resolved.spec, resolved.state is None
    metadata = json.dumps(facts, separators=(",", ":"))
    said = {
        "txnAppId": resolved.transaction.id,
        "txnVersion": str(resolved.transaction.version),
        "userMetadata": metadata,
    }
    writer = frame.write.format("delta").options(**said)
    if evolve:
        writer = writer.option("mergeSchema", "true")
    if new:
        writer = _creating(writer, resolved)
    match spec.write:
        case Overwrite():
            writer.mode("overwrite").save(resolved.table.path)
        case ReplaceSlice():
            assert spec.partitions is not None
            column = spec.model.column(spec.partitions.column)
            assert column is not None
            predicate = resolved.slice.predicate(column.name, column.type)
            writer = writer if new else writer.option("replaceWhere", predicate)
            writer.mode("overwrite" if not new else "append").save(resolved.table.path)
        case Append():
            writer.mode("append").save(resolved.table.path)
        case Merge():
            if new:
                writer.mode("append").save(resolved.table.path)
            else:
                more = _SOURCE_AS_IT_IS if held else {}
                _merge(spark, resolved, frame, spec.model.key, metadata, more, evolve=evolve)
        case Scd2() as mode:
            history = None if new else spark.read.format("delta").load(resolved.table.path)
            rows = versions(frame, history, spec.model, mode)
            if new:
                writer = rows.write.format("delta").options(**said)
                _creating(writer, resolved).mode("append").save(resolved.table.path)
            else:
                key = (*spec.model.key, mode.valid_from)
                _merge(spark, resolved, rows, key, metadata, {}, evolve=evolve)
        case _:
            assert_never(spec.write)
    commit = _made(resolved)
    if commit is None:
        raise ConflictError(
            "another run wrote the table first",
            where=resolved.spec.name,
            expected=f"a commit with token {resolved.token}",
            found="the commit of a run that began on the same version",
            next_step="run again: it is done on top of the other's",
        )
    return commit


def commit_quarantine(table: Table, frame: DataFrame, token: str) -> None:
    """Put the entries in place of those the same token left before.

    Raises DefinitionError when the quarantine table would be made inside another table.
    """
    # also where there is no table yet: when this is written another driver may have made it
    writer = frame.write.format("delta").mode("overwrite")
    writer = writer.option("replaceWhere", f"token = {literal(token)}")
    # those of another thread's commit are not for this one
    with session_settings(frame.sparkSession, {}):
        if table.read() is None:
            table.refuse_nested()
            # one partition for each token: runs of other slices are no conflict
            writer = writer.partitionBy("token").option("delta.dataSkippingStatsColumns", "run_id")
        writer.save(table.path)


def _made(resolved: Resolved) -> Commit | None:
    """The commit that the run made on top of the state it resolved, None when it made none."""
    state = resolved.state
    log = state.newest() if state else resolved.table.read()
    since = log.commits(state.version if state else -1) if log else ()
    return next((c for c in since if c.facts and c.facts.get("token") == resolved.token), None)


def _creating(writer: DataFrameWriter, resolved: Resolved) -> DataFrameWriter:
    """The writer with what a new table needs; a property cannot be set in the same commit later."""
    model, partitions = resolved.spec.model, resolved.spec.partitions
    writer = writer.option("delta.enableChangeDataFeed", "true")
    # a run is recognised by its commit, so commits are kept longer than anyone retries
    writer = writer.option("delta.logRetentionDuration", "interval 400 days")
    column = model.column(partitions.column) if partitions else None
    by_day = column.name if column and column.type == "date" else None
    if any(c.pii and not c.masked for c in model.columns):
        # minima and maxima in the log would hold values of rows
        counted = [c for c in model.columns if not (c.pii and not c.masked) and c.name != by_day]
        names = ",".join(quoted(c.name) for c in counted)
        writer = (
            writer.option("delta.dataSkippingStatsColumns", names)
            if counted
            else writer.option("delta.dataSkippingNumIndexedCols", "0")
        )
    return writer.partitionBy(by_day) if by_day else writer


def _merge(
    spark: SparkSession,
    resolved: Resolved,
    frame: DataFrame,
    key: tuple[str, ...],
    metadata: str,
    more: Mapping[str, str],
    *,
    evolve: bool,
) -> None:
    """Update the rows that differ, insert the new ones; rows that are equal are left alone."""
    # two threads of one session may merge the same
    view = f"penstock_{uuid.uuid4().hex}"
    columns = [quoted(name) for name in frame.columns]
    keys = [quoted(name) for name in key]
    match = " AND ".join(f"t.{name} = s.{name}" for name in keys)
    others = [name for name in columns if name not in keys]
    table_columns = {quoted(c.name) for c in resolved.state.columns()} if resolved.state else set()
    # a column that the table gains in this merge has no old value to compare with
    same = " AND ".join(f"t.{n} <=> s.{n}" for n in others if n in table_columns)
    news = [n for n in others if n not in table_columns]
    same = " AND ".join([*([same] if same else []), *(f"s.{n} IS NULL" for n in news)]) or "true"
    path = resolved.table.path.replace("`", "``")
    frame.createOrReplaceTempView(view)
    # the target's columns bare: `t.` finds none that the table only gains in this merge
    update = ", ".join(f"{name} = s.{name}" for name in others)
    sql = (
        f"MERGE {'WITH SCHEMA EVOLUTION ' if evolve else ''}INTO delta.`{path}` t "
        f"USING {view} s ON {match} "
        + (f"WHEN MATCHED AND NOT ({same}) THEN UPDATE SET {update} " if others else "")
        + f"WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) "
        f"VALUES ({', '.join(f's.{name}' for name in columns)})"
    )
    # DML has no write options
    transaction = resolved.transaction
    settings = {_APP: transaction.id, _VERSION: str(transaction.version), _METADATA: metadata}
    try:
        with session_settings(spark, {**settings, **more}):
            spark.sql(sql).collect()
    finally:
        spark.catalog.dropTempView(view)
