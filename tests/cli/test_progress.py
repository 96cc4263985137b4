"""What is shown of a run while Spark is at work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from py4j.protocol import Py4JJavaError

from penstock.cli.progress import Pace, Stage, active_stage
from tests.patience import PATIENCE_MILLISECONDS, until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GROUP = "at work"


def test_the_rows_of_the_stage_at_work_are_known_before_it_ends(spark: SparkSession) -> None:
    # the last of eight tasks does not end by itself; what the others read is told meanwhile
    nap = f"java_method('java.lang.Thread', 'sleep', {PATIENCE_MILLISECONDS}L)"
    slow = spark.range(0, 800, 1, 8).selectExpr("id", f"CASE WHEN id = 799 THEN {nap} END AS nap")
    told: set[str] = set()

    def work() -> None:
        spark.sparkContext.setJobGroup(GROUP, GROUP, interruptOnCancel=True)
        with pytest.raises(Py4JJavaError, match=f"part of cancelled job group {GROUP}"):
            slow.write.format("noop").mode("overwrite").save()

    def seven_are_told() -> bool:
        assert not working.done(), working.result()
        if stage := active_stage(spark):
            told.add(str(stage).partition(": ")[2])
        return any(said.startswith("7/8 tasks, 7") and "rows read" in said for said in told)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            until(seven_are_told, "the rows of the seven that ended are told")
        finally:
            spark.sparkContext.cancelJobGroup(GROUP)
    until(lambda: active_stage(spark) is None, "no stage is at work any more")


def test_what_is_left_of_a_stage_is_told_at_the_pace_it_has_had() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    # the first look is late: what was done before it says nothing of the pace
    seen = [(7, 10, 0, 0.0), (7, 10, 0, 5.0), (7, 20, 0, 10.0), (7, 50, 0, 20.0)]
    seen += [(8, 0, 4, 21.0), (8, 1, 4, 141.0), (8, 4, 4, 200.0)]
    said = []
    for number, done, tasks, now in seen:  # noqa: B007 - the clock reads it
        said.append(pace.words(Stage(number=number, done=done, tasks=tasks or 100)))
    assert said == [
        "10 % of the stage",
        "10 % of the stage",
        "20 % of the stage, 1 min left",
        "50 % of the stage, 25 s left",
        "0 % of the stage",
        "25 % of the stage, 6 min left",
        "100 % of the stage, 0 s left",
    ]
