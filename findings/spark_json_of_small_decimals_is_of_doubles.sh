#!/bin/bash
# pyspark 4.2.0: `to_json` writes a decimal of seven or more places that is zero, or small, with an exponent, 0E-8: by the
# type it is a decimal, by its text a float. `parse_json` takes a number with an exponent for a double, and so does whoever
# asks what was sent by the text alone. A column of decimal(18,8), told on as JSON and read as a variant, is of decimals in
# some rows and of doubles in others, by their values. The same values as plain digits are decimals all.
#
# Seen: 0 and 0.00000001 are written as 0E-8 and 1E-8 and read as DOUBLE; 1.5 is written 1.50000000 and read as DECIMAL(2,1);
# cast to a string first all three are plain digits, and DECIMAL.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0
cat > read.py <<'PY'
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
rows = spark.sql(
    """SELECT CAST(v AS decimal(18,8)) AS v FROM VALUES ('0'), ('0.00000001'), ('1.5') AS t(v)"""
)
told = rows.selectExpr(
    "to_json(named_struct('v', v)) AS json", "CAST(v AS string) AS plain"
)
for row in told.selectExpr(
    "json",
    "schema_of_variant(variant_get(parse_json(json), '$.v')) AS read",
    "plain",
    "schema_of_variant(parse_json(plain)) AS as_plain",
).collect():
    print(*row)
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
{"v":0E-8} DOUBLE 0.00000000 DECIMAL(1,0)
{"v":1E-8} DOUBLE 0.00000001 DECIMAL(8,8)
{"v":1.50000000} DECIMAL(2,1) 1.50000000 DECIMAL(2,1)
SEEN
