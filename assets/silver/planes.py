"""Planes."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock import dataset
from schemas import bronze, silver


@dataset(silver.Planes, inputs={"registry": bronze.Planes})
def planes(registry: DataFrame) -> DataFrame:
    """The registry under names that say what is meant: `year` is the year of building."""
    return registry.select(
        F.col("tailnum").alias("tail_number"),
        F.col("year").alias("year_built"),
        F.lower("type").alias("kind"),
        F.col("manufacturer"),
        F.col("model"),
        F.col("engines"),
        F.lower("engine").alias("engine_kind"),
        F.col("seats"),
        F.col("speed").alias("cruising_speed_mph"),
    )
