#!/bin/bash
# pyspark 4.2.0 and pyarrow 26.0.1: an ORC file that pyarrow writes, with a time before 1970 that has a fraction of a second, is
# read by pyarrow as it was, and fails in Spark: the seconds and the nanoseconds of ORC are put together otherwise. Whole seconds
# before 1970, and fractions after it, are the same in both.
#
# Seen: Spark reads 1970-01-01 00:00:00.5 and 1969-12-31 23:59:59, and raises IllegalArgumentException at 23:59:59.5.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0 pyarrow==26.0.1
cat > read.py <<'PY'
from datetime import datetime

import pyarrow as pa
from pyarrow import orc
from pyspark.sql import SparkSession

builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
moments = (
    datetime(1970, 1, 1, 0, 0, 0, 500000),
    datetime(1969, 12, 31, 23, 59, 59),
    datetime(1969, 12, 31, 23, 59, 59, 500000),
)
for number, moment in enumerate(moments):
    file = f"{number}.orc"
    orc.write_table(pa.table({"at": pa.array([moment], pa.timestamp("us", "UTC"))}), file)
    assert orc.read_table(file)["at"][0].as_py().replace(tzinfo=None) == moment
    try:
        read = spark.read.orc(file).selectExpr("string(at)").first()[0]
    except Exception as error:
        read = "IllegalArgumentException" if "IllegalArgumentException" in str(error) else "?"
    print(moment, "->", read)
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
1970-01-01 00:00:00.500000 -> 1970-01-01 00:00:00.5
1969-12-31 23:59:59 -> 1969-12-31 23:59:59
1969-12-31 23:59:59.500000 -> IllegalArgumentException
SEEN
