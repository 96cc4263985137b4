"""Weather by airport and hour, in UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from penstock import Contract, ForeignKey, column
from schemas.silver.airports import Airports


class Weather(
    Contract,
    name="silver.weather",
    version="1.0.0",
    owner="team:weather",
    freshness=timedelta(days=1),
    retention=timedelta(days=5 * 365),
    foreign_keys=(ForeignKey("origin", Airports, "airport"),),
):
    """The weather at a New York airport in one hour."""

    origin: str = column(key=True, isin=("EWR", "JFK", "LGA"), description="Airport, FAA code.")
    hour_utc: datetime = column(key=True, unit="UTC", description="Beginning of the hour.")
    observation_date: date = column(description="Local day of the hour in New York.")
    temperature_f: float = column(
        nullable=True, in_range=(-80, 135), unit="degrees Fahrenheit", description="Temperature."
    )
    dew_point_f: float = column(
        nullable=True, in_range=(-100, 100), unit="degrees Fahrenheit", description="Dew point."
    )
    humidity_percent: float = column(
        nullable=True, in_range=(0, 100), unit="percent", description="Relative humidity."
    )
    wind_direction_degrees: int = column(
        nullable=True,
        in_range=(0, 360),
        unit="degrees",
        description="Where the wind comes from, 360 for north; 0 when calm.",
    )
    # no sustained wind near this was ever measured at an airport
    wind_speed_mph: float = column(
        nullable=True, in_range=(0, 200), unit="miles per hour", description="Sustained wind."
    )
    wind_gust_mph: float = column(
        nullable=True,
        in_range=(0, 255),
        unit="miles per hour",
        description="Gusts; empty when there were none.",
    )
    precipitation_inches: float = column(
        nullable=True, ge=0, unit="inches", description="Rain and melted snow in the hour."
    )
    pressure_mbar: float = column(
        nullable=True,
        in_range=(850, 1100),
        unit="millibars",
        description="Air pressure at sea level.",
    )
    visibility_miles: float = column(
        nullable=True,
        ge=0,
        unit="miles",
        description="How far one sees; 10 stands for 10 or more.",
    )
