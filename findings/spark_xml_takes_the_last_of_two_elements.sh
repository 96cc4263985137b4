#!/bin/bash
# pyspark 4.2.0: where the schema that is asked for has a column of one value, and a record of an XML file has the element
# twice, Spark's reader gives the last of the two: no error and no corrupt record, FAILFAST included. With an array in the
# schema both are given. What the schema of a file is said to be (`inferSchema`) depends on whether any record has two.
#
# Seen: of <sale><item>a</item><item>b</item></sale> `item string` gives b in both modes, `item array<string>` gives [a, b].
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0
cat > read.py <<'PY'
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
with open("sales.xml", "w") as out:
    out.write("<sales><sale><item>a</item><item>b</item></sale></sales>")
for mode in ("PERMISSIVE", "FAILFAST"):
    for schema in ("item string, _corrupt_record string", "item array<string>"):
        reader = spark.read.format("xml").option("rowTag", "sale").option("mode", mode)
        print(mode, [tuple(row) for row in reader.schema(schema).load("sales.xml").collect()])
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
PERMISSIVE [('b', None)]
PERMISSIVE [(['a', 'b'],)]
FAILFAST [('b', None)]
FAILFAST [(['a', 'b'],)]
SEEN
