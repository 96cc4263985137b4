from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from assets.bronze import flights as bronze_flights
from assets.silver import airports, flights
from penstock.schemas.contract import model_of, struct_of
from penstock.schemas.predicates import good_sql
from schemas import bronze, silver

pytestmark = pytest.mark.slow(seconds=12)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def instant(moment: datetime | None) -> datetime | None:
    # Spark gives instants back in this machine's zone
    return moment.astimezone(UTC) if moment else None


REPORTED = {
    "flight_date": date(2013, 2, 7),
    "year": 2013,
    "month": 2,
    "day": 7,
    "dep_time": 458,
    "sched_dep_time": 500,
    "dep_delay": -2,
    "arr_time": 642,
    "sched_arr_time": 648,
    "arr_delay": -6,
    "carrier": "US",
    "flight": 1117,
    "tailnum": "N165US",
    "origin": "EWR",
    "dest": "CLT",
    "air_time": 87,
    "distance": 529,
    "hour": 5,
    "minute": 0,
    "time_hour": utc("2013-02-07 10:00"),
}
ZONES = {
    "CLT": "America/New_York",
    "LAX": "America/Los_Angeles",
    "HNL": "Pacific/Honolulu",
    "EEN": None,
}


@pytest.fixture
def flown(rows: Any) -> Any:
    """The row that a flight becomes, of what was reported of it."""
    listed = rows(
        silver.Airports, *({"airport": a, "time_zone": zone} for a, zone in ZONES.items())
    )

    def fly(**reported: Any) -> Row:
        [row] = flights(rows(bronze.Flights, REPORTED | reported), listed).collect()
        return row

    return fly


def test_a_flight_gets_its_key_and_its_instants(flown: Any) -> None:
    flight = flown()
    assert flight.flight_id == "2013-02-07-US-1117-EWR"
    assert instant(flight.scheduled_departure_utc) == utc("2013-02-07 10:00")
    assert instant(flight.departure_utc) == utc("2013-02-07 09:58")
    assert instant(flight.scheduled_arrival_utc) == utc("2013-02-07 11:48")
    assert instant(flight.arrival_utc) == utc("2013-02-07 11:42")
    assert (flight.cancelled, flight.diverted) == (False, False)


def test_a_flight_delayed_past_midnight_departs_on_the_next_day(flown: Any) -> None:
    flight = flown(
        sched_dep_time=2159, hour=21, minute=59, dep_time=27, dep_delay=148,
        sched_arr_time=2306, arr_delay=123, time_hour=utc("2013-02-08 02:00"),
    )  # fmt: skip
    assert flight.flight_date == date(2013, 2, 7)
    assert instant(flight.departure_utc) == utc("2013-02-08 05:27")
    assert instant(flight.arrival_utc) == utc("2013-02-08 06:09")


def test_midnight_written_as_2400_needs_no_parsing(flown: Any) -> None:
    flight = flown(
        sched_dep_time=2359, hour=23, minute=59, dep_time=2400, dep_delay=1,
        time_hour=utc("2013-02-08 04:00"),
    )  # fmt: skip
    assert instant(flight.departure_utc) == utc("2013-02-08 05:00")


def test_an_arrival_is_read_off_the_destinations_clock(flown: Any) -> None:
    west = flown(dest="LAX", sched_dep_time=900, hour=9, time_hour=utc("2013-02-07 14:00"),
                 sched_arr_time=1215, arr_delay=0)  # fmt: skip
    assert instant(west.scheduled_arrival_utc) == utc("2013-02-07 20:15")
    overnight = flown(dest="LAX", sched_dep_time=2200, hour=22, time_hour=utc("2013-02-08 03:00"),
                      sched_arr_time=115, arr_delay=0)  # fmt: skip
    assert instant(overnight.scheduled_arrival_utc) == utc("2013-02-08 09:15")


