"""Tells, as JSON, column lineage seen through a Spark Connect server.

Run as a process of its own: a process has either the classic functions or Connect's. A line of
its input is a query over the inputs of the shapes, or `null` for every shape and query written
down; a line of its output is the answer.
"""

from __future__ import annotations

import json
import sys

from pyspark.sql import SparkSession

from penstock.lineage.plan.frame_lineage import column_lineage
from tests.lineage.column_lineage_shapes import SHAPES, Inputs, found, inputs
from tests.lineage.tpcds_queries import QUERIES, seen, tables


def main(address: str) -> None:
    spark = SparkSession.builder.remote(address).getOrCreate()
    marked = inputs(spark)
    for line in sys.stdin:
        query = json.loads(line)
        told = written_down(marked) if query is None else found(column_lineage(spark.sql(query)))
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def written_down(marked: Inputs) -> dict[str, object]:
    results: dict[str, object] = {}
    for shape in SHAPES:
        frame = shape.build(marked)
        results[shape.name] = found(column_lineage(frame))
    tables(marked.spark)
    for name, query in QUERIES.items():
        results[f"query: {name}"] = seen(column_lineage(marked.spark.sql(query.text)))
    return results


if __name__ == "__main__":
    main(sys.argv[1])
