#!/bin/bash
# pyspark 4.2.0 reading CSV with multiLine: a file whose records end in CRLF (RFC 4180) has no setting that gives back what
# was sent. By default a CRLF inside a quoted cell becomes LF. With lineSep="\n" quoted cells are kept to the letter, and
# the last cell of a record keeps the CR of its end where it is not quoted, and loses it where it is: trimming a CR from
# the last column is right for the one and wrong for a quoted cell that ends in CR.
# `lineSep` takes one character, so "\r\n" cannot be said. Reading line by line (no multiLine) takes all three line ends.
#
# Seen: default: ['x\ny', 'z']; lineSep LF: ['x\r\ny', 'z\r']; Python's csv module: ['x\r\ny', 'z'].
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0
cat > read.py <<'PY'
import csv

from pyspark.sql import SparkSession

with open("sent.csv", "wb") as file:
    file.write(b'n,text\r\n1,"x\r\ny"\r\n2,z\r\n')
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()


def read(**options):
    reader = spark.read.schema("n int, text string").options(header=True, multiLine=True, **options)
    return [row.text for row in reader.csv("sent.csv").orderBy("n").collect()]


with open("sent.csv", newline="") as file:
    print("Python's csv:", [row[1] for row in csv.reader(file)][1:])
print("default:", read())
print("lineSep LF:", read(lineSep="\n"))
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
Python's csv: ['x\r\ny', 'z']
default: ['x\ny', 'z']
lineSep LF: ['x\r\ny', 'z\r']
SEEN
