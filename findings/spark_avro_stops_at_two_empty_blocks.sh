#!/bin/bash
# spark-avro 4.2.0 (pyspark 4.2.0): an Avro file is a sequence of blocks, each of which says how many records it has, and
# that may be none: a writer that is flushed while it holds nothing writes such a block. Spark steps over one of them. Where
# two follow each other it takes the file for ended: every record behind them is missing, with no error, FAILFAST included.
# fastavro 1.13.1 reads them all.
#
# Seen: with one block without records both read [1, 2]; with two in a row fastavro reads [1, 2] and Spark [1].
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0 fastavro==1.13.1
cat > read.py <<'PY'
import io

import fastavro
from pyspark.sql import SparkSession

SCHEMA = {"type": "record", "name": "sale", "fields": [{"name": "id", "type": "long"}]}
MARK = b"0123456789abcdef"


def number(value: int) -> bytes:
    """A small number as Avro writes it."""
    return bytes([value * 2])


def file(*blocks: list[int]) -> bytes:
    held = io.BytesIO()
    fastavro.writer(held, SCHEMA, [], sync_marker=MARK)  # a header alone
    for ids in blocks:
        records = b"".join(map(number, ids))
        held.write(number(len(ids)) + number(len(records)) + records + MARK)
    return held.getvalue()


spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.jars.packages", "org.apache.spark:spark-avro_2.13:4.2.0")
    .getOrCreate()
)
for name, blocks in {"one": ([1], [], [2]), "two": ([1], [], [], [2])}.items():
    with open(f"{name}.avro", "wb") as out:
        out.write(file(*blocks))
    with open(f"{name}.avro", "rb") as sent:
        print(f"{name}: fastavro {[row['id'] for row in fastavro.reader(sent)]}", end=" ")
    rows = spark.read.format("avro").option("mode", "FAILFAST").load(f"{name}.avro").collect()
    print(f"Spark {[row.id for row in rows]}")
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
one: fastavro [1, 2] Spark [1, 2]
two: fastavro [1, 2] Spark [1]
SEEN
