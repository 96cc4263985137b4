"""What was known of a route's delays before each flight."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from penstock import Contract, column


class RouteDelays(
    Contract,
    name="features.route_delays",
    version="1.0.0",
    owner="team:forecasting",
    freshness=timedelta(days=1),
):
    """What was known of a flight's route (origin to destination) two hours before its departure.

    Only outcomes from before `as_of_utc` count: a delay is known from the moment of the actual
    departure on, a cancellation from the planned departure on. The flight's own outcome is not
    among the features; join silver.flights by flight_id for the label.
    """

    flight_id: str = column(key=True, description="The flight, a key of silver.flights.")
    flight_date: date = column(description="Day of the planned departure, local.")
    origin: str = column(description="Airport of departure, FAA code.")
    destination: str = column(description="Planned destination, FAA code.")
    as_of_utc: datetime = column(
        unit="UTC", description="The features know nothing of this instant or later."
    )
    flights_7d: int = column(
        ge=0, unit="flights", description="Outcomes on the route known in the 7 days before."
    )
    cancelled_share_7d: float = column(
        nullable=True,
        in_range=(0, 1),
        unit="fraction",
        description="Cancelled ones among them; empty when there were no flights.",
    )
    mean_departure_delay_minutes_7d: float = column(
        nullable=True,
        unit="minutes",
        description="Mean delay of those that departed; empty when none did.",
    )
    mean_departure_delay_minutes_24h: float = column(
        nullable=True, unit="minutes", description="The same over the 24 hours before."
    )
    mean_departure_delay_minutes_last_5: float = column(
        nullable=True,
        unit="minutes",
        description="The same over the five latest departures of the 7 days, or as many as were.",
    )
