from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pyspark.sql import functions as F

from assets.bronze import flights as bronze_flights
from assets.bronze import weather as bronze_weather
from assets.gold import daily_punctuality, delay_by_weather
from assets.silver import airports, flights, weather
from penstock.schemas.contract import model_of, struct_of
from penstock.schemas.predicates import good_sql
from schemas import bronze, gold, silver

pytestmark = pytest.mark.slow(seconds=8)

DAY = date(2013, 2, 8)
NOON = datetime(2013, 2, 8, 17, 40, tzinfo=UTC)
HOUR = datetime(2013, 2, 8, 17, tzinfo=UTC)
FLIGHT = {"flight_date": DAY, "origin": "EWR", "carrier": "UA", "scheduled_departure_utc": NOON}
ON_TIME = {"departure_utc": NOON, "cancelled": False, "diverted": False}
CANCELLED = FLIGHT | {"cancelled": True, "diverted": False}


def left(delay: int) -> dict[str, Any]:
    return FLIGHT | ON_TIME | {"departure_delay_minutes": delay}


def test_a_quarter_of_an_hour_is_late_and_a_minute_less_is_not(rows: Any) -> None:
    given = rows(silver.Flights, left(-5), left(14), left(15), left(60), CANCELLED)
    [row] = daily_punctuality(given).collect()
    assert (row.flights, row.departed, row.cancelled, row.delayed) == (5, 4, 1, 2)
    assert row.delayed_share == 0.5
    assert row.mean_departure_delay_minutes == 21
    assert row.p50_departure_delay_minutes == 14.5
    assert row.p90_departure_delay_minutes == pytest.approx(15 + 0.7 * 45)


def test_an_airline_that_flew_nothing_has_no_delay_rather_than_none_of_it(rows: Any) -> None:
    [row] = daily_punctuality(rows(silver.Flights, CANCELLED, CANCELLED)).collect()
    assert (row.flights, row.departed, row.cancelled, row.delayed) == (2, 0, 2, 0)
    assert row.delayed_share is row.mean_departure_delay_minutes is None
    assert row.p50_departure_delay_minutes is row.p90_departure_delay_minutes is None


def test_weather_falls_into_its_kind(rows: Any) -> None:
    kinds = {
        (0.0, 0.0, 10.0): ("light", "none", "VFR"),
        (12.99, 0.01, 5.01): ("light", "light", "VFR"),
        (13.0, 0.10, 5.0): ("fresh", "light", "MVFR"),
        (25.0, 0.11, 3.0): ("strong", "moderate", "MVFR"),
        (38.9, 0.30, 2.9): ("strong", "moderate", "IFR"),
        (39.0, 0.31, 1.0): ("gale", "heavy", "IFR"),
        (None, 1.0, 0.99): ("unknown", "heavy", "LIFR"),
        (5.0, None, None): ("light", "unknown", "unknown"),
    }
    airports = [f"A{n}" for n in range(len(kinds))]
    names = ("wind_speed_mph", "precipitation_inches", "visibility_miles")
    seen = [
        {"origin": airport, "hour_utc": HOUR} | dict(zip(names, measured, strict=True))
        for airport, measured in zip(airports, kinds, strict=True)
    ]
    gone = [left(3) | {"origin": airport} for airport in airports]
    found = delay_by_weather(rows(silver.Flights, *gone), rows(silver.Weather, *seen)).collect()
    expected = dict(zip(airports, kinds.values(), strict=True))
    assert {row.origin: (row.wind, row.precipitation, row.visibility) for row in found} == expected


def test_a_flight_without_an_observation_is_counted(rows: Any) -> None:
    elsewhere = {"origin": "JFK", "hour_utc": HOUR, "wind_speed_mph": 50.0}
    given = rows(silver.Flights, left(20), left(-2), CANCELLED)
    [row] = delay_by_weather(given, rows(silver.Weather, elsewhere)).collect()
    assert (row.wind, row.precipitation, row.visibility) == ("unknown",) * 3
    assert (row.flights, row.departed, row.cancelled, row.delayed) == (3, 2, 1, 1)
    assert row.departure_delay_minutes == 18


def test_cancelled_flights_alone_sum_to_no_delay(rows: Any) -> None:
    [row] = delay_by_weather(rows(silver.Flights, CANCELLED), rows(silver.Weather)).collect()
    assert row.departure_delay_minutes == 0


def test_gold_of_the_real_week_counts_every_flight_once(landed: Any) -> None:
    arrived = bronze_flights(landed(bronze.Flights, "flights", derived="flight_date"))
    flown = flights(arrived, airports(landed(bronze.Airports, "airports"))).cache()
    seen = weather(bronze_weather(landed(bronze.Weather, "weather", derived="observation_date")))
    seen = seen.where(good_sql(model_of(silver.Weather)) or "")

    daily = daily_punctuality(flown).cache()
    assert daily.columns == struct_of(gold.DailyPunctuality).names
    [totals] = daily.agg(F.sum("flights"), F.sum("cancelled"), F.sum("departed")).collect()
    assert tuple(totals) == (6115, 987, 5128)
    assert daily.where(good_sql(model_of(gold.DailyPunctuality)) or "").count() == daily.count()

    kinds = delay_by_weather(flown, seen).cache()
    assert kinds.columns == struct_of(gold.DelayByWeather).names
    assert kinds.where(good_sql(model_of(gold.DelayByWeather)) or "").count() == kinds.count()
    assert kinds.agg(F.sum("flights")).collect()[0][0] == 6115
    late = F.sum("departure_delay_minutes")
    delays = {frame.agg(late).collect()[0][0] for frame in (kinds, flown)}
    assert len(delays) == 1
    # the hour whose wind was set aside is three in the night, when nothing leaves
    assert kinds.where("'unknown' IN (wind, precipitation, visibility)").count() == 0
    flown.unpersist()
