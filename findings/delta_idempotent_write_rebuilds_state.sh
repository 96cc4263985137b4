#!/bin/bash
# delta-spark 4.4.0 on pyspark 4.2.0: an append with `txnAppId` and `txnVersion` rebuilds the table's whole state each
# time, in Spark jobs of its own, to learn whether the transaction is known, although the checksum file (.crc) of the
# version holds all transactions, as Delta itself wrote them there. The jobs are the same for a table of ten rows, where
# they cost more than the append.
#
# Seen: ten appends of three rows take 16 jobs, with txnAppId and txnVersion 46; the last checksum lists the transactions.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0 delta-spark==4.4.0
cat > appends.py <<'PY'
import json
import sys
from pathlib import Path

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
    .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
)
spark = configure_spark_with_delta_pip(builder).getOrCreate()
jobs = spark.sparkContext._jsc.sc().statusStore()
rows = spark.range(3)


def append(path, **options):
    before = jobs.jobsList(None).size()
    for number in range(10):
        writer = rows.write.format("delta").mode("append")
        if options:
            writer = writer.option("txnAppId", f"run-{number}").option("txnVersion", "1")
        writer.save(path)
    return jobs.jobsList(None).size() - before


for path in ("plain", "idempotent"):
    rows.write.format("delta").save(path)
plain, idempotent = append("plain"), append("idempotent", txn=True)
checksum = sorted(Path("idempotent/_delta_log").glob("*.crc"))[-1]
known = [t["appId"] for t in json.loads(checksum.read_text())["setTransactions"]]
print(f"ten appends: {plain} jobs, {idempotent} with txnAppId; the checksum knows {len(known)} transactions")
sys.exit(not (idempotent >= plain + 20 and len(known) == 10))
PY
venv/bin/python appends.py 2>/dev/null
