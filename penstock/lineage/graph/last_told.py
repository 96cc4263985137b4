"""Facts by name of which the last told counts: a map that merges alike in any order.

An entry is [event time, event hash, what was told]. The later event counts, and of two at the
same instant the one with the greater hash, so that the order of arrival decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Entry", "LastTold", "merged"]

Entry = list[Any]
LastTold = dict[str, Entry]


def merged(known: Mapping[str, Entry], told: Mapping[str, Entry]) -> LastTold:
    """Both maps as one. Commutative, associative and idempotent."""
    result = dict(known)
    for name, entry in told.items():
        if name not in result or result[name] < entry:
            result[name] = list(entry)
    return result
