"""Facts by name of which the last told counts: a map that merges alike in any order.

An entry is [event time, event hash, what was told]. The later event counts, and of two at the
same instant the one with the greater hash, so that the order of arrival decides nothing. What was
told is empty where an event says that there is no such fact: it takes the place of those before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "WITHDRAWN",
    "Entry",
    "LastTold",
    "Telling",
    "first_and_last",
    "first_told",
    "merged",
    "standing",
]

#: In place of what is told.
WITHDRAWN = ""

Entry = list[Any]
LastTold = dict[str, Entry]

#: [event time, event hash] of the first and of the last event that told each thing; of one that
#: was told once, of this one.
Telling = dict[str, list[Entry]]


def merged(known: Mapping[str, Entry], told: Mapping[str, Entry]) -> LastTold:
    """Both maps as one. Commutative, associative and idempotent."""
    result = dict(known)
    for name, entry in told.items():
        if name not in result or result[name] < entry:
            result[name] = list(entry)
    return result


def standing(told: Mapping[str, Entry]) -> LastTold:
    """Without what was withdrawn."""
    return {name: entry for name, entry in told.items() if entry[-1] != WITHDRAWN}


def first_told(known: Mapping[str, Entry], told: Mapping[str, Entry]) -> LastTold:
    """Both maps as one, of which the first told counts."""
    result = dict(known)
    for name, entry in told.items():
        if name not in result or entry < result[name]:
            result[name] = list(entry)
    return result


def first_and_last(known: Mapping[str, list[Entry]], told: Mapping[str, list[Entry]]) -> Telling:
    """Both as one. Commutative, associative and idempotent."""
    result = dict(known)
    for what, entries in told.items():
        every = [*result.get(what, ()), *entries]
        first, last = min(every), max(every)
        result[what] = [first] if first == last else [first, last]
    return result
