"""Masks a table in a process of its own, with everything that Spark can be made to tell turned on.

It prints plans and code to stdout. `literal` does it the wrong way, with the pads as literals: it
shows that the search finds a key.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from penstock.privacy import MaskingPolicy, Redact, Token, mask, pads_file, read_pads
from penstock.resources.secrets import FileSecrets
from tests.foreign_jvm import foreign_jvm

if TYPE_CHECKING:
    from pathlib import Path

WRONGLY = "now the wrong way"
POLICY = MaskingPolicy.of(
    {
        "email": Token("email"),
        "passport": Token("passport"),
        "remark": Redact(known=("email", "passport")),
    }
)


def session(*, connect: bool, folder: Path) -> SparkSession:
    builder = SparkSession.builder.appName("masking job")
    builder = builder.remote("local[1]") if connect else builder.master("local[1]")
    settings = foreign_jvm() | {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.sql.debug.maxToStringFields": "10000",
        "spark.sql.maxPlanStringLength": "100000000",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": f"file://{folder}/events",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def work(carrier: str, folder: Path, wrongly: Path | None = None) -> None:
    """Mask in `folder`, and then the wrong way in the other, after a line that says so."""
    trace(carrier, folder)
    if wrongly is not None:
        sys.stdout.write(f"\n{WRONGLY}\n")
        sys.stdout.flush()
        trace("literal", wrongly)


def trace(carrier: str, folder: Path) -> None:
    (folder / "events").mkdir()
    spark = session(connect=carrier == "connect", folder=folder)
    pads = read_pads(spark, pads_file(FileSecrets(folder / "secrets"), "masking"))
    if carrier == "literal":
        row = pads.first()
        assert row is not None
        pads = spark.range(1).select(*(F.lit(row[name]).alias(name) for name in pads.columns))
    masked = mask(spark.read.format("delta").load(f"{folder}/source"), POLICY, pads)
    # a filter on tokens and an aggregate over them push the expressions into other operators
    shapes = [masked, masked.where("email like 'k1.%'"), masked.groupBy("email").count()]
    for shape in shapes[:1] if carrier == "literal" else shapes:
        spark.conf.set("spark.sql.adaptive.enabled", "false")  # an adaptive plan hides its code
        shape.explain("codegen")
        spark.conf.set("spark.sql.adaptive.enabled", "true")
        tell(shape, carrier)
    if carrier != "literal":
        write(spark, masked, folder)
    spark.stop()


def write(spark: SparkSession, masked: DataFrame, folder: Path) -> None:
    masked.write.format("delta").save(f"{folder}/target")
    target = f"delta.`{folder}/target`"
    masked.createOrReplaceTempView("masked")
    spark.sql(
        f"MERGE INTO {target} t USING masked s ON t.email = s.email "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    spark.sql(f"DESCRIBE HISTORY {target}").show(truncate=False)


def tell(frame: DataFrame, carrier: str) -> None:
    frame.explain("extended")
    frame.explain("formatted")
    frame.collect()
    if carrier != "connect":
        execution = frame._jdf.queryExecution()
        for plan in (execution.analyzed(), execution.optimizedPlan(), execution.executedPlan()):
            sys.stdout.write(plan.toJSON())
