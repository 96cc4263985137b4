#!/bin/bash
# delta-spark 4.4.0 on pyspark 4.2.0: a session keeps all it knows of each table that it touched, with the plans that
# read its log, for an hour and for up to 10,000 tables. The bound is a number, not a size: a table of three columns and two
# commits is 2 MB of live objects and more, so that some four hundred of them in an hour fill Spark's default driver (1 GB),
# however little is read, and the session ends with OutOfMemoryError. `spark.databricks.delta.delta.log.cacheSize` (internal,
# "delta" twice) is the bound; it must be set when the session starts.
#
# Seen: 60 tables hold 100 MB or more; with the setting at 5, less than half of that.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0
cat > tables.py <<'PY'
import sys

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

builder = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.databricks.delta.snapshotPartitions", "1")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.ui.retainedExecutions", "10")
    .config("spark.databricks.delta.delta.log.cacheSize", sys.argv[1])
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
runtime = spark._jvm.java.lang.Runtime.getRuntime()


def live_megabytes():
    for _ in range(3):
        spark._jvm.java.lang.System.gc()
    return (runtime.totalMemory() - runtime.freeMemory()) >> 20


def touch(number):
    rows = spark.range(100).selectExpr("id", f"id * {number} AS v", "CAST(id AS STRING) AS s")
    path = f"tables-{sys.argv[1]}/{number}"
    rows.write.format("delta").save(path)
    rows.write.format("delta").mode("append").save(path)
    spark.read.format("delta").load(path).groupBy("s").count().collect()


for number in range(5):
    touch(number)
before = live_megabytes()
for number in range(5, 65):
    touch(number)
print(live_megabytes() - before)
PY
kept="$(venv/bin/python tables.py 10000 2>/dev/null)"
forgotten="$(venv/bin/python tables.py 5 2>/dev/null)"
echo "60 tables: $kept MB more are live, $forgotten MB with 5 tables kept"
[ "$kept" -ge 100 ] && [ "$forgotten" -lt "$((kept / 2))" ]
