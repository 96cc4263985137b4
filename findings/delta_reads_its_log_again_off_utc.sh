#!/bin/bash
# delta-spark 4.4.0 on pyspark 4.2.0: where the JVM's default time zone is not UTC, each commit is followed by Spark jobs
# that read the table's whole state again, to verify the list of files in the checksum file that it has just written. On
# UTC nothing is verified. `spark.sql.session.timeZone=UTC` does not change that: the JVM's own zone counts as well. No
# result is wrong, but each append takes twice as many jobs. `-Duser.timezone=UTC` for the driver ends it.
#
# Seen: ten appends take 16 jobs in UTC, 34 in Europe/Berlin, and 16 there with the flag.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0
cat > appends.py <<'PY'
import sys

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

builder = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.databricks.delta.snapshotPartitions", "1")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.extraJavaOptions", sys.argv[2])
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
jobs = spark.sparkContext._jsc.sc().statusStore()
rows = spark.range(3)
rows.write.format("delta").save(sys.argv[1])
before = jobs.jobsList(None).size()
for _ in range(10):
    rows.write.format("delta").mode("append").save(sys.argv[1])
print(jobs.jobsList(None).size() - before)
PY
utc="$(TZ=UTC venv/bin/python appends.py utc -Dnothing=1 2>/dev/null)"
berlin="$(TZ=Europe/Berlin venv/bin/python appends.py berlin -Dnothing=1 2>/dev/null)"
flag="$(TZ=Europe/Berlin venv/bin/python appends.py flag -Duser.timezone=UTC 2>/dev/null)"
echo "ten appends: $utc jobs in UTC, $berlin in Europe/Berlin, $flag there with -Duser.timezone=UTC"
[ "$berlin" -gt "$utc" ] && [ "$flag" -eq "$utc" ]
