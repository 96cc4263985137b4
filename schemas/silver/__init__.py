"""Silver: one row per thing, keyed, in UTC, with the unit in every name."""

from schemas.silver.airlines import Airlines
from schemas.silver.airports import Airports
from schemas.silver.bookings import Bookings
from schemas.silver.flights import Flights
from schemas.silver.planes import Planes
from schemas.silver.weather import Weather

__all__ = ["Airlines", "Airports", "Bookings", "Flights", "Planes", "Weather"]
