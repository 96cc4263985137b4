from __future__ import annotations

import logging
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from penstock.errors import ClusterError, SetupError
from penstock.resources import driver
from penstock.resources.cluster import Capability, Cluster, Job, Submission
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from tests.patience import until

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.resources.conftest import RunScript

pytestmark = pytest.mark.slow(seconds=15)


def test_every_cluster_in_a_process_has_its_driver_and_each_session_its_own_settings(
    spark: SparkSession,
) -> None:
    name = "spark.sql.shuffle.partitions"
    before = spark.conf.get(name)
    own = {"spark.databricks.delta.snapshotPartitions": "3"}
    cluster = LocalCluster(profile=Profile.SMALL, cores=2, extra_conf=own)
    with cluster.session() as one, cluster.session() as other:
        assert one.sparkContext is other.sparkContext is spark.sparkContext
        one.conf.set(name, "7")
        one.range(3).createOrReplaceTempView("seen_by_one")
        assert other.conf.get(name) == spark.conf.get(name) == before
        assert not other.catalog.tableExists("seen_by_one")
        (extra,) = own
        assert one.conf.get(extra) == other.conf.get(extra) == "3"
    assert spark.conf.get(extra, None) != "3"


def test_another_size_is_shared_with_a_warning(
    spark: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), LocalCluster(name="big", cores=2).session() as again:
        assert again.sparkContext is spark.sparkContext
    assert "big asked for profile standard" in caplog.text


def test_it_follows_the_protocol_and_says_what_it_can() -> None:
    cluster = LocalCluster()
    assert isinstance(cluster, Cluster)
    assert cluster.capabilities == {Capability.SESSION, Capability.PLAN_JSON}


def test_a_client_mode_cluster_refuses_jobs_and_says_what_to_do() -> None:
    cluster = LocalCluster(name="mine")
    submission = Submission(cluster="mine", job_id="j", token="t")
    job = Job(token="t", entry_point="e", arguments=(), environment={})
    for act in (
        lambda: cluster.submit(job),
        lambda: cluster.poll(submission),
        lambda: cluster.logs(submission),
        lambda: cluster.cancel(submission),
    ):
        with pytest.raises(ClusterError, match="client mode") as caught:
            act()
        assert caught.value.where == "mine"


def test_a_python_function_runs_in_this_python(spark: SparkSession) -> None:
    @F.udf("string")
    def version() -> str:
        import pydantic

        return pydantic.__name__

    assert spark.range(1).select(version()).collect() == [("pydantic",)]


def test_the_driver_is_on_utc_wherever_the_machine_stands(spark: SparkSession) -> None:
    assert spark.sparkContext._jvm
    assert spark.sparkContext._jvm.java.util.TimeZone.getDefault().getID() == "UTC"


def test_cost_is_the_jvms_cpu(spark: SparkSession) -> None:
    cluster = LocalCluster(profile=Profile.SMALL, cores=2)
    assert cluster.cost().cpu_seconds == 0.0
    cluster.ensure()
    spark.range(3_000_000).selectExpr("sum(hash(id, id))").collect()
    cost = cluster.cost()
    assert cost.cpu_seconds is not None
    assert cost.cpu_seconds > 0
    assert cost.wall_seconds > 0
    assert cost.usd is None


def test_the_console_is_left_alone(spark: SparkSession, capfd: pytest.CaptureFixture[str]) -> None:
    spark.range(10).groupBy("id").count().collect()
    assert capfd.readouterr() == ("", "")
    live = driver.current()
    assert live is not None
    assert live.log.is_file()


def test_missing_jars_stop_a_session_before_the_jvm(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"delta-spark.*is missing"):
        LocalCluster(jars_folder=str(tmp_path)).shape()


@pytest.mark.usefixtures("spark")
def test_a_lost_driver_names_its_log_and_quotes_none_of_it(tmp_path: Path) -> None:
    live = driver.current()
    assert live is not None
    log = tmp_path / "driver.log"
    log.write_text("ERROR [CAST_INVALID_INPUT] The value 'kanarienvogel' cannot be cast\n")
    error = replace(live, log=log).lost()
    assert "kanarienvogel" not in str(error)
    assert str(log) in error.next_step


