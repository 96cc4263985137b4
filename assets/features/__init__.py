"""Features: what was known before."""

from assets.features.route_delays import route_delays

__all__ = ["route_delays"]
