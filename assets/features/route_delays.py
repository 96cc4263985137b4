"""What was known of a route's delays before each flight."""

from __future__ import annotations

from datetime import timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from assets.days import FLIGHT_DAYS
from penstock import Slice, dataset, table
from schemas import features, silver


@dataset(
    features.RouteDelays,
    inputs={
        # 7 days of outcomes; a flight may leave a day late, and a local day is two UTC days
        "flights": table(silver.Flights, slice_by="flight_date", lookback=timedelta(days=9))
    },
    partitions=FLIGHT_DAYS,
)
def route_delays(flights: DataFrame, run: Slice) -> DataFrame:
    """Outcomes and questions on one line of time, per route; a question looks back only.

    An outcome stands where it became known, a question two hours before the planned departure.
    """
    day = 24 * 60 * 60
    route = ("origin", "destination")
    outcomes = flights.select(
        *route,
        "flight_id",
        F.coalesce("departure_utc", "scheduled_departure_utc").alias("at"),
        F.col("departure_delay_minutes").alias("delay"),
        F.col("cancelled").cast("int").alias("cancelled"),
    )
    questions = flights.where(run.predicate("flight_date", "date")).select(
        *route,
        "flight_id",
        "flight_date",
        F.timestamp_add("HOUR", F.lit(-2), F.col("scheduled_departure_utc")).alias("at"),
    )
    line = Window.partitionBy(*route).orderBy(F.unix_seconds("at"))
    week, last_day = line.rangeBetween(-7 * day, -1), line.rangeBetween(-day, -1)
    departure = F.when(F.col("delay").isNotNull(), F.struct("at", "flight_id"))
    last_5 = F.max_by("delay", departure, 5).over(week)
    return (
        questions.unionByName(outcomes, allowMissingColumns=True)
        .select(
            "flight_id",
            "flight_date",
            *route,
            F.col("at").alias("as_of_utc"),
            F.count("cancelled").over(week).alias("flights_7d"),
            F.avg("cancelled").over(week).alias("cancelled_share_7d"),
            F.avg("delay").over(week).alias("mean_departure_delay_minutes_7d"),
            F.avg("delay").over(last_day).alias("mean_departure_delay_minutes_24h"),
            F.try_divide(
                F.aggregate(last_5, F.lit(0.0), lambda total, delay: total + delay),
                F.size(last_5),
            ).alias("mean_departure_delay_minutes_last_5"),
        )
        .where("flight_date IS NOT NULL")
    )
