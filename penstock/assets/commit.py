"""Step 5, commit: one Delta commit for the good rows, one for those set aside.

Both are idempotent: the good rows by `txnAppId/txnVersion`, the others by replacing what the token
left before. Delta skips a version of a transaction that it has seen or that is older, and ours is
that of the commit that the run follows: of two runs that follow the same one, whatever they read,
one commits and the other is done again on top of it. A transaction is of one slice: whether a run
of another that has rows of this one was first is asked of the log. What a run knows goes into
`userMetadata`, so the table itself says which run made which version.
"""

from __future__ import annotations

import json
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, assert_never

from pyspark.sql import functions as F

from penstock.assets.file_statistics import counted, keep_out_of_statistics
from penstock.assets.frames import table_rows
from penstock.assets.layout import folder_column
from penstock.assets.modes import Append, Merge, Overwrite, ReplaceSlice, Scd2
from penstock.assets.past import may_write
from penstock.assets.resolve import own_columns
from penstock.assets.scd2 import versions
from penstock.assets.whole_list import GONE
from penstock.errors import ConflictError
from penstock.resources.session_settings import session_settings
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

    from penstock.assets.resolve import Resolved
    from penstock.resources.lake import Table
    from penstock.resources.table_commit import Commit

__all__ = ["commit_good", "commit_quarantine"]

_APP = "spark.databricks.delta.write.txnAppId"
_VERSION = "spark.databricks.delta.write.txnVersion"
_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_BUCKET = "bucket"  # of a quarantine table: the first two digits of a token
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
    first; the rows may be in the table then, and are to be made again on top of the other's.
    """
    spec, new = resolved.spec, resolved.state is None
    metadata = json.dumps(facts, separators=(",", ":"))
    write = partial(_write, resolved, metadata, evolve=evolve)
    keep_out_of_statistics(resolved, spark, facts["run_id"])
    # any commit that a run of another mode did not see makes its transaction void
    replaces = isinstance(spec.write, ReplaceSlice)
    if replaces:
        _refuse_overtaken(resolved, _since(resolved))
    removes = _removes(resolved, frame)
    match spec.write:
        case Overwrite():
            write(frame, "overwrite")
        case ReplaceSlice():
            replaced = {"replaceWhere": resolved.in_slice}
            write(frame, "append" if new else "overwrite", {} if new else replaced)
        case Append(known="skip") if spec.row_key and not new:
            write(_unknown(frame, spark, resolved), "append")
        case Append():
            write(frame, "append")
        case Merge() if new:
            write(_that_stay(frame, removes), "append")
        case Merge():
            more = _SOURCE_AS_IT_IS if held else {}
            _merge(spark, resolved, frame, spec.model.key, metadata, more, evolve=evolve)
        case Scd2() as mode if new:
            rows = versions(frame, None, spec.model, mode, removes)
            write(_that_stay(rows, removes), "append")
        case Scd2() as mode:
            history = spark.read.format("delta").load(resolved.table.path)
            rows = versions(frame, history, spec.model, mode, removes)
            _merge(spark, resolved, rows, spec.row_key, metadata, {}, evolve=evolve)
        case _:
            assert_never(spec.write)
    since = _since(resolved)
    commit = next((c for c in since if c.facts and c.facts.get("token") == resolved.token), None)
    if commit is None:
        raise ConflictError(
            "another run wrote the table first",
            where=resolved.spec.name,
            expected=f"a commit with token {resolved.token}",
            found="the commit of a run that began on the same version",
            next_step="run again: it is done on top of the other's",
        )
    # what came behind the version that our write saw was held against it by Delta
    seen = commit.version - 1 if commit.on_top_of is None else commit.on_top_of
    if replaces:
        _refuse_overtaken(resolved, [other for other in since if other.version <= seen])
    return commit


def _write(
    resolved: Resolved,
    metadata: str,
    frame: DataFrame,
    how: Literal["append", "overwrite"],
    options: Mapping[str, str] = {},
    *,
    evolve: bool,
) -> None:
    """The frame as a commit of the run's transaction; a table that is new is made with it."""
    transaction = resolved.transaction
    writer = frame.write.format("delta").options(
        txnAppId=transaction.id,
        txnVersion=str(transaction.version),
        userMetadata=metadata,
        **options,
    )
    if evolve:
        writer = writer.option("mergeSchema", "true")
    if resolved.state is None:
        writer = _creating(writer, resolved)
    writer.mode(how).save(resolved.table.path)


def _removes(resolved: Resolved, frame: DataFrame) -> str | None:
    """The column of the frame that says which rows are to be taken out, None where none are."""
    return resolved.spec.removes or (GONE if GONE in frame.columns else None)


