"""Events of many callers at once in one transaction: each waits for the disk, the disk once.

Every caller's list is taken as a whole or not at all, and is durable when its call returns.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.ledger.event_log import Appendable
    from penstock.ledger.ledger import Ledger

__all__ = ["GroupCommit"]

_MOST_EVENTS = 1000  # of one transaction


@dataclass(slots=True)
class _Waiting:
    events: Sequence[Appendable]
    sequences: tuple[int, ...] | None = None
    error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.sequences is not None or self.error is not None


class GroupCommit:
    """Appends to a ledger. Threads share it: whoever finds nobody at work writes for all."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._turn = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._busy = False

    def append_all(self, events: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
        """As `Ledger.append_all`. Raises InputError for its own events, LedgerError."""
        mine = _Waiting(self._ledger.appendable(events))
        with self._turn:
            self._waiting.append(mine)
            while self._busy and not mine.done:
                self._turn.wait()
            if not mine.done:
                self._busy = True
        if not mine.done:
            self._write(mine)
        if mine.error is not None:
            raise mine.error
        assert mine.sequences is not None
        return mine.sequences

    def _write(self, mine: _Waiting) -> None:
        """Write what waits, until it was mine's turn; then another takes over.

        However it ends, each that was taken from the queue has an answer.
        """
        group: list[_Waiting] = []
        try:
            while not mine.done:
                with self._turn:
                    group = _first(self._waiting)
                    del self._waiting[: len(group)]
                self._commit(group)
        finally:
            with self._turn:
                for one in group:
                    if not one.done:
                        one.error = self._ended()
                self._busy = False
                self._turn.notify_all()

    def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            found = iter(self._ledger.append_appendable([e for one in group for e in one.events]))
        except Exception as error:  # noqa: BLE001 - each of them is told
            for one in group:
                one.error = error
        else:
            for one in group:
                one.sequences = tuple(next(found) for _ in one.events)

    def _ended(self) -> LedgerError:
        return LedgerError(
            "the thread that wrote was ended before it could say what came of it",
            where=self._ledger.database.where,
            next_step="send the events again: what was kept is not kept twice",
        )


def _first(waiting: Sequence[_Waiting]) -> list[_Waiting]:
    """Those at the head of the queue that make one transaction of a bearable size."""
    group: list[_Waiting] = []
    events = 0
    for one in waiting:
        if group and events + len(one.events) > _MOST_EVENTS:
            break
        group.append(one)
        events += len(one.events)
    return group
