"""A Spark job that knows nothing of Penstock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def main(folder: Path, url: str, jvm: Mapping[str, str]) -> None:
    settings = {
        **jvm,
        "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
        "spark.openlineage.transport.type": "http",
        "spark.openlineage.transport.url": url,
        "spark.openlineage.transport.compression": "gzip",
        "spark.openlineage.namespace": "someone-else",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
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
