"""Intervals in which a state held, made of statements about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["Interval", "intervals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """`state` holds from `valid_from` until before `valid_to`; None: until another is told."""

    valid_from: datetime
    valid_to: datetime | None
    state: int


def intervals(told: Iterable[tuple[datetime, str, int]]) -> list[Interval]:
    """The intervals of statements (moment, teller, state), whatever their order.

    A state holds until another is told. Of several at one instant the last by teller counts.
    """
    at_last = {moment: state for moment, _, state in sorted(told)}
    found: list[Interval] = []
    for moment, state in at_last.items():
        if found and found[-1].state == state:
            continue
        if found:
            last = found.pop()
            found.append(Interval(valid_from=last.valid_from, valid_to=moment, state=last.state))
        found.append(Interval(valid_from=moment, valid_to=None, state=state))
    return found