@pytest.mark.parametrize("dest", ["SJU", "STT", "BQN", "PSE"])
def test_the_islands_off_the_list_keep_atlantic_time(flown: Any, dest: str) -> None:
    flight = flown(dest=dest, sched_arr_time=1000, arr_delay=5)
    assert instant(flight.arrival_utc) == utc("2013-02-07 14:05")


@pytest.mark.parametrize("dest", ["XXX", "EEN"])
def test_a_destination_without_a_known_zone_has_no_arrival_instants(flown: Any, dest: str) -> None:
    flight = flown(dest=dest)
    assert flight.scheduled_arrival_utc is flight.arrival_utc is None
    assert flight.arrival_delay_minutes == -6
    assert flight.departure_utc is not None


def test_a_cancelled_flight_has_a_plan_and_nothing_else(flown: Any) -> None:
    flight = flown(
        dep_time=None, dep_delay=None, arr_time=None, arr_delay=None, air_time=None, tailnum=None
    )
    assert (flight.cancelled, flight.diverted) == (True, False)
    assert flight.departure_utc is flight.arrival_utc is flight.tail_number is None
    assert instant(flight.scheduled_arrival_utc) == utc("2013-02-07 11:48")


def test_a_flight_that_departed_and_never_arrived_is_diverted(flown: Any) -> None:
    assert flown(arr_time=None, arr_delay=None, air_time=None).diverted
    assert flown(arr_delay=None, air_time=None).diverted


def test_the_clock_change_moves_the_instant_and_not_the_local_day(flown: Any) -> None:
    # 10 March 2013, 02:00: summer time begins; 3 November, 02:00: it ends
    spring = flown(sched_arr_time=900, arr_delay=0, time_hour=utc("2013-03-10 10:30"))
    assert instant(spring.scheduled_arrival_utc) == utc("2013-03-10 13:00")
    before = flown(
        dest="LAX", time_hour=utc("2013-03-10 03:00"), sched_arr_time=130, hour=22, minute=0
    )
    assert instant(before.scheduled_arrival_utc) == utc("2013-03-10 09:30")
    autumn = flown(sched_arr_time=900, arr_delay=0, time_hour=utc("2013-11-03 11:00"))
    assert instant(autumn.scheduled_arrival_utc) == utc("2013-11-03 14:00")


@pytest.fixture(scope="module")
def week(landed: Any) -> DataFrame:
    arrived = landed(bronze.Flights, "flights", derived="flight_date")
    listed = landed(bronze.Airports, "airports")
    return flights(bronze_flights(arrived), airports(listed)).cache()


def test_the_real_week_has_every_flight_once(week: DataFrame) -> None:
    counts = week.groupBy("flight_date").agg(F.count("*").alias("n")).orderBy("flight_date")
    assert [row.n for row in counts.collect()] == [932, 930, 684, 829, 929, 893, 918]
    assert week.select("flight_id").distinct().count() == 6115


def test_the_blizzard_cancels_flights(week: DataFrame) -> None:
    cancelled = {
        row.flight_date.day: row.n
        for row in week.where("cancelled")
        .groupBy("flight_date")
        .agg(F.count("*").alias("n"))
        .collect()
    }
    assert (cancelled[8], cancelled[9], sum(cancelled.values())) == (472, 393, 987)


def test_every_real_arrival_leaves_time_to_taxi(week: DataFrame) -> None:
    taxi = F.timestamp_diff("MINUTE", "departure_utc", "arrival_utc") - F.col("air_time_minutes")
    [row] = week.agg(F.min(taxi), F.max(taxi), F.count("arrival_utc")).collect()
    low, high, arrived = row
    assert 5 <= low <= high <= 235
    assert arrived == week.where("NOT cancelled AND NOT diverted").count()


def test_the_real_week_keeps_its_contract(week: DataFrame) -> None:
    assert week.columns == struct_of(silver.Flights).names
    assert week.where(f"NOT ({good_sql(model_of(silver.Flights))})").count() == 0