def _that_stay(frame: DataFrame, removes: str | None) -> DataFrame:
    """The rows of the frame that are to be in the table, with its columns."""
    if removes is None:
        return frame
    return frame.where(F.expr(f"NOT coalesce({quoted(removes)}, false)")).drop(removes)


def _unknown(frame: DataFrame, spark: SparkSession, resolved: Resolved) -> DataFrame:
    """The rows whose key is not in the table."""
    key = resolved.spec.row_key
    there = table_rows(resolved, spark).select(*(F.col(quoted(name)) for name in key))
    return frame.join(there, list(key), "left_anti")


def commit_quarantine(table: Table, frame: DataFrame, token: str) -> None:
    """Put the entries in place of those the same token left before.

    Raises DefinitionError when the quarantine table would be made inside another table.
    """
    log = table.read()
    replaced = f"token = {literal(token)}"
    # tables that were made before there was a bucket have a partition for each run that found one
    in_buckets = log is None or _BUCKET in log.partition_columns()
    if in_buckets:
        # runs of other slices are seldom a conflict, and ten thousand runs make 256 partitions
        bucket = token[:2]
        frame = frame.withColumn(_BUCKET, F.lit(bucket))
        replaced = f"{_BUCKET} = {literal(bucket)} AND {replaced}"
    # also where there is no table yet: when this is written another driver may have made it
    writer = frame.write.format("delta").mode("overwrite").option("replaceWhere", replaced)
    # those of another thread's commit are not for this one
    with session_settings(frame.sparkSession, {}):
        if log is None:
            table.refuse_nested()
            writer = writer.partitionBy(_BUCKET)
            writer = writer.option("delta.dataSkippingStatsColumns", "token,run_id")
        writer.save(table.path)


def _since(resolved: Resolved) -> list[Commit]:
    """The commits on top of the state that the run resolved, newest first."""
    state = resolved.state
    log = state.newest() if state else resolved.table.read()
    return list(log.commits(state.version if state else -1)) if log else []


def _refuse_overtaken(resolved: Resolved, since: Iterable[Commit]) -> None:
    """Raise ConflictError where one of the commits may have written rows of the slice.

    What it wrote would be replaced by rows of inputs that were pinned before its own.
    """
    columns = own_columns(resolved.spec)
    for commit in since:
        if may_write(commit, resolved.slice, *columns):
            raise ConflictError(
                "another writer wrote rows of the slice first",
                where=f"{resolved.spec.name} {resolved.slice.key}",
                expected="no commit of such rows since the run began",
                found=f"version {commit.version}, {commit.operation}",
                next_step="run again: it is done on top of the other's",
            )


def _creating(writer: DataFrameWriter, resolved: Resolved) -> DataFrameWriter:
    """The writer with what a new table needs; a property cannot be set in the same commit later."""
    model = resolved.spec.model
    writer = writer.option("delta.enableChangeDataFeed", "true")
    # a run is recognised by its commit, so commits are kept longer than anyone retries
    writer = writer.option("delta.logRetentionDuration", "interval 400 days")
    folders = folder_column(resolved.spec)
    columns = [c.name for c in model.columns if c.name != folders]
    writer = writer.options(**counted(model, columns))
    return writer.partitionBy(folders) if folders else writer


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
    """Update the rows that differ, insert the new ones; rows that are equal are left alone.

    Those that are gone are taken out. A row that is older than the table's changes nothing.
    """
    # two threads of one session may merge the same
    view = f"penstock_{uuid.uuid4().hex}"
    removes = _removes(resolved, frame)
    columns = [quoted(name) for name in frame.columns if name != removes]
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
    gone = f"coalesce(s.{quoted(removes)}, false)" if removes else None
    newer, order_by = "", resolved.spec.order_by
    if order_by and quoted(order_by) in table_columns:
        newer = f" AND coalesce(s.{quoted(order_by)} >= t.{quoted(order_by)}, true)"
    sql = (
        f"MERGE {'WITH SCHEMA EVOLUTION ' if evolve else ''}INTO delta.`{path}` t "
        f"USING {view} s ON {match} "
        + (f"WHEN MATCHED AND {gone}{newer} THEN DELETE " if gone else "")
        + (f"WHEN MATCHED AND NOT ({same}){newer} THEN UPDATE SET {update} " if others else "")
        + f"WHEN NOT MATCHED{f' AND NOT {gone}' if gone else ''} THEN "
        f"INSERT ({', '.join(columns)}) VALUES ({', '.join(f's.{name}' for name in columns)})"
    )
    # DML has no write options
    transaction = resolved.transaction
    settings = {_APP: transaction.id, _VERSION: str(transaction.version), _METADATA: metadata}
    try:
        with session_settings(spark, {**settings, **more}):
            spark.sql(sql).collect()
    finally:
        spark.catalog.dropTempView(view)
