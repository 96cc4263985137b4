"""What is shown of a run while Spark is at work."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from penstock.cli.progress import active_stage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_the_rows_of_the_stage_at_work_are_known_before_it_ends(spark: SparkSession) -> None:
    # the last of eight tasks takes its time; what the others read is told meanwhile
    nap = "CASE WHEN id = 799 THEN java_method('java.lang.Thread', 'sleep', 4000L) END AS nap"
    slow = spark.range(0, 800, 1, 8).selectExpr("id", nap)
    work = threading.Thread(target=lambda: slow.write.format("noop").mode("overwrite").save())
    work.start()
    never = threading.Event()
    told = set()
    while work.is_alive():
        if stage := active_stage(spark):
            told.add(str(stage).partition(": ")[2])
        never.wait(0.05)
    assert any(words.startswith("7/8 tasks, 7") and "rows read" in words for words in told), told
    assert active_stage(spark) is None