WITHOUT_JAVA = """
from penstock.errors import SetupError
from penstock.resources.local import LocalCluster
try:
    LocalCluster().ensure()
except SetupError as error:
    print(error)
"""


def test_no_java_is_a_sentence_and_not_a_stack_trace(run_script: RunScript) -> None:
    done = run_script(WITHOUT_JAVA, PATH="/nowhere", JAVA_HOME="")
    assert done.stdout.startswith("no Java was found, and Spark needs one")
    assert done.stderr == ""


KILLED = """
import os, signal
from penstock.errors import ClusterError
from penstock.resources import driver
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
cluster = LocalCluster(profile=Profile.SMALL, cores=1)
try:
    with cluster.session() as spark:
        pid = driver.current().process.pid
        os.kill(pid, signal.SIGKILL)
        spark.range(3).count()
except ClusterError as error:
    print("LOST", error)
with cluster.session() as spark:
    print("AGAIN", spark.range(3).count())
cluster.release()
print("RELEASED", driver.current())
with cluster.session() as spark:
    print("ONCE MORE", spark.range(4).count(), spark.conf.get("spark.sql.session.timeZone"))
"""


@pytest.mark.slow
def test_a_killed_jvm_is_a_cluster_error_and_the_next_session_is_a_new_one(
    run_script: RunScript,
) -> None:
    done = run_script(KILLED)
    assert "LOST JVM process" in done.stdout, done.stderr
    assert "AGAIN 3\nRELEASED None\nONCE MORE 4 UTC" in done.stdout, done.stderr


def test_what_a_session_remembers_of_tables_and_queries_is_bounded(
    spark: SparkSession, tmp_path: Path
) -> None:
    kept = int(spark.conf.get("spark.databricks.delta.delta.log.cacheSize") or 0)
    delta: Any = spark._jvm.org.apache.spark.sql.delta  # type: ignore[union-attr]
    logs = getattr(getattr(delta, "DeltaLog$"), "MODULE$")
    for number in range(kept + 10):
        logs.forTable(spark._jsparkSession, str(tmp_path / str(number)))
    assert 0 < logs.cacheSize() <= kept

    kept = int(spark.conf.get("spark.sql.ui.retainedExecutions") or 0)
    executions = spark._jsparkSession.sharedState().statusStore()
    nothing = spark.range(1)
    for _ in range(kept + 10):
        nothing.collect()
    until(lambda: 0 < executions.executionsCount() <= kept, "old queries are forgotten")


def test_what_the_parser_learns_of_statements_is_bounded(spark: SparkSession) -> None:
    """A driver that lives for a year sees statements of every kind."""
    chance = random.Random(42)

    def term(depth: int) -> str:
        if depth == 0:
            return chance.choice(("a", "'x'", "b.c", "DATE'2020-01-01'", "a::int", "1.5BD", "NULL"))
        kind = chance.choice(
            (
                "{} + {}",
                "CASE WHEN {} IS NULL THEN {} ELSE {} END",
                "{} BETWEEN {} AND {}",
                "{} IN ({}, {})",
                "NOT {} LIKE 'x%'",
                "transform({}, x -> {})",
                "sum({}) OVER (PARTITION BY {} ORDER BY {})",
                "extract(year FROM {})",
                "cast({} AS decimal(10, 2))",
            )
        )
        return f"({kind})".format(*(term(depth - 1) for _ in range(kind.count("{}"))))

    jvm: Any = spark._jvm
    parser = spark._jsparkSession.sessionState().sqlParser()

    def used() -> int:
        jvm.System.gc()
        memory = jvm.Runtime.getRuntime()
        return int(memory.totalMemory() - memory.freeMemory())

    before = used()
    for _ in range(300):
        parser.parsePlan(f"SELECT {term(4)} FROM t WHERE {term(3)} GROUP BY {term(2)}")
    most = int(jvm.Runtime.getRuntime().maxMemory())
    assert used() - before < most / 6
