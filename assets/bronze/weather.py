"""Weather out of its day files, CSV or JSON lines."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from assets.arriving import arriving
from assets.days import OBSERVATION_DAYS
from penstock import JsonLines, dataset, landing
from schemas import bronze

DERIVED = ("observation_date",)
DAYS = arriving(
    files=landing("weather/weather-{day}*.csv", null_value="NA", derived=DERIVED),
    otherwise=landing("weather/weather-{day}*.jsonl", format=JsonLines(), derived=DERIVED),
)


@dataset(bronze.Weather, inputs={"arrived": DAYS}, partitions=OBSERVATION_DAYS)
def weather(arrived: DataFrame) -> DataFrame:
    """The rows as they came, and the day they are of."""
    # a day that does not exist becomes NULL and sets its row aside; to_date would stop the run
    day = F.concat_ws("-", "year", "month", "day").try_cast("date")
    return arrived.select(day.alias("observation_date"), "*")
