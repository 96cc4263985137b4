"""Shared: copies without clear personal data, for those who may not see it."""

from schemas.shared.bookings import Bookings

__all__ = ["Bookings"]
