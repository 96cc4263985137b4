"""Which days have arrived, by the names, sizes and times of files alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from penstock import landing
from penstock.assets.automation.arrivals import SETTLED_AFTER, arrivals
from penstock.resources.lake import LandingFile

NOW = datetime(2013, 2, 10, tzinfo=UTC)
FLIGHTS = landing("flights/flights-{day}*.csv")
WEATHER = landing("weather/weather-{day}*.csv")
LISTS = landing("planes/planes*.csv")


def file(name: str, *, size: int = 1, age: timedelta = timedelta(hours=1)) -> LandingFile:
    return LandingFile(name=name, uri=name, bytes=size, modified=NOW - age)


def test_a_day_is_complete_when_every_daily_folder_has_a_file_of_it() -> None:
    found = arrivals(
        {
            FLIGHTS: [
                file("flights/flights-2013-02-07.csv"),
                file("flights/flights-2013-02-08.csv"),
            ],
            WEATHER: [file("weather/weather-2013-02-07.csv")],
            LISTS: [file("planes/planes.csv")],
        },
        now=NOW,
    )
    assert [(arrival.day.day, arrival.complete) for arrival in found] == [(7, True), (8, False)]


def test_files_without_a_day_are_nobodys_arrival() -> None:
    names = ("flights/flights-latest.csv", "flights/flights-2013-02-07.txt", "flights/README")
    assert arrivals({FLIGHTS: [file(name) for name in names]}, now=NOW) == ()


def test_a_day_has_one_digest_per_state_of_its_files() -> None:
    first = file("flights/flights-2013-02-07.csv")
    states = [
        [first],
        [file(first.name, size=2)],
        [file(first.name, age=timedelta(hours=2))],
        [first, file("flights/flights-2013-02-07-late.csv")],
    ]
    digests = {arrivals({FLIGHTS: state}, now=NOW)[0].digest for state in states}
    assert len(digests) == 4
    assert arrivals({FLIGHTS: states[3]}, now=NOW) == arrivals({FLIGHTS: states[3][::-1]}, now=NOW)


def test_a_file_that_may_still_grow_is_not_there_yet() -> None:
    growing = file("flights/flights-2013-02-07.csv", age=SETTLED_AFTER - timedelta(seconds=1))
    assert arrivals({FLIGHTS: [growing]}, now=NOW) == ()
    assert len(arrivals({FLIGHTS: [growing]}, now=NOW + timedelta(seconds=1))) == 1
