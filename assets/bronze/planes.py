"""Planes out of the file that is sent whole each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock import dataset, landing
from schemas import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataset(bronze.Planes, inputs={"arrived": landing("planes/planes*.csv", null_value="NA")})
def planes(arrived: DataFrame) -> DataFrame:
    """The rows as they came."""
    return arrived
