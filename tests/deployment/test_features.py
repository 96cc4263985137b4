from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from assets.bronze import flights as bronze_flights
from assets.features import route_delays
from assets.silver import airports, flights
from penstock import Slice
from penstock.schemas.contract import model_of, struct_of
from penstock.schemas.predicates import good_sql
from schemas import bronze, features, silver

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

pytestmark = pytest.mark.slow(seconds=12)

DAY = date(2013, 2, 12)
NOON = datetime(2013, 2, 12, 17, tzinfo=UTC)
AS_OF = NOON - timedelta(hours=2)
ASKED = "asked"


def flight(
    name: str, departs: datetime, delay: int | None = 0, *, to: str = "LAX", day: date | None = None
) -> dict[str, Any]:
    return {
        "flight_id": name,
        "flight_date": day or departs.date(),
        "origin": "EWR",
        "destination": to,
        "scheduled_departure_utc": departs,
        "departure_utc": None if delay is None else departs + timedelta(minutes=delay),
        "departure_delay_minutes": delay,
        "cancelled": delay is None,
    }


@pytest.fixture
def asked(rows: Any) -> Any:
    """The features of the flight at noon, of the flights before it."""

    def ask(*others: dict[str, Any]) -> Row:
        given = rows(silver.Flights, flight(ASKED, NOON, 77), *others)
        answers = route_delays(given, Slice.day(DAY)).collect()
        [row] = [answer for answer in answers if answer.flight_id == ASKED]
        return row

    return ask


def test_without_a_past_nothing_is_known(asked: Any) -> None:
    row = asked()
    assert row.as_of_utc.astimezone(UTC) == AS_OF
    assert row.flights_7d == 0
    assert row.cancelled_share_7d is row.mean_departure_delay_minutes_7d is None
    assert row.mean_departure_delay_minutes_24h is None
    assert row.mean_departure_delay_minutes_last_5 is None


def test_what_happens_at_or_after_the_question_is_not_known(asked: Any) -> None:
    moments = (AS_OF, AS_OF + timedelta(minutes=1), NOON, NOON + timedelta(hours=1))
    assert asked(*(flight(f"late{n}", at, 9) for n, at in enumerate(moments))).flights_7d == 0
    assert asked(flight("just", AS_OF - timedelta(minutes=1), 0)).flights_7d == 1


def test_a_delay_is_known_from_the_actual_departure_on(asked: Any) -> None:
    planned = AS_OF - timedelta(hours=1)
    assert asked(flight("still waiting", planned, 60)).flights_7d == 0
    assert asked(flight("gone", planned, 59)).mean_departure_delay_minutes_7d == 59


def test_a_cancellation_is_known_from_the_planned_departure_on(asked: Any) -> None:
    row = asked(
        flight("gone", AS_OF - timedelta(hours=3), 10),
        flight("cancelled", AS_OF - timedelta(minutes=1), None),
        flight("not yet", AS_OF, None),
    )
    assert (row.flights_7d, row.cancelled_share_7d) == (2, 0.5)
    assert row.mean_departure_delay_minutes_7d == 10


def test_windows_end_after_a_day_and_after_a_week(asked: Any) -> None:
    row = asked(
        flight("in a day", AS_OF - timedelta(days=1), 10),
        flight("in a week", AS_OF - timedelta(days=7), 20),
        flight("too old", AS_OF - timedelta(days=7, minutes=1), 0),
    )
    assert row.flights_7d == 2
    assert row.mean_departure_delay_minutes_7d == 15
    assert row.mean_departure_delay_minutes_24h == 10


def test_other_routes_do_not_count(asked: Any) -> None:
    assert asked(flight("elsewhere", AS_OF - timedelta(hours=5), 9, to="SFO")).flights_7d == 0


def test_the_last_five_are_the_latest_five_that_departed(asked: Any) -> None:
    hours = range(1, 8)
    gone = [flight(f"{h}h", AS_OF - timedelta(hours=h), h) for h in hours]
    cancelled = flight("cancelled", AS_OF - timedelta(minutes=5), None)
    row = asked(*gone, cancelled)
    assert row.mean_departure_delay_minutes_last_5 == (1 + 2 + 3 + 4 + 5) / 5


def test_ties_are_broken_the_same_way_every_time(asked: Any) -> None:
    at = AS_OF - timedelta(hours=4)
    tied = [
        flight(f"t{n}", at - timedelta(minutes=delay), delay)
        for n, delay in enumerate((1, 2, 4, 8, 16, 32))
    ]
    expected = (2 + 4 + 8 + 16 + 32) / 5
    assert asked(*tied).mean_departure_delay_minutes_last_5 == expected
    assert asked(*reversed(tied)).mean_departure_delay_minutes_last_5 == expected


def test_only_flights_of_the_slice_are_answered(rows: Any) -> None:
    given = rows(
        silver.Flights,
        flight("before", NOON - timedelta(days=1), 5),
        flight("that day", NOON),
        # 22:30 in New York: the next day in UTC
        flight("that night", datetime(2013, 2, 13, 3, 30, tzinfo=UTC), day=DAY),
        flight("after", NOON + timedelta(days=1)),
    )
    answered = {row.flight_id for row in route_delays(given, Slice.day(DAY)).collect()}
    assert answered == {"that day", "that night"}


@pytest.fixture(scope="module")
def week(landed: Any) -> DataFrame:
    arrived = bronze_flights(landed(bronze.Flights, "flights", derived="flight_date"))
    return flights(arrived, airports(landed(bronze.Airports, "airports"))).cache()


def test_one_answer_for_each_real_flight_of_the_day(week: DataFrame) -> None:
    answers = route_delays(week, Slice.day(DAY)).cache()
    assert answers.columns == struct_of(features.RouteDelays).names
    assert answers.count() == answers.select("flight_id").distinct().count() == 893
    assert answers.where(good_sql(model_of(features.RouteDelays)) or "").count() == 893
    answers.unpersist()


def test_the_future_changes_nothing_of_the_real_answers(week: DataFrame) -> None:
    day = Slice.day(date(2013, 2, 10))
    whole = route_delays(week, day)
    known = route_delays(week.where("flight_date <= '2013-02-10'"), day)
    answers = whole.collect()
    assert len(answers) == 829
    assert set(answers) == set(known.collect())


def test_a_range_of_days_gives_what_its_days_give(week: DataFrame) -> None:
    days = [date(2013, 2, 12), date(2013, 2, 13)]
    once = route_delays(week, Slice.day(*days))
    each = [row for day in days for row in route_delays(week, Slice.day(day)).collect()]
    assert set(once.collect()) == set(each)
