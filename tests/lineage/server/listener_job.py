"""A Spark job that knows nothing of Penstock: `listener_job.py <folder> <url> <jars> <ms>`."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession


def main(folder: Path, url: str, jars: str, milliseconds: str) -> None:
    settings = {
        "spark.jars": jars,
        "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
        "spark.openlineage.transport.type": "http",
        "spark.openlineage.transport.url": url,
        "spark.openlineage.transport.timeoutInMillis": milliseconds,
        "spark.openlineage.transport.compression": "gzip",
        "spark.openlineage.namespace": "someone-else",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("foreign")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    raw, clean = str(folder / "raw"), str(folder / "clean")
    rows = spark.createDataFrame(
        [(1, "a@example.com"), (2, "b@example.com")], "id long, email string"
    )
    rows.write.format("delta").save(raw)
    read = spark.read.format("delta").load(raw).where("id > 0")
    read.selectExpr("id AS customer", "sha2(email, 256) AS who").write.format("delta").save(clean)
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
