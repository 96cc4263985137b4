#!/bin/bash
# pyspark 4.2.0: a JSON string read as DECIMAL loses its commas before it is parsed, so "1,50", as half of Europe writes one
# and a half, is 150.00: a hundred times as much, with no error in any mode, FAILFAST included. The same text is refused by a
# cast. With locale=de it is 1.50, and "1,234.50" is NULL.
#
# Seen: JSON ['150.00', '1234.50'], FAILFAST the same; cast [None, None].
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0
cat > read.py <<'PY'
from pyspark.sql import SparkSession

with open("sent.json", "w") as file:
    file.write('{"n": 1, "price": "1,50"}\n{"n": 2, "price": "1,234.50"}\n')
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()


def prices(frame):
    return [row.price and str(row.price) for row in frame.orderBy("n").collect()]


def read(schema, **options):
    return spark.read.schema(schema).options(**options).json("sent.json")


print("JSON:", prices(read("n int, price decimal(10,2)")))
print("FAILFAST:", prices(read("n int, price decimal(10,2)", mode="FAILFAST")))
print("locale de:", prices(read("n int, price decimal(10,2)", locale="de")))
text = read("n int, price string")
print("cast:", prices(text.selectExpr("n", "try_cast(price AS decimal(10,2)) AS price")))
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
JSON: ['150.00', '1234.50']
FAILFAST: ['150.00', '1234.50']
locale de: ['1.50', None]
cast: [None, None]
SEEN
