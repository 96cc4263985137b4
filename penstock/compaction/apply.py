"""Carrying a compaction plan out, by Delta SQL alone."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from penstock.compaction.action import settings, statement
from penstock.compaction.measure import measure
from penstock.compaction.outcome import CompactionOutcome, CompactionStatus, UpkeepCommit
from penstock.errors import LakeError
from penstock.resources.session_settings import session_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import Row, SparkSession

    from penstock.compaction.facts import TableFacts
    from penstock.compaction.plan import CompactionPlan

__all__ = ["apply"]

_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# Delta's conflicts reach a classic session as bare Py4J errors and a Connect session as Spark's.
_SPARK_ERRORS = (PySparkException, Py4JError)
_CONFLICT = re.compile(
    r"DELTA_CONCURRENT_\w+|DELTA_METADATA_CHANGED|DELTA_PROTOCOL_CHANGED"
    r"|\b(?:Concurrent\w+|MetadataChanged|ProtocolChanged)Exception"
)


def apply(
    plan: CompactionPlan,
    spark: SparkSession,
    path: str,
    *,
    metadata: Mapping[str, object],
    remeasure: Callable[[], TableFacts] | None = None,
    attempts: int = 3,
    pause: Callable[[float], None] = time.sleep,
) -> CompactionOutcome:
    """Carry `plan` out on the table at `path` as Spark names it; `metadata` goes into each commit.

    No row is changed, added or lost: each statement is one Delta commit or none, so a kill leaves
    the table as before or as after. When another writer's commit is in the way, the statement is
    tried again after 1, 2, 4... seconds of `pause`, at most `attempts` times in all; then the plan
    ends as YIELDED, which is no failure. `remeasure` reads the facts afterwards (default: from
    `path`). Session settings are put back; do not share the session with a writer meanwhile.

    Raises LakeError when the storage or the table refuses.
    """
    note = json.dumps(metadata, sort_keys=True)
    conflicts = 0
    yielded = False
    for action in plan.actions:
        sql = statement(action, path, plan.facts.partition_columns)
        with session_settings(spark, {_USER_METADATA: note, **settings(action)}):
            failed = _try(spark, sql, path, attempts, pause)
        conflicts += failed
        if failed == attempts:
            yielded = True
            break
    after = (remeasure or (lambda: measure(path)))() if plan.acts else plan.facts
    commits = _commits(spark, path, note, plan.facts.version, after.version)
    if yielded:
        status = CompactionStatus.YIELDED
    else:
        status = CompactionStatus.DONE if commits else CompactionStatus.NOTHING
    return CompactionOutcome(
        status=status,
        before=plan.facts,
        after=after,
        commits=commits,
        conflicts=conflicts,
        reasons=plan.reasons,
    )


def _try(
    spark: SparkSession, sql: str, path: str, attempts: int, pause: Callable[[float], None]
) -> int:
    """How many attempts met a conflict; equal to `attempts` when none succeeded."""
    for attempt in range(attempts):
        try:
            spark.sql(sql).collect()
        except _SPARK_ERRORS as error:
            if not _CONFLICT.search(str(error)):
                raise _refused(path, error) from error
            if attempt + 1 < attempts:
                pause(2.0**attempt)
        else:
            return attempt
    return attempts


def _commits(
    spark: SparkSession, path: str, note: str, since: int, until: int
) -> tuple[UpkeepCommit, ...]:
    """Our commits after version `since`, oldest first."""
    if until == since:
        return ()
    history = _history(spark, path, since, until - since)
    ours = [row for row in history if row.userMetadata == note and row.version > since]
    return tuple(
        UpkeepCommit(
            version=row.version,
            operation=row.operation,
            files_removed=int(row.operationMetrics.get("numRemovedFiles", 0)),
            files_added=int(row.operationMetrics.get("numAddedFiles", 0)),
            bytes_removed=int(row.operationMetrics.get("numRemovedBytes", 0)),
            bytes_added=int(row.operationMetrics.get("numAddedBytes", 0)),
            deletion_vectors_removed=int(row.operationMetrics.get("numDeletionVectorsRemoved", 0)),
        )
        for row in reversed(ours)
    )


def _history(spark: SparkSession, path: str, since: int, number: int) -> list[Row]:
    """All commits after version `since`, newest first; at least `number` are there.

    Delta gives the newest ones, and writers go on while it is asked: it is asked for more until
    those after `since` are all among them.
    """
    table = "delta.`" + path.replace("`", "``") + "`"
    columns = ("version", "operation", "operationMetrics", "userMetadata")
    while True:
        found = spark.sql(f"DESCRIBE HISTORY {table} LIMIT {number}").select(*columns).collect()
        if len(found) < number or found[-1].version <= since + 1:
            return found
        number *= 2


def _refused(path: str, error: Exception) -> LakeError:
    condition = re.search(r"\[([A-Z][A-Z0-9_.]+)\]", str(error))
    return LakeError(
        "upkeep of the table failed",
        where=path,
        # Spark's own sentence can quote a value of a row
        found=condition[1] if condition else type(error).__name__,
        next_step="mend the cause and run again; the failed statement changed nothing",
    )
