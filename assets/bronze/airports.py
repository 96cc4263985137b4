"""Airports out of the file that is sent whole each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock import dataset, landing
from schemas import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataset(bronze.Airports, inputs={"arrived": landing("airports/airports*.csv", null_value="NA")})
def airports(arrived: DataFrame) -> DataFrame:
    """The rows as they came."""
    return arrived
