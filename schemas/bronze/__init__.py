"""Bronze: what arrived, in the sender's own columns and units, typed and nothing more."""

from schemas.bronze.airlines import Airlines
from schemas.bronze.airports import Airports
from schemas.bronze.bookings import Bookings
from schemas.bronze.flights import Flights
from schemas.bronze.planes import Planes
from schemas.bronze.weather import Weather

__all__ = ["Airlines", "Airports", "Bookings", "Flights", "Planes", "Weather"]
