#!/bin/bash
# pyarrow 26.0.1 writing ORC, pyspark 4.2.0 reading it: days before the Gregorian calendar (1582-10-15) become other days. The
# ORC format has a field for the calendar that a writer counts by; pyarrow, which counts proleptic Gregorian days, leaves
# it empty, and Spark takes an empty one for the hybrid Julian calendar and moves the days. pyarrow itself, and Spark for
# the same table in Parquet, give back what was written. Nothing warns, and 0001-01-01, a common stand-in, is among them.
#
# Seen: ORC by pyarrow ['0001-01-01', '1200-02-29', '1582-10-15'], by Spark ['0001-01-03', '1200-02-22', '1582-10-15'].
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0 pyarrow==26.0.1
cat > read.py <<'PY'
from datetime import date

import pyarrow as pa
from pyarrow import orc, parquet
from pyspark.sql import SparkSession

days = [date(1, 1, 1), date(1200, 2, 29), date(1582, 10, 15)]
table = pa.table({"day": pa.array(days)})
orc.write_table(table, "days.orc")
parquet.write_table(table, "days.parquet")
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()


def by_spark(frame):
    return sorted(row.day for row in frame.selectExpr("CAST(day AS string) AS day").collect())


print("ORC by pyarrow:", [str(day) for day in orc.read_table("days.orc")["day"].to_pylist()])
print("ORC by Spark:", by_spark(spark.read.orc("days.orc")))
print("Parquet by Spark:", by_spark(spark.read.parquet("days.parquet")))
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
ORC by pyarrow: ['0001-01-01', '1200-02-29', '1582-10-15']
ORC by Spark: ['0001-01-03', '1200-02-22', '1582-10-15']
Parquet by Spark: ['0001-01-01', '1200-02-29', '1582-10-15']
SEEN
