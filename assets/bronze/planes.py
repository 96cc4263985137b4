"""Planes out of the file that is sent whole each time, as CSV or Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.arriving import arriving
from penstock import Parquet, dataset, landing
from schemas import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


REGISTRY = arriving(
    files=landing("planes/planes*.csv", null_value="NA"),
    otherwise=landing("planes/planes*.parquet", format=Parquet()),
)


@dataset(bronze.Planes, inputs={"arrived": REGISTRY})
def planes(arrived: DataFrame) -> DataFrame:
    """The rows as they came."""
    return arrived
