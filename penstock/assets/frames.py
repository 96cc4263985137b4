"""Pinned inputs, and the table itself, as DataFrames. Nothing runs here: frames are lazy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lineage.plan.frame_lineage import mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.kind import PinnedInput
    from penstock.assets.resolve import Resolved
    from penstock.schemas.model import ContractModel

__all__ = ["input_frames", "table_rows"]


def input_frames(
    spark: SparkSession,
    inputs: Iterable[PinnedInput],
    contract: ContractModel,
    *,
    strict: bool,
) -> tuple[dict[str, DataFrame], list[DataFrame]]:
    """A frame for each input, and what arrived and could not be read.

    With `strict`, such a row raises BAD_ROW instead of being left out.
    """
    frames: dict[str, DataFrame] = {}
    rejected: list[DataFrame] = []
    for item in inputs:
        arrived = item.read(spark, contract, strict=strict)
        frames[item.name] = mark(arrived.good, item.dataset)
        if arrived.rejected is not None:
            rejected.append(arrived.rejected)
    return frames, rejected


def table_rows(resolved: Resolved, spark: SparkSession) -> DataFrame:
    """The rows that the run's own table has at the version that was resolved."""
    assert resolved.state is not None
    version = resolved.state.version
    return spark.read.format("delta").option("versionAsOf", version).load(resolved.table.path)
