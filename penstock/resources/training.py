"""Makes the class-data archive: a small real workload, in a JVM that writes down what it loaded.

Run as a process of its own (`python -m penstock.resources.training TARGET JARS`), because the
archive is written when its JVM ends.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.resources import driver
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["train", "workload"]

# The JVM writes 190 MB when it ends.
_DUMP_SECONDS = 300.0


def workload(spark: SparkSession, folder: Path) -> None:
    """What a dataset run does: read files, write Delta, merge into it, read it back."""
    landing, table = str(folder / "landing"), str(folder / "table")
    rows = spark.range(50).selectExpr("id", "cast(id as string) name", "current_timestamp() at")
    rows.write.csv(landing, header=True)
    frame = spark.read.csv(landing, header=True, schema="id bigint, name string, at timestamp")
    frame.filter("name rlike '[0-9]+'").write.format("delta").save(table)
    frame.createOrReplaceTempView("arrived")
    spark.sql(
        f"MERGE INTO delta.`{table}` t USING arrived s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    spark.read.format("delta").load(table).groupBy("name").count().collect()
    spark.sql(f"DESCRIBE HISTORY delta.`{table}`").collect()


def train(target: Path, jars: Path) -> None:
    """Run the workload once and leave its archive at `target`, whole or not at all."""
    cluster = LocalCluster(profile=Profile.SMALL, jars_folder=str(jars))
    with tempfile.TemporaryDirectory(prefix="penstock-archive-") as scratch:
        arriving = target.with_suffix(".arriving")
        shape = replace(
            cluster.shape(),
            archive=None,
            archive_to_make=arriving,
            warehouse=Path(scratch),
            logs=Path(scratch),
        )
        live = driver.start(shape)
        workload(live.session, Path(scratch) / "lake")
        driver.stop(_DUMP_SECONDS)
        arriving.replace(target)


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]))
