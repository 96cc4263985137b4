"""Flights as the airlines report them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from penstock import Contract, column


class Flights(
    Contract,
    name="bronze.flights",
    version="1.0.0",
    owner="team:flight-operations",
    freshness=timedelta(days=1),
    retention=timedelta(days=2 * 365),
):
    """One scheduled departure from a New York airport, as reported for the day it was due.

    Clock times are numbers like 517 for 05:17; 2400 is midnight at the end of the day.
    """

    flight_date: date = column(
        description="Day of the scheduled departure in New York: year, month and day as one date."
    )
    year: int = column(description="Year of the scheduled departure, local.")
    month: int = column(ge=1, le=12, description="Month of the scheduled departure, local.")
    day: int = column(
        ge=1, le=31, description="Day of the month of the scheduled departure, local."
    )
    dep_time: int = column(
        nullable=True, unit="HHMM", description="Actual departure, local. Empty when cancelled."
    )
    sched_dep_time: int = column(unit="HHMM", description="Scheduled departure, local.")
    dep_delay: int = column(
        nullable=True, unit="minutes", description="Departure delay; negative when early."
    )
    arr_time: int = column(
        nullable=True, unit="HHMM", description="Actual arrival, local time of the destination."
    )
    sched_arr_time: int = column(
        unit="HHMM", description="Scheduled arrival, local time of the destination."
    )
    arr_delay: int = column(
        nullable=True,
        unit="minutes",
        description="Arrival delay; negative when early. Empty when cancelled or diverted.",
    )
    carrier: str = column(description="Two-character code of the airline.")
    flight: int = column(description="Flight number.")
    tailnum: str = column(nullable=True, description="Tail number of the plane.")
    origin: str = column(description="FAA code of the airport of departure.")
    dest: str = column(description="FAA code of the destination.")
    air_time: int = column(nullable=True, unit="minutes", description="Time in the air.")
    distance: int = column(unit="miles", description="Distance between the airports.")
    hour: int = column(ge=0, le=23, unit="hours", description="Hour of the scheduled departure.")
    minute: int = column(
        ge=0, le=59, unit="minutes", description="Minute of the scheduled departure."
    )
    time_hour: datetime = column(
        unit="UTC", description="Scheduled departure, cut to the hour, as an instant."
    )
