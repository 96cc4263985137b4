"""Delay against the weather at departure."""

from __future__ import annotations

from datetime import date, timedelta

from penstock import Contract, column


class DelayByWeather(
    Contract,
    name="gold.delay_by_weather",
    version="1.0.0",
    owner="team:analytics",
    freshness=timedelta(days=1),
    rules={"every_flight_departed_or_cancelled": "departed + cancelled = flights"},
):
    """The flights that one airport had on one day in one kind of weather.

    The measures add up, so any period can be summed; the mean delay of a period is
    sum(departure_delay_minutes) / sum(departed). Weather is that of the planned hour of departure;
    flights of an hour without a good observation are counted under `unknown`.
    """

    flight_date: date = column(key=True, description="Day of the planned departure, local.")
    origin: str = column(key=True, description="Airport of departure, FAA code.")
    wind: str = column(
        key=True,
        isin=("light", "fresh", "strong", "gale", "unknown"),
        description="Sustained wind on the Beaufort scale: light to 3 (under 13 mph), fresh 4-5 "
        "(under 25), strong 6-7 (under 39), gale from 8.",
    )
    precipitation: str = column(
        key=True,
        isin=("none", "light", "moderate", "heavy", "unknown"),
        description="Rate as in the AMS glossary: light to 0.10 inches an hour, moderate to 0.30, "
        "heavy above.",
    )
    visibility: str = column(
        key=True,
        isin=("VFR", "MVFR", "IFR", "LIFR", "unknown"),
        description="The FAA's flight category by visibility alone: VFR above 5 miles, MVFR from "
        "3, IFR from 1, LIFR below.",
    )
    flights: int = column(gt=0, unit="flights", description="Planned departures.")
    departed: int = column(ge=0, unit="flights", description="Flights that departed.")
    cancelled: int = column(ge=0, unit="flights", description="Flights that never departed.")
    delayed: int = column(
        ge=0, unit="flights", description="Flights that departed 15 minutes or more after plan."
    )
    departure_delay_minutes: int = column(
        unit="minutes", description="Delay of all departed flights together, early ones negative."
    )
