"""Names of time zones."""

from __future__ import annotations

import difflib
from zoneinfo import available_timezones

from penstock.errors import DefinitionError

__all__ = ["check_time_zone"]


def check_time_zone(where: str, zone: str) -> None:
    """Raise DefinitionError for what is no time zone."""
    known = available_timezones()
    if zone not in known:
        near = difflib.get_close_matches(str(zone), known, 1)
        raise DefinitionError(
            "there is no such time zone",
            where=where,
            expected="a name of the IANA time zone database, such as Europe/Berlin",
            found=repr(zone),
            next_step=f"did you mean {near[0]}?" if near else "name the zone as that does",
        )
