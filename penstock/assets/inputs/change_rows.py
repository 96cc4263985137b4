"""The rows that the changes of a table come to. Nothing runs here: frames are lazy."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from pyspark.sql import functions as F

from penstock.assets.inputs.changes import Net, PinnedChanges
from penstock.assets.inputs.tables import loaded
from penstock.assets.row_filters import newest_of
from penstock.errors import InputError
from penstock.schemas.column_type import comparable
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

__all__ = ["read_changes"]

_ADDED = "_change_type IN ('insert', 'update_postimage')"
_CHANGE_COLUMNS = ("_change_type", "_commit_version", "_commit_timestamp")


def read_changes(spark: SparkSession, item: PinnedChanges) -> DataFrame:
    """The rows, each of them once where the table's rows can be told apart."""
    reader, nothing_gone = spark.read, F.lit(False)
    if not item.feed or item.nothing_new:
        # the newest version has the same rows: files of an older one may have been compacted away
        frame = loaded(reader.option("versionAsOf", item.log.version), item)
        # of no commits Delta reads no changes; another input of the run has some
        rows = frame.where(F.lit(False)) if item.nothing_new else frame
        return _telling(item, rows, nothing_gone)
    reader = reader.option("readChangeFeed", "true").option("startingVersion", item.after + 1)
    feed = loaded(reader.option("endingVersion", item.version), item)
    if item.net in (Net.VERSIONS, Net.BALANCE):
        _refuse_incomparable(feed, item)
    match item.net:
        case Net.ADDED:
            rows, gone = feed.where(F.expr(_ADDED)), nothing_gone
        case Net.VERSIONS:
            rows, gone = feed.where(F.expr(_ADDED)).drop(*_CHANGE_COLUMNS).distinct(), nothing_gone
        case Net.NEWEST:
            rows, gone = _newest(feed, item), F.expr(f"NOT ({_ADDED})")
            if item.removals:
                rows = _as_they_stand(rows, spark, item)
            rows = rows if item.deletes else rows.where(F.expr(_ADDED))
        case Net.BALANCE:
            rows, gone = _balance(feed), nothing_gone
        case _:
            assert_never(item.net)
    return _telling(item, rows, gone).drop(*_CHANGE_COLUMNS)


def _refuse_incomparable(feed: DataFrame, item: PinnedChanges) -> None:
    """Raise InputError where rows that were taken out cannot be found among those added."""
    unfit = [f.name for f in feed.schema.fields if not comparable(f.dataType)]
    if unfit:
        raise InputError(
            "rows were taken out of the table, and nobody can say which of those added they are: "
            "Spark compares no maps and no variants",
            where=f"{item.table.dataset}.{unfit[0]}",
            expected="a table to which rows are only added, or a key in its contract",
            next_step=f"read input {item.name} whole, with Overwrite(); or keep the column as text",
        )


def _as_they_stand(newest: DataFrame, spark: SparkSession, item: PinnedChanges) -> DataFrame:
    """The newest events, a removal only where the row is not there at the pinned version.

    One that moved to another slice, or of which there were two, is there, whatever came last; it is
    given as it stands.
    """
    table = loaded(spark.read.option("versionAsOf", item.log.version), item)
    names = [F.col(quoted(name)) for name in item.apart]
    removed = newest.where(F.expr(f"NOT ({_ADDED})"))
    there = table.join(removed.select(*names).distinct(), [*item.apart], "left_semi")
    there = there.withColumn("_change_type", F.lit("insert"))
    gone = removed.join(table.select(*names), [*item.apart], "left_anti")
    added = newest.where(F.expr(_ADDED)).unionByName(there, allowMissingColumns=True)
    return added.unionByName(gone) if item.deletes else added


def _telling(item: PinnedChanges, rows: DataFrame, gone: Column) -> DataFrame:
    if item.deletes is None:
        return rows
    if item.deletes.lower() in {name.lower() for name in rows.columns}:
        raise InputError(
            "the table has a column of the name that says what was taken out of it",
            where=f"{item.table.dataset}.{item.deletes}",
            expected="a name of its own",
            next_step=f"give input {item.name} another one: changes(..., deletes='is_deleted')",
        )
    return rows.withColumn(item.deletes, gone)


def _newest(feed: DataFrame, item: PinnedChanges) -> DataFrame:
    """The last thing that happened to each row; within a commit what was added is last.

    Two that a commit added at once are both given, for nobody knows which is right.
    """
    # an update that gave a row another key took the old one out
    all_of_it = item.deletes is not None and item.apart == item.key
    events = feed if all_of_it else feed.where(F.expr("_change_type != 'update_preimage'"))
    apart = ", ".join(quoted(name) for name in item.apart)
    if item.apart != item.key:
        # a version that gives way to another one of its key was not taken out: it is history
        key = ", ".join(quoted(name) for name in item.key)
        came = f"CASE WHEN {_ADDED} THEN 1 ELSE -1 END"
        balance = F.expr(f"sum({came}) OVER (PARTITION BY {apart}, _commit_version)")
        comes = F.expr(f"max(_penstock_balance) OVER (PARTITION BY {key}, _commit_version)")
        events = events.withColumn("_penstock_balance", balance)
        events = events.withColumn("_penstock_comes", comes).where(
            F.expr("NOT (_change_type = 'delete' AND _penstock_comes > 0)")
        )
        events = events.drop("_penstock_balance", "_penstock_comes")
    order = f"_commit_version DESC, CASE WHEN {_ADDED} THEN 0 ELSE 1 END"
    return newest_of(events, item.apart, order)


def _balance(feed: DataFrame) -> DataFrame:
    """Each row as often as it was added more than taken out."""
    names = [F.col(quoted(name)) for name in feed.columns if name not in _CHANGE_COLUMNS]
    more = F.sum(F.expr(f"CASE WHEN {_ADDED} THEN 1 ELSE -1 END")).alias("_penstock_more")
    times = F.explode(F.expr("sequence(1L, _penstock_more)")).alias("_penstock_time")
    counted = feed.groupBy(*names).agg(more).where(F.expr("_penstock_more > 0"))
    return counted.select(*names, times).drop("_penstock_time")
