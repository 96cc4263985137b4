"""Upkeep moves rows between files and does nothing else, whatever happens around it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.compaction import (
    CompactionPolicy,
    CompactionStatus,
    TableFacts,
    apply,
    measure,
    plan_compaction,
)
from penstock.errors import LakeError
from penstock.resources import driver
from tests.compaction import upkeep_job
from tests.forked import forked
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

NOTE = {"penstock": "upkeep", "run": "r1"}
USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# so many that a rewrite is seen, and disturbed, long before it commits
MANY = tuple("abcdefghijklmnopqrstuvwx")
MIN_FILE = "spark.databricks.delta.optimize.minFileSize"
Row = tuple[int | None, str | None]


def frame(rows: list[Row]) -> pa.Table:
    columns = {
        "n": pa.array([row[0] for row in rows], pa.int64()),
        "part": pa.array([row[1] for row in rows], pa.string()),
    }
    return pa.table(columns)


def write(path: Path, rows: list[Row], *, by: list[str] | None = None) -> None:
    write_deltalake(path, frame(rows), partition_by=by, mode="append")


def scattered(
    path: Path,
    *,
    files: int = 6,
    by: list[str] | None = None,
    parts: tuple[str | None, ...] = ("a", "o'b", None),
) -> None:
    for n in range(files):
        write(path, [(n, part) for part in parts], by=by)


def rows(path: Path) -> Counter[Row]:
    table = DeltaTable(path).to_pyarrow_table().to_pydict()
    return Counter(zip(table["n"], table["part"], strict=True))


@contextmanager
def setting(spark: SparkSession, name: str, value: str) -> Iterator[None]:
    before = spark.conf.get(name, None)
    spark.conf.set(name, value)
    try:
        yield
    finally:
        spark.conf.unset(name) if before is None else spark.conf.set(name, before)


def at_once(seconds: float) -> None:
    """Retries in a test need not wait."""


def test_small_files_become_one_for_each_partition(spark: SparkSession, tmp_path: Path) -> None:
    scattered(tmp_path, by=["part"])
    before = rows(tmp_path)
    facts = measure(str(tmp_path))
    assert (facts.file_count, len(facts.partitions())) == (18, 3)
    plan = plan_compaction(facts, CompactionPolicy())
    outcome = apply(plan, spark, str(tmp_path), metadata=NOTE)
    assert outcome.status is CompactionStatus.DONE
    assert outcome.after == measure(str(tmp_path))
    assert outcome.after.file_count == 3
    (commit,) = outcome.commits
    assert (commit.operation, commit.files_removed, commit.files_added) == ("OPTIMIZE", 18, 3)
    assert commit.version == outcome.after.version == facts.version + 1
    assert rows(tmp_path) == before
    json.dumps(outcome.document())


def test_the_commit_carries_the_note_and_the_session_is_put_back(
    spark: SparkSession, tmp_path: Path
) -> None:
    scattered(tmp_path)
    minimum = spark.conf.get(MIN_FILE, None)
    plan = plan_compaction(measure(str(tmp_path)), CompactionPolicy())
    apply(plan, spark, str(tmp_path), metadata=NOTE)
    assert json.loads(DeltaTable(tmp_path).history(1)[0]["userMetadata"]) == NOTE
    assert spark.conf.get(USER_METADATA, None) is None
    assert spark.conf.get(MIN_FILE, None) == minimum


def test_writers_that_commit_meanwhile_hide_no_commit_of_ours(
    spark: SparkSession, tmp_path: Path
) -> None:
    scattered(tmp_path)
    plan = plan_compaction(measure(str(tmp_path)), CompactionPolicy())

    def remeasure() -> TableFacts:
        facts = measure(str(tmp_path))
        for n in range(5):
            write(tmp_path, [(n, "late")])
        return facts

    outcome = apply(plan, spark, str(tmp_path), metadata=NOTE, remeasure=remeasure)
    assert outcome.status is CompactionStatus.DONE
    (commit,) = outcome.commits
    assert (commit.operation, commit.version) == ("OPTIMIZE", plan.facts.version + 1)


def test_chosen_partitions_only(spark: SparkSession, tmp_path: Path) -> None:
    scattered(tmp_path, files=2, by=["part"])
    for n in range(4):
        write(tmp_path, [(n, "o'b"), (n, None)], by=["part"])
    plan = plan_compaction(measure(str(tmp_path)), CompactionPolicy())
    after = apply(plan, spark, str(tmp_path), metadata=NOTE).after
    counts = {key: len(files) for key, files in after.partitions().items()}
    assert counts == {("a",): 2, ("o'b",): 1, (None,): 1}


def test_twice_is_a_no_op(spark: SparkSession, tmp_path: Path) -> None:
    scattered(tmp_path)
    plan = plan_compaction(measure(str(tmp_path)), CompactionPolicy())
    first = apply(plan, spark, str(tmp_path), metadata=NOTE)
    again = apply(
        plan_compaction(first.after, CompactionPolicy()), spark, str(tmp_path), metadata=NOTE
    )
    stale = apply(plan, spark, str(tmp_path), metadata={"penstock": "late"})
    assert again.status is stale.status is CompactionStatus.NOTHING
    assert measure(str(tmp_path)).version == first.after.version


def test_ordering_by_the_contracts_columns(spark: SparkSession, tmp_path: Path) -> None:
    scattered(tmp_path)
    plan = plan_compaction(measure(str(tmp_path)), CompactionPolicy(), clustering=("n",))
    before = rows(tmp_path)
    outcome = apply(plan, spark, str(tmp_path), metadata=NOTE)
    assert (outcome.after.file_count, rows(tmp_path)) == (1, before)
    (commit,) = DeltaTable(tmp_path).history(1)
    assert commit["operationParameters"]["zOrderBy"] == '["n"]'


def test_a_table_that_delta_clusters(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    spark.sql(f"CREATE TABLE delta.`{path}` (n BIGINT) USING delta CLUSTER BY (n)")
    for _ in range(4):
        spark.range(3).selectExpr("id n").coalesce(1).write.format("delta").mode("append").save(
            path
        )
    facts = measure(path)
    assert facts.clustered
    plan = plan_compaction(facts, CompactionPolicy(), clustering=("n",))
    outcome = apply(plan, spark, path, metadata=NOTE)
    assert (outcome.status, outcome.after.file_count) == (CompactionStatus.DONE, 1)


def test_deletion_vectors_are_measured_and_purged(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    writer = spark.range(100).coalesce(1).write.format("delta")
    writer.option("delta.enableDeletionVectors", "true").save(path)
    spark.sql(f"DELETE FROM delta.`{path}` WHERE id < 30")
    facts = measure(path)
    assert [(file.rows, file.deleted_rows) for file in facts.files] == [(100, 30)]
    outcome = apply(plan_compaction(facts, CompactionPolicy()), spark, path, metadata=NOTE)
    assert outcome.status is CompactionStatus.DONE
    assert outcome.commits[0].deletion_vectors_removed == 1
    assert [(file.rows, file.deleted_rows) for file in outcome.after.files] == [(70, 0)]
    assert spark.read.format("delta").load(path).count() == 70


def test_vacuum_deletes_only_what_expired(spark: SparkSession, tmp_path: Path) -> None:
    scattered(tmp_path)
    policy = CompactionPolicy(retain_hours=168)
    facts = measure(str(tmp_path), expired_after_hours=168)
    apply(plan_compaction(facts, policy), spark, str(tmp_path), metadata=NOTE)
    # a week passes: for VACUUM a file that no commit names is as old as its own time stamp
    orphan = tmp_path / "part-00000-orphan.c000.snappy.parquet"
    orphan.write_bytes(b"left by a writer that was killed")
    week_ago = time.time() - 169 * 3600
    os.utime(orphan, (week_ago, week_ago))
    facts = measure(str(tmp_path), expired_after_hours=168)
    assert facts.expired_files == 1
    outcome = apply(plan_compaction(facts, policy), spark, str(tmp_path), metadata=NOTE)
    assert [commit.operation for commit in outcome.commits] == ["VACUUM START", "VACUUM END"]
    assert not orphan.exists()
    assert DeltaTable(tmp_path, version=0).to_pyarrow_table().num_rows == 3


@pytest.mark.parametrize(
    "layout", ["", "PARTITIONED BY (part)", "CLUSTER BY (n)"], ids=["plain", "parts", "clustered"]
)
def test_a_plan_that_was_carried_out_has_nothing_left_whatever_the_table_has(
    spark: SparkSession, tmp_path: Path, layout: str
) -> None:
    path, policy = str(tmp_path / "t"), CompactionPolicy(min_files=2)
    features = "'delta.enableDeletionVectors' = true, 'delta.enableChangeDataFeed' = true"
    mapped = f"{features}, 'delta.columnMapping.mode' = 'name'"
    table = f"delta.`{path}`"
    spark.sql(
        f"CREATE TABLE {table} (n BIGINT, part STRING) USING delta {layout} "
        f"TBLPROPERTIES ({mapped})"
    )
    for _ in range(3):
        spark.sql(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, NULL)")
    spark.sql(f"UPDATE {table} SET n = 5 WHERE n = 1")
    plan = plan_compaction(measure(path), policy)
    assert len(plan.facts.partitions()) == (3 if "PART" in layout else 1)
    outcome = apply(plan, spark, path, metadata=NOTE)
    assert outcome.status is CompactionStatus.DONE
    assert not plan_compaction(outcome.after, policy).acts
    spark.sql(f"DELETE FROM {table} WHERE n = 2")
    with setting(spark, "spark.databricks.delta.retentionDurationCheck.enabled", "false"):
        vacuum = f"VACUUM {table} RETAIN 0 HOURS"
        doomed = [row.path for row in spark.sql(f"{vacuum} DRY RUN").collect()]
        files = [name for name in doomed if "deletion_vector" not in name and "." in name]
        assert measure(path, expired_after_hours=0).expired_files == len(files) > 0
        spark.sql(vacuum)
    assert measure(path, expired_after_hours=0).expired_files == 0
    assert spark.read.format("delta").load(path).count() == 9


def test_a_file_that_the_table_itself_retains_is_not_expired(tmp_path: Path) -> None:
    retain = {"delta.deletedFileRetentionDuration": "interval 30 days"}
    write_deltalake(tmp_path, frame([(1, "a")]), configuration=retain)
    orphan = tmp_path / "part-00000-orphan.c000.snappy.parquet"
    orphan.write_bytes(b"left by a writer that was killed")
    for hours, expired in ((169, 0), (30 * 24 + 1, 1)):
        past = time.time() - hours * 3600
        os.utime(orphan, (past, past))
        assert measure(str(tmp_path), expired_after_hours=168).expired_files == expired


@given(
    batches=st.lists(
        st.lists(
            st.tuples(st.none() | st.integers(0, 3), st.sampled_from(["a", "b", None])), min_size=1
        ),
        min_size=2,
        max_size=6,
    ),
    split=st.booleans(),
)
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_compaction_keeps_the_multiset_of_rows(
    spark: SparkSession,
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[Row]],
    split: bool,  # noqa: FBT001
) -> None:
    path = tmp_path_factory.mktemp("law")
    for batch in batches:
        write(path, batch, by=["part"] if split else None)
    before = rows(path)
    policy = CompactionPolicy(min_files=2)
    apply(plan_compaction(measure(str(path)), policy), spark, str(path), metadata=NOTE)
    assert rows(path) == before == sum((Counter(batch) for batch in batches), Counter[Row]())
    assert not plan_compaction(measure(str(path)), policy).acts


def test_appends_at_the_same_time_are_not_lost(spark: SparkSession, tmp_path: Path) -> None:
    scattered(tmp_path, files=4, by=["part"], parts=MANY)
    plan = plan_compaction(measure(str(tmp_path)), CompactionPolicy())
    before, known = rows(tmp_path), data_files(tmp_path)
    added: list[Row] = [(n, "a") for n in range(100, 105)]

    def append() -> None:
        with amid_the_rewrite(tmp_path, known):
            for row in added:
                write(tmp_path, [row], by=["part"])

    with ThreadPoolExecutor() as pool:
        appending = pool.submit(append)
        outcome = apply(plan, spark, str(tmp_path), metadata=NOTE)
        appending.result()
    assert outcome.status is CompactionStatus.DONE
    assert rows(tmp_path) == before + Counter(added)


@pytest.mark.parametrize(
    ("attempts", "status"), [(1, CompactionStatus.YIELDED), (3, CompactionStatus.NOTHING)]
)
def test_a_writer_in_the_way_wins(
    spark: SparkSession, tmp_path: Path, attempts: int, status: CompactionStatus
) -> None:
    scattered(tmp_path, files=4, by=["part"], parts=MANY)
    plan = plan_compaction(measure(str(tmp_path)), CompactionPolicy())
    known = data_files(tmp_path)

    def overwrite() -> None:
        with amid_the_rewrite(tmp_path, known):
            write_deltalake(tmp_path, frame([(1, "new")]), partition_by=["part"], mode="overwrite")

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(overwrite)
        outcome = apply(plan, spark, str(tmp_path), metadata=NOTE, attempts=attempts, pause=at_once)
        writing.result()
    assert (outcome.status, outcome.conflicts, outcome.commits) == (status, 1, ())
    assert rows(tmp_path) == Counter([(1, "new")])
    assert spark.conf.get(USER_METADATA, None) is None


def test_killed_in_the_middle_the_table_is_as_before(
    spark: SparkSession, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scattered(tmp_path, files=4, by=["part"], parts=MANY)
    before, known = rows(tmp_path), data_files(tmp_path)
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("SPARK_", "PYSPARK_"))}
    output = tmp_path_factory.mktemp("job") / "output"
    with forked(output, upkeep_job.main, str(tmp_path), env=inherited) as job:
        until(
            lambda: data_files(tmp_path) > known or job.ended,
            "the rewrite begins",
            poll_seconds=0.002,
        )
        family = [*psutil.Process(job.pid).children(recursive=True), psutil.Process(job.pid)]
        for process in family:
            with suppress(psutil.NoSuchProcess):  # one ends by itself when another has gone
                process.kill()
        psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert data_files(tmp_path) > known
    assert rows(tmp_path) == before
    assert spark.read.format("delta").load(str(tmp_path)).count() == before.total()
    plan = plan_compaction(measure(str(tmp_path)), CompactionPolicy())
    after = apply(plan, spark, str(tmp_path), metadata=NOTE).after
    assert (after.file_count, rows(tmp_path)) == (len(MANY), before)


def data_files(path: Path) -> set[Path]:
    return set(path.rglob("*.parquet"))


@contextmanager
def amid_the_rewrite(path: Path, known: set[Path]) -> Iterator[None]:
    """Once Spark has begun to rewrite the table it stands still, so that it cannot commit yet."""
    version = DeltaTable(path).version()
    until(lambda: data_files(path) > known, "the rewrite begins", poll_seconds=0.002)
    live = driver.current()
    assert live
    live.process.send_signal(signal.SIGSTOP)
    try:
        assert DeltaTable(path).version() == version
        yield
    finally:
        live.process.send_signal(signal.SIGCONT)


def test_a_folder_that_is_no_table_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="log cannot be read") as caught:
        measure(str(tmp_path / "nothing"))
    assert str(tmp_path) in str(caught.value)


def test_a_table_that_is_gone_is_a_clear_error(spark: SparkSession, tmp_path: Path) -> None:
    scattered(tmp_path / "t")
    plan = plan_compaction(measure(str(tmp_path / "t")), CompactionPolicy())
    with pytest.raises(LakeError, match="upkeep of the table failed"):
        apply(plan, spark, str(tmp_path / "elsewhere"), metadata=NOTE)


def test_facts_hold_no_value_of_a_row(tmp_path: Path) -> None:
    columns = {"email": pa.array(["canary@leak.example"])}
    write_deltalake(tmp_path, pa.table(columns))
    facts: TableFacts = measure(str(tmp_path))
    assert "canary" not in repr(facts) + json.dumps(facts.document())
