"""Airlines."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock import dataset
from schemas import bronze, silver


@dataset(silver.Airlines, inputs={"listed": bronze.Airlines})
def airlines(listed: DataFrame) -> DataFrame:
    """The list as it is, once per airline."""
    return listed.select("carrier", F.trim("name").alias("name"))
