"""Intervals in which a state held, made of statements about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

__all__ = ["Interval", "Stated", "intervals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """That `state` is so from `at` on, and until before `until`; None: for good.

    One with `ends` alone does not say how they are joined: it is so as it was said of the same ends
    before, and `state` where nobody has said it.
    """

    at: datetime
    teller: str
    state: int
    ends: str = ""
    ends_alone: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """`state` holds from `valid_from` until before `valid_to`; None: until another is told."""

    valid_from: datetime
    valid_to: datetime | None
    state: int


def intervals(told: Iterable[Stated], said: Mapping[str, int] | None = None) -> list[Interval]:
    """The intervals of statements, whatever their order.

    Of those that are so at an instant the last told counts; of several that were told at one
    instant, the last by teller. `said` is by ends the state that was said of them before all these.
    """
    found: list[Interval] = []
    for moment, state in _states(told, dict(said or {})):
        last = found[-1] if found else None
        if last and last.valid_to is None:
            if last.state == state:
                continue
            found[-1] = Interval(valid_from=last.valid_from, valid_to=moment, state=last.state)
        if state is not None:
            found.append(Interval(valid_from=moment, valid_to=None, state=state))
    return found


def _states(told: Iterable[Stated], said: dict[str, int]) -> Iterator[tuple[datetime, int | None]]:
    """What is so from each moment on at which that may change; None: nothing."""
    waiting = sorted(told, key=_place, reverse=True)
    moments = {item.at for item in waiting} | {item.until for item in waiting if item.until}
    so: list[Stated] = []  # the last told at the end; none above one that is so for good
    for moment in sorted(moments):
        while waiting and waiting[-1].at <= moment:
            item = waiting.pop()
            if item.ends_alone:
                item = replace(item, state=said.get(item.ends, item.state))
            else:
                said[item.ends] = item.state
            so = [*so, item] if item.until else [item]
        so = [item for item in so if item.until is None or item.until > moment]
        yield moment, so[-1].state if so else None


def _place(item: Stated) -> tuple[datetime, str]:
    return item.at, item.teller
