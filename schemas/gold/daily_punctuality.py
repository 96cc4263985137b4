"""Punctuality by day, airport and airline."""

from __future__ import annotations

from datetime import date, timedelta

from penstock import Contract, column


class DailyPunctuality(
    Contract,
    name="gold.daily_punctuality",
    version="1.0.0",
    owner="team:analytics",
    freshness=timedelta(days=1),
    rules={
        "every_flight_departed_or_cancelled": "departed + cancelled = flights",
        "delayed_flights_departed": "delayed <= departed",
    },
):
    """How one airline did at one airport on one day.

    A flight is delayed when it leaves 15 minutes or more after plan, the rule of the US Department
    of Transportation's Air Travel Consumer Report.
    """

    flight_date: date = column(key=True, description="Day of the planned departure, local.")
    origin: str = column(key=True, description="Airport of departure, FAA code.")
    carrier: str = column(key=True, description="Code of the airline.")
    flights: int = column(gt=0, unit="flights", description="Planned departures.")
    departed: int = column(ge=0, unit="flights", description="Flights that departed.")
    cancelled: int = column(ge=0, unit="flights", description="Flights that never departed.")
    diverted: int = column(
        ge=0, unit="flights", description="Flights that departed and did not arrive as planned."
    )
    delayed: int = column(
        ge=0, unit="flights", description="Flights that departed 15 minutes or more after plan."
    )
    delayed_share: float = column(
        nullable=True,
        in_range=(0, 1),
        unit="fraction",
        description="Delayed flights among those that departed; empty when none did.",
    )
    mean_departure_delay_minutes: float = column(
        nullable=True, unit="minutes", description="Mean delay of departed flights, early ones <0."
    )
    p50_departure_delay_minutes: float = column(
        nullable=True, unit="minutes", description="Half of the departed flights had less delay."
    )
    p90_departure_delay_minutes: float = column(
        nullable=True, unit="minutes", description="Nine tenths had less delay, interpolated."
    )
