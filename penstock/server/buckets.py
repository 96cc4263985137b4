"""How often somebody may do something: a bucket each, that fills at the rate and holds a minute."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Buckets"]

_MOST = 10_000


class Buckets:
    """A bucket for each name; those unused for longest are forgotten, which is to say full.

    `seconds` is a clock that nobody puts back.
    """

    def __init__(self, per_minute: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds = float(per_minute), seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> bool:
        """Whether there was one left to take. Who asks in vain waits no longer for it."""
        left = self._now(name)
        taken = left >= 1.0
        self._keep(name, left - 1.0 if taken else left)
        return taken

    def give_back(self, name: str) -> None:
        """As if it had not been taken."""
        self._keep(name, min(self._now(name) + 1.0, self._most))

    def _now(self, name: str) -> float:
        now = self._seconds()
        left, at = self._left.pop(name, (self._most, now))
        return min(self._most, left + (now - at) * self._most / 60.0)

    def _keep(self, name: str, left: float) -> None:
        self._left[name] = (left, self._seconds())
        while len(self._left) > _MOST:
            self._left.popitem(last=False)
