"""Weather as the airports' stations report it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from penstock import Contract, column


class Weather(
    Contract,
    name="bronze.weather",
    version="1.0.0",
    owner="team:weather",
    freshness=timedelta(days=1),
    retention=timedelta(days=2 * 365),
):
    """One hourly observation at a New York airport, in the station's own units."""

    observation_date: date = column(
        description="Local day of the observation: year, month and day as one date."
    )
    origin: str = column(description="FAA code of the airport.")
    year: int = column(description="Year, local.")
    month: int = column(ge=1, le=12, description="Month, local.")
    day: int = column(ge=1, le=31, description="Day of the month, local.")
    hour: int = column(
        ge=0,
        le=23,
        unit="hours",
        description="Hour, local; the hour that summer time ends in occurs twice.",
    )
    temp: float = column(nullable=True, unit="degrees Fahrenheit", description="Temperature.")
    dewp: float = column(nullable=True, unit="degrees Fahrenheit", description="Dew point.")
    humid: float = column(nullable=True, unit="percent", description="Relative humidity.")
    wind_dir: int = column(
        nullable=True, unit="degrees", description="Where the wind comes from; 0 when calm."
    )
    wind_speed: float = column(nullable=True, unit="miles per hour", description="Wind speed.")
    wind_gust: float = column(
        nullable=True, unit="miles per hour", description="Gusts; empty when there were none."
    )
    precip: float = column(nullable=True, unit="inches", description="Precipitation in the hour.")
    pressure: float = column(
        nullable=True, unit="millibars", description="Air pressure at sea level."
    )
    visib: float = column(
        nullable=True, unit="miles", description="Visibility; 10 stands for 10 or more."
    )
    time_hour: datetime = column(unit="UTC", description="The hour observed, as an instant.")
