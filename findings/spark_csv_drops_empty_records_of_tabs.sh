#!/bin/bash
# pyspark 4.2.0: a record of nothing but empty cells is one in a file of commas (`,,`) and none in a file of tabs, of which
# nothing is left when blanks are taken off: the reader leaves out lines that are blank, and asks that before it looks at what
# parts cells. The count of a table that is sent as CSV and as TSV differs, in silence, also in FAILFAST mode. With multiLine
# the same record is there.
#
# Seen: of two rows and an empty one between them three come with commas, and two with tabs; with multiLine three of both.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.2.0
cat > read.py <<'PY'
from pathlib import Path

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
for name, sign in {"commas": ",", "tabs": "\t"}.items():
    file = Path(name)
    file.write_text("a,b,c\n1,2,3\n,,\n4,5,6\n".replace(",", sign))
    for whole in (False, True):
        reader = spark.read.option("header", True).option("sep", sign).option("mode", "FAILFAST")
        rows = reader.option("multiLine", whole).csv(str(file)).count()
        print(name, "multiLine" if whole else "line by line", rows)
PY
venv/bin/python read.py 2>/dev/null | tee seen
diff seen - <<'SEEN'
commas line by line 3
commas multiLine 3
tabs line by line 2
tabs multiLine 3
SEEN
