"""Prints, as JSON, the lineage of every shape and query seen through a Spark Connect server.

Run as a process of its own: a process has either the classic functions or Connect's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from penstock.lineage.plan_lineage import column_lineage
from tests.lineage.column_lineage_shapes import SHAPES, found, inputs
from tests.lineage.tpcds_queries import QUERIES, seen, tables


def main(address: str, answer: Path) -> None:
    spark = SparkSession.builder.remote(address).getOrCreate()
    marked = inputs(spark)
    results: dict[str, object] = {}
    for shape in SHAPES:
        frame = shape.build(marked)
        results[shape.name] = found(column_lineage(frame))
    tables(spark)
    for name, query in QUERIES.items():
        results[f"query: {name}"] = seen(column_lineage(spark.sql(query.text)))
    answer.write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
