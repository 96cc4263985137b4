"""Airports out of the file that is sent whole each time, or out of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.arriving import arriving
from penstock import dataset, landing, query
from schemas import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


LIST = arriving(
    files=landing("airports/airports*.csv", null_value="NA"),
    otherwise=query("public.airports", database="reference"),
)


@dataset(bronze.Airports, inputs={"arrived": LIST})
def airports(arrived: DataFrame) -> DataFrame:
    """The rows as they came."""
    return arrived
