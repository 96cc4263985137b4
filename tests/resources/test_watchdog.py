from __future__ import annotations

import threading

from penstock.resources.watchdog import Watchdog
from tests.patience import PATIENCE_SECONDS


def test_a_loss_unblocks_who_waits() -> None:
    unblocked = threading.Event()
    with Watchdog(lambda: False, unblocked.set, period_seconds=0.01) as watchdog:
        assert unblocked.wait(PATIENCE_SECONDS)
    assert watchdog.lost


def test_one_missed_answer_is_not_a_loss() -> None:
    answers = iter([True, False, True, False])
    enough = threading.Event()

    def healthy() -> bool:
        answer = next(answers, None)
        if answer is None:
            enough.set()
        return answer is not False

    with Watchdog(healthy, enough.set, period_seconds=0.01) as watchdog:
        assert enough.wait(PATIENCE_SECONDS)
    assert not watchdog.lost
