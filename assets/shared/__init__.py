"""Shared: masked copies."""

from assets.shared.bookings import bookings

__all__ = ["bookings"]
