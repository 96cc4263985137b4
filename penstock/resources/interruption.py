"""Work of one thread that another asks to end: what it runs on a cluster is cancelled.

Python has no way to end a thread that waits for Spark, and a signal reaches the main thread alone.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Interrupted", "Interruption", "cancelled_by", "interruptible", "obeying"]

logger = logging.getLogger(__name__)


class Interrupted(BaseException):
    """The work was asked to end. No `Exception`: it is neither a fault to explain nor to retry."""

    def __init__(self) -> None:
        super().__init__("the work was asked to end")


class Interruption:
    """Asks the work of one thread to end."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._cancels: list[Callable[[], object]] = []

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Cancel what runs now. Ask again until the work has ended: it may have started more."""
        self._asked.set()
        for cancel in tuple(self._cancels):
            try:
                cancel()
            except Exception as error:  # noqa: BLE001 - a cluster that is gone has nothing to cancel
                kind = type(error).__name__
                logger.warning("what runs on the cluster was not cancelled (%s)", kind)

    @contextmanager
    def calling(self, cancel: Callable[[], object]) -> Iterator[None]:
        """`ask` calls `cancel` as long as the block lasts. Raises Interrupted where it has been."""
        if self.asked:
            raise Interrupted
        self._cancels.append(cancel)
        try:
            yield
        finally:
            self._cancels.remove(cancel)


_current: ContextVar[Interruption | None] = ContextVar("interruption", default=None)


@contextmanager
def interruptible(interruption: Interruption) -> Iterator[None]:
    """What this thread does in the block can be asked to end."""
    token = _current.set(interruption)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def cancelled_by(cancel: Callable[[], object]) -> Iterator[None]:
    """Who asks this thread's work to end calls `cancel` while the block lasts.

    Where nobody can ask, nothing is done. Raises Interrupted.
    """
    current = _current.get()
    if current is None:
        yield
        return
    with current.calling(cancel), obeying():
        yield


@contextmanager
def obeying() -> Iterator[None]:
    """What fails in the block after it was asked to end has ended for that, whatever it says.

    Raises Interrupted in its place.
    """
    try:
        yield
    except Exception:
        current = _current.get()
        if current is not None and current.asked:
            raise Interrupted from None
        raise
