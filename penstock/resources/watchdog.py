"""Notices within seconds that a Connect server is gone, and frees whoever waits for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Watchdog"]


class Watchdog:
    """Asks `healthy` every `period_seconds` on a thread; calls `on_loss` once when it is not.

    A client blocked in an answer that will never come cannot notice by itself; `on_loss` is
    called from the thread and must unblock it. Use as a context manager around the work.
    """

    def __init__(
        self,
        healthy: Callable[[], bool],
        on_loss: Callable[[], None],
        *,
        period_seconds: float = 1.0,
        patience: int = 2,
    ) -> None:
        self._healthy = healthy
        self._on_loss = on_loss
        self._period_seconds = period_seconds
        self._patience = patience
        self._done = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="penstock-watchdog", daemon=True)

    @property
    def lost(self) -> bool:
        """Whether the loss was noticed."""
        return self._lost.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        failures = 0
        while not self._done.wait(self._period_seconds):
            failures = 0 if self._healthy() else failures + 1
            if failures >= self._patience:
                self._lost.set()
                self._on_loss()
                return
