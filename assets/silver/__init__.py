"""Silver: bronze made into things with a key, an instant and a unit."""

from assets.silver.airlines import airlines
from assets.silver.airports import airports
from assets.silver.bookings import bookings
from assets.silver.flights import flights
from assets.silver.planes import planes
from assets.silver.weather import weather

__all__ = ["airlines", "airports", "bookings", "flights", "planes", "weather"]
