"""Bronze: landing files as tables, every row that can be read."""

from assets.bronze.airlines import airlines
from assets.bronze.airports import airports
from assets.bronze.bookings import bookings
from assets.bronze.flights import flights
from assets.bronze.planes import planes
from assets.bronze.weather import weather

__all__ = ["airlines", "airports", "bookings", "flights", "planes", "weather"]
