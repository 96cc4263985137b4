"""Features: what models learn from, known before what they predict."""

from schemas.features.route_delays import RouteDelays

__all__ = ["RouteDelays"]
