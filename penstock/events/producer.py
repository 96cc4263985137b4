"""Who made an event: the marks every event and facet of Penstock carries."""

from __future__ import annotations

__all__ = ["PRODUCER", "TAG_SOURCE"]

# the version stands in the processing_engine facet; here it would make equal facets differ
PRODUCER = "urn:penstock:producer"
TAG_SOURCE = "PENSTOCK"
