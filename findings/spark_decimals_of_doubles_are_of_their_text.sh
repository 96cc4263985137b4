#!/bin/bash
# pyspark 4.2.0: a double of 2^53 and more is a whole number, and a cast to bigint gives it. A cast of the same double to
# decimal(38,0) gives another one: the decimal of the shortest text that Java prints for the double, filled up with zeros.
# Both casts are exact by their types, none says a word in ANSI mode, and the two results differ by up to hundreds.
#
# Seen: 2^60 is 1152921504606846976 as bigint and 1152921504606846980 as decimal(38,0); a round trip through double does not
# show it, for both are read as the same double.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0
cat > read.py <<'PY'
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
for text in ("1152921504606846976", "1234567890123456768"):
    row = spark.sql(
        f"""SELECT CAST(d AS bigint) AS whole, CAST(d AS decimal(38,0)) AS exact,
        CAST(CAST(d AS decimal(38,0)) AS double) = d AS same
        FROM VALUES (CAST({text} AS double)) AS t(d)"""
    ).first()
    print(text, *row)
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
1152921504606846976 1152921504606846976 1152921504606846980 True
1234567890123456768 1234567890123456768 1234567890123456770 True
SEEN
